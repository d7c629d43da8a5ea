//! The server and the connection.

use bytes::Bytes;

use super::super::{
    Resp,
    command::{Answer, Call, Flags, Group, Refusal, Spec, integer, word},
    resp::count,
};

#[rustfmt::skip]
pub(super) const COMMANDS: &[Spec] = &[
    Spec::new(Group::Server, "dbsize", 1, dbsize, Flags::FAST_READ)
        .about("1.0.0", "Counts the keys of the selected database."),
    Spec::new(Group::Server, "flushall", -1, flushall, Flags::WRITE)
        .about("1.0.0", "Removes every key of every database."),
    Spec::new(Group::Server, "flushdb", -1, flushdb, Flags::WRITE)
        .about("1.0.0", "Removes every key of the selected database."),
    Spec::new(Group::Server, "swapdb", 3, swapdb, Flags::FAST_WRITE)
        .about("4.0.0", "Exchanges the keys of two databases."),
    Spec::new(Group::Server, "time", 1, time, Flags::LOADING.union(Flags::STALE).union(Flags::FAST))
        .about("2.6.0", "Tells the time of the server."),
];

fn dbsize(call: &mut Call<'_>, _arguments: &[Bytes]) -> Answer {
    Ok(count(call.keys().len()))
}

fn flushall(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    flush_mode(arguments)?;
    call.redis.clear();
    Ok(Resp::OK)
}

fn flushdb(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    flush_mode(arguments)?;
    call.keys().clear();
    Ok(Resp::OK)
}

fn flush_mode(arguments: &[Bytes]) -> Result<(), Refusal> {
    match &arguments[1..] {
        [] => Ok(()),
        [mode] if matches!(&*word(mode), b"SYNC" | b"ASYNC") => Ok(()),
        _ => Err(Refusal::SYNTAX),
    }
}

fn swapdb(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let database = |argument: &[u8], which: &str| {
        let number = integer(argument).ok().and_then(|number| i32::try_from(number).ok());
        number.ok_or_else(|| Refusal(format!("ERR invalid {which} DB index").into()))
    };
    let (first, second) = (database(&arguments[1], "first")?, database(&arguments[2], "second")?);
    let swapped = usize::try_from(first)
        .and_then(|first| Ok(call.redis.swap_databases(first, usize::try_from(second)?)));
    match swapped {
        Ok(true) => Ok(Resp::OK),
        _ => Err(Refusal("ERR DB index is out of range".into())),
    }
}

fn time(call: &mut Call<'_>, _arguments: &[Bytes]) -> Answer {
    let part = |number: u64| Resp::Bulk(number.to_string().into());
    let (seconds, micros) = (call.now_us / 1_000_000, call.now_us % 1_000_000);
    Ok(Resp::Array(vec![part(seconds), part(micros)]))
}
