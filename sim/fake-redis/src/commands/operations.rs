//! What operators ask of a server. Nothing is saved or replicated here, but programs ask.

use bytes::Bytes;

use super::{
    super::{
        Resp, VERSION,
        command::{Answer, Flags, Group, Refusal, Spec, integer},
        resp::count,
        server::{Connection, OnConnection, Silence},
    },
    client::timeout_ms,
};

const OPERATOR: Flags = Flags::ADMIN.union(Flags::NOSCRIPT);
const ALWAYS: Flags = Flags::LOADING.union(Flags::STALE);

#[rustfmt::skip]
pub(super) const COMMANDS: &[Spec] = &[
    Spec::of_connection(Group::Server, "bgrewriteaof", 1, &OnConnection(rewrite),
        OPERATOR.union(Flags::NO_ASYNC_LOADING))
        .about("1.0.0", "Answers as if it began to save."),
    Spec::of_connection(Group::Server, "bgsave", -1, &OnConnection(save_in_background),
        OPERATOR.union(Flags::NO_ASYNC_LOADING))
        .about("1.0.0", "Answers as if it began to save."),
    Spec::of_connection(Group::Server, "lastsave", 1, &OnConnection(last_save),
        ALWAYS.union(Flags::FAST))
        .about("1.0.0", "Tells when the data were saved: at the start."),
    Spec::of_connection(Group::Server, "lolwut", -1, &OnConnection(version),
        Flags::READONLY.union(Flags::FAST))
        .about("5.0.0", "Tells the version."),
    Spec::of_connection(Group::Server, "monitor", 1, &OnConnection(monitor), OPERATOR.union(ALWAYS))
        .about("1.0.0", "Shows every command from now on."),
    Spec::of_connection(Group::Server, "replicaof", 3, &OnConnection(replica_of),
        OPERATOR.union(Flags::NO_ASYNC_LOADING).union(Flags::STALE))
        .about("5.0.0", "Refused: replicas are configured."),
    Spec::of_connection(Group::Server, "role", 1, &OnConnection(role),
        Flags::NOSCRIPT.union(ALWAYS).union(Flags::FAST))
        .about("2.8.12", "Tells that this is a primary."),
    Spec::of_connection(Group::Server, "save", 1, &OnConnection(save),
        OPERATOR.union(Flags::NO_ASYNC_LOADING).union(Flags::NO_MULTI))
        .about("1.0.0", "Answers as if it saved."),
    Spec::of_connection(Group::Server, "shutdown", -1, &OnConnection(shut_down),
        OPERATOR.union(ALWAYS).union(Flags::NO_MULTI).union(Flags::ALLOW_BUSY))
        .about("1.0.0", "Ends the server."),
    Spec::of_connection(Group::Server, "slaveof", 3, &OnConnection(replica_of),
        OPERATOR.union(Flags::NO_ASYNC_LOADING).union(Flags::STALE))
        .about("1.0.0", "Refused: replicas are configured."),
    Spec::of_connection(Group::Generic, "wait", 3, &OnConnection(wait), Flags::NOSCRIPT)
        .about("3.0.0", "Waits until replicas have all that was written."),
];

fn rewrite(_connection: &mut Connection<'_>, _arguments: &[Bytes]) -> Answer {
    Ok(Resp::Simple("Background append only file rewriting started".into()))
}

fn save_in_background(_connection: &mut Connection<'_>, arguments: &[Bytes]) -> Answer {
    match &arguments[1..] {
        [] => Ok(Resp::Simple("Background saving started".into())),
        [word] if word.eq_ignore_ascii_case(b"schedule") => {
            Ok(Resp::Simple("Background saving started".into()))
        }
        _ => Err(Refusal::SYNTAX),
    }
}

fn save(_connection: &mut Connection<'_>, _arguments: &[Bytes]) -> Answer {
    Ok(Resp::OK)
}

fn last_save(connection: &mut Connection<'_>, _arguments: &[Bytes]) -> Answer {
    let seconds = connection.server.settings().started_at_us / 1_000_000;
    Ok(Resp::Integer(i64::try_from(seconds).unwrap_or(i64::MAX)))
}

fn version(_connection: &mut Connection<'_>, _arguments: &[Bytes]) -> Answer {
    Ok(Resp::Verbatim(format!("Redis ver. {VERSION}\n").into()))
}

fn monitor(connection: &mut Connection<'_>, _arguments: &[Bytes]) -> Answer {
    if connection.is_in_transaction() {
        return Err(Refusal("ERR MONITOR isn't allowed for DENY BLOCKING client".into()));
    }
    connection.server.monitor(connection.id);
    Ok(Resp::OK)
}

fn replica_of(_connection: &mut Connection<'_>, arguments: &[Bytes]) -> Answer {
    let [host, port] = [&arguments[1], &arguments[2]];
    if host.eq_ignore_ascii_case(b"no") && port.eq_ignore_ascii_case(b"one") {
        return Ok(Resp::OK);
    }
    if !integer(port).is_ok_and(|port| (0..=65_535).contains(&port)) {
        return Err(Refusal("ERR Invalid master port".into()));
    }
    Err(Refusal("ERR this in-memory server cannot follow another one".into()))
}

fn role(connection: &mut Connection<'_>, _arguments: &[Bytes]) -> Answer {
    let replicas = (0..connection.server.replicas())
        .map(|_| Resp::Array(["127.0.0.1", "0", "0"].map(|text| Resp::Bulk(text.into())).into()));
    let replicas = Resp::Array(replicas.collect());
    Ok(Resp::Array(vec![Resp::Bulk("master".into()), count(0), replicas]))
}

fn shut_down(connection: &mut Connection<'_>, arguments: &[Bytes]) -> Answer {
    let words: Vec<_> = arguments[1..].iter().map(|word| word.to_ascii_lowercase()).collect();
    let has = |wanted: &[u8]| words.iter().any(|word| word == wanted);
    let known = |word: &Vec<u8>| {
        matches!(word.as_slice(), b"abort" | b"force" | b"nosave" | b"now" | b"save")
    };
    let contradictory = has(b"save") && has(b"nosave") || has(b"abort") && words.len() > 1;
    if !words.iter().all(known) || contradictory {
        return Err(Refusal::SYNTAX);
    }
    if has(b"abort") {
        return Err(Refusal("ERR No shutdown in progress.".into()));
    }
    connection.server.shut_down();
    connection.session_mut().silence = Silence::All;
    Ok(Resp::OK)
}

fn wait(connection: &mut Connection<'_>, arguments: &[Bytes]) -> Answer {
    let timeout_ms = timeout_ms(&arguments[2]);
    let wanted = integer(&arguments[1])?;
    Ok(connection.wait_for_replicas(wanted, timeout_ms?))
}
