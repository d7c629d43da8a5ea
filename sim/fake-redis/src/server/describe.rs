//! A session as `CLIENT LIST` shows it.

use super::{Server, Session};
use crate::{
    pubsub::Topic,
    session::{Protocol, SessionId},
};

/// A session in the format of `CLIENT LIST`, as far as it has a meaning here.
pub(crate) fn describe(server: &Server, id: SessionId, session: &Session, now_us: u64) -> String {
    let seconds = |since_us: u64| now_us.saturating_sub(since_us) / 1_000_000;
    let command = match session.last_command {
        (None, "") => "NULL".into(),
        (Some(container), "") => container.to_owned(),
        (Some(container), name) => format!("{container}|{name}"),
        (None, name) => name.to_owned(),
    };
    let flags = [
        (server.is_monitor(id), 'O'),
        (session.is_listening(), 'P'),
        (session.transaction.is_some(), 'x'),
        (server.is_waiting(id), 'b'),
    ];
    let flags: String = flags.iter().filter(|(set, _)| *set).map(|(_, flag)| *flag).collect();
    let flags = if flags.is_empty() { "N" } else { &flags };
    let queued = session.transaction.as_ref().map(|transaction| transaction.queue.len());
    let queued = queued.map_or_else(|| "-1".into(), |queued| queued.to_string());
    let protocol = if session.protocol == Protocol::Resp3 { 3 } else { 2 };
    format!(
        "id={} addr={} laddr={} fd=8 name={} age={} idle={} flags={flags} db={} sub={} psub={} \
         ssub={} multi={queued} qbuf=0 qbuf-free=0 argv-mem=0 multi-mem=0 rbs=16384 rbp=16384 obl=0 oll=0 \
         omem=0 tot-mem=0 events=r cmd={command} user={} redir=-1 resp={protocol}",
        id.number(),
        session.address,
        session.local_address,
        String::from_utf8_lossy(&session.name),
        seconds(session.connected_at_us),
        seconds(session.active_at_us),
        session.database,
        session.subscriptions[Topic::Channel].len(),
        session.subscriptions[Topic::Pattern].len(),
        session.subscriptions[Topic::Shard].len(),
        String::from_utf8_lossy(&session.user_name()),
    )
}
