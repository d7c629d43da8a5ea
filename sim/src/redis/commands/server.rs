//! The server and the connection.

use bytes::Bytes;

use super::super::{
    Resp,
    command::{Answer, Call, Flags, Group, Refusal, Spec},
    resp::count,
};

pub(super) const COMMANDS: &[Spec] = &[
    Spec::new(Group::Server, "dbsize", 1, dbsize, Flags::READONLY.union(Flags::FAST))
        .about("1.0.0", "Counts the keys of the selected database."),
    Spec::new(Group::Server, "flushall", -1, flushall, Flags::WRITE)
        .about("1.0.0", "Removes every key of every database."),
    Spec::new(
        Group::Server,
        "time",
        1,
        time,
        Flags::LOADING.union(Flags::STALE).union(Flags::FAST),
    )
    .about("2.6.0", "Tells the time of the server."),
];

fn dbsize(call: &mut Call<'_>, _arguments: &[Bytes]) -> Answer {
    Ok(count(call.keys().len()))
}

fn flushall(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    match &arguments[1..] {
        [] => {}
        [mode] if mode.eq_ignore_ascii_case(b"sync") || mode.eq_ignore_ascii_case(b"async") => {}
        _ => return Err(Refusal::SYNTAX),
    }
    call.keys().clear();
    Ok(Resp::OK)
}

fn time(call: &mut Call<'_>, _arguments: &[Bytes]) -> Answer {
    let part = |number: u64| Resp::Bulk(number.to_string().into());
    let (seconds, micros) = (call.now_us / 1_000_000, call.now_us % 1_000_000);
    Ok(Resp::Array(vec![part(seconds), part(micros)]))
}
