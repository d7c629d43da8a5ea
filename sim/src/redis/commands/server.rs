//! The server and the connection.

use bytes::Bytes;

use super::super::{
    Resp,
    command::{Answer, Call, Refusal, Spec, integer},
    resp::count,
};

pub(super) const COMMANDS: &[Spec] = &[
    Spec::new("dbsize", 1, dbsize),
    Spec::new("echo", 2, echo),
    Spec::new("flushall", -1, flushall),
    Spec::new("ping", -1, ping),
    Spec::new("time", 1, time),
    Spec::new("wait", 3, wait).not_in_scripts(),
];

fn dbsize(call: &mut Call<'_>, _arguments: &[Bytes]) -> Answer {
    Ok(count(call.keys().len()))
}

fn echo(_call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    Ok(Resp::Bulk(arguments[1].clone()))
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

fn ping(_call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    match &arguments[1..] {
        [] => Ok(Resp::Simple("PONG".into())),
        [message] => Ok(Resp::Bulk(message.clone())),
        _ => Err(Refusal("ERR wrong number of arguments for 'ping' command".into())),
    }
}

/// No replica belongs to the value of a server.
fn wait(_call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let (replicas, timeout) = (integer(&arguments[1])?, integer(&arguments[2])?);
    if replicas < 0 || timeout < 0 {
        return Err(Refusal("ERR timeout is negative".into()));
    }
    Ok(Resp::Integer(0))
}

fn time(call: &mut Call<'_>, _arguments: &[Bytes]) -> Answer {
    let part = |number: u64| Resp::Bulk(number.to_string().into());
    let (seconds, micros) = (call.now_us / 1_000_000, call.now_us % 1_000_000);
    Ok(Resp::Array(vec![part(seconds), part(micros)]))
}
