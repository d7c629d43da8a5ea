//! `LATENCY`, `MEMORY`, `MODULE` and `SLOWLOG`, as far as programs ask at their start.

use bytes::Bytes;

use super::super::{
    Resp,
    command::{Answer, Call, Flags, Group, Refusal, Spec, integer},
    resp::count,
    service::SlowLog,
    service::size_of,
};

const OPERATOR: Flags =
    Flags::ADMIN.union(Flags::NOSCRIPT).union(Flags::LOADING).union(Flags::STALE);

pub(super) const COMMANDS: &[Spec] = &[
    Spec::container(Group::Server, "latency", LATENCY).about("2.8.13", "What was slow."),
    Spec::container(Group::Server, "memory", MEMORY).about("4.0.0", "What takes how much memory."),
    Spec::container(Group::Server, "module", MODULE).about("4.0.0", "Modules."),
    Spec::container(Group::Server, "slowlog", SLOW_LOG).about("2.2.12", "What was slow."),
];

const LATENCY: &[Spec] = &[
    Spec::new(Group::Server, "history", 3, nothing, OPERATOR).about("2.8.13", "Nothing was slow."),
    HELP,
    Spec::new(Group::Server, "latest", 2, nothing, OPERATOR).about("2.8.13", "Nothing was slow."),
    Spec::new(Group::Server, "reset", -2, |_, _| Ok(Resp::Integer(0)), OPERATOR)
        .about("2.8.13", "Forgets what was slow."),
];

const HELP: Spec = Spec::help(Group::Server, "6.2.0");

const MEMORY: &[Spec] = &[
    HELP,
    Spec::new(Group::Server, "purge", 2, |_, _| Ok(Resp::OK), Flags::empty())
        .about("4.0.0", "Does nothing."),
    Spec::new(Group::Server, "usage", -3, memory_usage, Flags::READONLY)
        .keys(2, 2, 1)
        .access("RO")
        .about("4.0.0", "About how many bytes a key takes."),
];

const MODULE: &[Spec] = &[
    HELP,
    Spec::new(Group::Server, "list", 2, nothing, Flags::ADMIN.union(Flags::NOSCRIPT))
        .about("4.0.0", "There are none."),
];

const SLOW: Flags = Flags::ADMIN.union(Flags::LOADING).union(Flags::STALE);

const SLOW_LOG: &[Spec] = &[
    Spec::new(Group::Server, "get", -2, slow_log_get, SLOW)
        .about("2.2.12", "Lists the commands that took long."),
    HELP,
    Spec::new(Group::Server, "len", 2, slow_log_len, SLOW)
        .about("2.2.12", "Counts the commands that took long."),
    Spec::new(Group::Server, "reset", 2, slow_log_reset, SLOW)
        .about("2.2.12", "Forgets what was slow."),
];

fn nothing(_call: &mut Call<'_>, _arguments: &[Bytes]) -> Answer {
    Ok(Resp::Array(Vec::new()))
}

fn slow_log_get(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let most = match &arguments[2..] {
        [] => 10,
        [most] => match integer(most) {
            Ok(-1) => usize::MAX,
            Ok(most) if most >= 0 => usize::try_from(most).unwrap_or(usize::MAX),
            _ => return Err(Refusal("ERR count should be greater than or equal to -1".into())),
        },
        _ => return Err(Refusal("ERR wrong number of arguments for 'slowlog|get' command".into())),
    };
    let number = |number: u64| Resp::Integer(i64::try_from(number).unwrap_or(i64::MAX));
    let log = call.redis.service.as_ref().map(|service| &service.slow_log);
    let lines = log.into_iter().flat_map(SlowLog::iter).take(most).map(|line| {
        Resp::Array(vec![
            number(line.number),
            number(line.at_s),
            number(line.took_us),
            Resp::Array(line.arguments.iter().cloned().map(Resp::Bulk).collect()),
            Resp::Bulk(line.address.clone().into()),
            Resp::Bulk(line.name.clone()),
        ])
    });
    Ok(Resp::Array(lines.collect()))
}

fn slow_log_len(call: &mut Call<'_>, _arguments: &[Bytes]) -> Answer {
    Ok(count(call.redis.service.as_ref().map_or(0, |service| service.slow_log.iter().len())))
}

fn slow_log_reset(call: &mut Call<'_>, _arguments: &[Bytes]) -> Answer {
    if let Some(service) = &mut call.redis.service {
        service.slow_log.clear();
    }
    Ok(Resp::OK)
}

fn memory_usage(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    match &arguments[3..] {
        [] => {}
        [option, samples] if option.eq_ignore_ascii_case(b"samples") => {
            if integer(samples)? < 0 {
                return Err(Refusal::SYNTAX);
            }
        }
        _ => return Err(Refusal::SYNTAX),
    }
    let key = &arguments[2];
    let size = call.entry(key).map(|entry| size_of(key, entry));
    Ok(size.map_or(Resp::Nil, |size| Resp::Integer(i64::try_from(size).unwrap_or(i64::MAX))))
}
