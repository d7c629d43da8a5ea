//! `DEBUG`: what tests use of it.

use bytes::Bytes;

use super::{
    super::{
        Resp,
        command::{Answer, Flags, Group, Refusal, Spec, float},
        server::{Connection, OnConnection, Pause},
    },
    keys::encoding_of,
};
use crate::{Entry, resp::text_of, service::size_of};

const OPERATOR: Flags =
    Flags::ADMIN.union(Flags::NOSCRIPT).union(Flags::LOADING).union(Flags::STALE);

pub(super) const COMMANDS: &[Spec] =
    &[Spec::of_connection(Group::Server, "debug", -2, &OnConnection(debug), OPERATOR)
        .about("1.0.0", "Sleeps, fails, or tells of a value, for tests.")];

const HELP: &[&str] = &[
    "DEBUG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
    "CHANGE-REPL-ID",
    "    Answer OK: nothing is replicated by its identifier.",
    "ERROR <text>",
    "    Fail with this text.",
    "OBJECT <key>",
    "    Tell how a value is kept.",
    "SET-ACTIVE-EXPIRE <0|1>",
    "    Whether keys that have expired are removed before somebody asks for them.",
    "SLEEP <seconds>",
    "    Answer nobody for so long, by the server's clock.",
    "HELP",
    "    Print this help.",
];

fn debug(connection: &mut Connection<'_>, arguments: &[Bytes]) -> Answer {
    let name = arguments[1].to_ascii_lowercase();
    match (&*name, &arguments[2..]) {
        (b"help", []) => {
            Ok(Resp::Array(HELP.iter().map(|line| Resp::Simple((*line).into())).collect()))
        }
        (b"change-repl-id", []) => Ok(Resp::OK),
        (b"sleep", [seconds]) => sleep(connection, seconds, arguments),
        // The first word is the code of the error.
        (b"error", [text]) => {
            let text = text_of(text).replace(['\r', '\n'], " ");
            Err(Refusal(text.into()))
        }
        (b"object", [key] | [key, _]) => object(connection, key),
        (b"set-active-expire", [number]) => {
            connection.server.service_mut().lazy_expiry = number == "0";
            Ok(Resp::OK)
        }
        _ => {
            let name = text_of(&arguments[1]);
            Err(Refusal(
                format!(
                    "ERR this fake Redis does not have 'debug|{name}', or not with so many \
                     arguments. Try DEBUG HELP."
                )
                .into(),
            ))
        }
    }
}

/// Everybody waits until it is over, the sender too.
fn sleep(connection: &mut Connection<'_>, seconds: &[u8], arguments: &[Bytes]) -> Answer {
    let seconds = float(seconds).unwrap_or(0.0).clamp(0.0, 1e9);
    let took_us = (seconds * 1e6) as u64;
    connection.note_slow(&COMMANDS[0], arguments, took_us);
    if took_us > 0 && !connection.is_in_transaction() {
        let until_us = connection.now_us.saturating_add(took_us);
        connection.server.pause(connection.now_us, Pause { until_us, writes_only: false });
        connection.sleep(until_us);
    }
    Ok(Resp::OK)
}

fn object(connection: &mut Connection<'_>, key: &Bytes) -> Answer {
    let (database, now_us) = (connection.session().database, connection.now_us);
    let told = connection.server.lend(|redis| {
        redis.select(database);
        let entry = redis.keyspace.peek(now_us / 1_000, key)?;
        let encoding = encoding_of(&entry.value, redis.limits());
        let used_s = redis.keyspace.usage(key).map_or(0, |usage| usage.used_s);
        Some(line(entry, encoding, used_s.into(), now_us / 1_000_000))
    });
    told.map(|text| Resp::Simple(text.into())).ok_or(Refusal::NO_SUCH_KEY)
}

fn line(entry: &Entry, encoding: &str, used_s: u64, now_s: u64) -> String {
    let idle = if used_s == 0 { 0 } else { now_s.saturating_sub(used_s) };
    // What the value takes without its key, which is close to what a dump of it takes.
    let length = size_of(b"", entry);
    format!(
        "Value at:0x0 refcount:1 encoding:{encoding} serializedlength:{length} lru:{used_s} \
         lru_seconds_idle:{idle}"
    )
}
