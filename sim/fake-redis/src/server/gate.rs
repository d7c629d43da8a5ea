//! Which command a session may send now.

use super::Session;
use crate::{
    acl::full_name,
    command::{Flags, Refusal, Spec},
    session::Protocol,
};

/// What a session that listens in RESP2 may still send: in that protocol a reply could not be told
/// from a message.
const WHILE_LISTENING: [&str; 9] = [
    "ping", "psubscribe", "punsubscribe", "quit", "reset", "ssubscribe", "subscribe",
    "sunsubscribe", "unsubscribe",
];

pub(super) fn admit(session: &Session, spec: &Spec) -> Result<(), Refusal> {
    if !session.authenticated && !spec.flags.contains(Flags::NO_AUTH) {
        return Err(Refusal("NOAUTH Authentication required.".into()));
    }
    Ok(())
}

/// Refuses what cannot be answered to who listens: after whatever else refuses a command.
pub(super) fn admit_listening(session: &Session, spec: &Spec) -> Result<(), Refusal> {
    let listening = session.protocol == Protocol::Resp2 && session.is_listening();
    let is_subcommand = spec.container.is_some();
    if listening && (is_subcommand || !WHILE_LISTENING.contains(&spec.name)) {
        let name = full_name(spec);
        let text = format!(
            "ERR Can't execute '{name}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / \
             RESET are allowed in this context"
        );
        return Err(Refusal(text.into()));
    }
    Ok(())
}

/// Whether a name is the beginning of an HTTP request: a browser that was tricked into talking to
/// the server, which would take each of its headers for a command.
pub(super) fn is_http(name: &[u8]) -> bool {
    name.eq_ignore_ascii_case(b"host:") || name.eq_ignore_ascii_case(b"post")
}
