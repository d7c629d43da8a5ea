//! The record of a fault.

use serde::Serialize;

use super::{Request, Rule, Transport, request::told};

/// The number of an injection, from 1, never used again by the same server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct InjectionId(pub(super) u64);

/// A fault that was injected into a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Injection {
    /// Its number.
    pub id: InjectionId,
    /// The name of the rule.
    pub rule: String,
    /// The kind of fault.
    pub kind: &'static str,
    /// When, in milliseconds since the Unix epoch, by the server's clock.
    pub unix_ms: u64,
    /// The way by which the request came.
    pub transport: Transport,
    /// The address of the client.
    pub client: String,
    /// The name of the command, in upper case.
    pub command: String,
    /// Its keys, at most 32. Other arguments are not told, since they may be secret.
    pub keys: Vec<String>,
    /// Whether it changed what would have happened.
    pub effective: bool,
    /// What it changed.
    pub effect: Option<String>,
}

impl Injection {
    pub(super) fn new(id: InjectionId, rule: &Rule, request: &Request<'_>, command: usize) -> Self {
        let (name, keys) = told(request.commands[command]);
        Self {
            id,
            rule: rule.id().into(),
            kind: rule.kind().name(),
            unix_ms: request.unix_ms,
            transport: request.transport,
            client: request.client.into(),
            command: name,
            keys,
            effective: false,
            effect: None,
        }
    }
}
