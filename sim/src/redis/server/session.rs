//! What a server knows of one connection.

use bytes::Bytes;

use super::{listening::Subscriptions, transaction::Transaction, watching::Watched};

/// The name of a session, never used again by the same server. It is what `CLIENT ID` tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(pub(in crate::redis) u64);

impl SessionId {
    /// The number that `CLIENT ID` tells.
    #[must_use]
    pub fn number(self) -> u64 {
        self.0
    }
}

/// The version of the protocol that a session speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// The one that every client knows.
    #[default]
    Resp2,
    /// After `HELLO 3`.
    Resp3,
}

/// Whether replies are left out, as `CLIENT REPLY` says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(in crate::redis) enum Silence {
    /// Every command is answered.
    #[default]
    None,
    /// This command and the next one are not.
    Next,
    /// None is.
    All,
}

impl Silence {
    /// At the begin of a command: whether it was to be skipped.
    pub(super) fn begin(&mut self) -> bool {
        let skipped = *self == Self::Next;
        if skipped {
            *self = Self::None;
        }
        skipped
    }
}

/// One connection.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(in crate::redis) struct Session {
    pub(in crate::redis) protocol: Protocol,
    /// Whether it may do more than `AUTH`.
    pub(in crate::redis) authenticated: bool,
    /// The number of the selected database.
    pub(in crate::redis) database: usize,
    /// What `CLIENT SETNAME` gave it.
    pub(in crate::redis) name: Bytes,
    /// Where it comes from and where to, as `CLIENT LIST` shows them.
    pub(in crate::redis) address: String,
    pub(in crate::redis) local_address: String,
    pub(in crate::redis) connected_at_us: u64,
    pub(in crate::redis) active_at_us: u64,
    /// The container, if it is a subcommand, and the name.
    pub(in crate::redis) last_command: (Option<&'static str>, &'static str),
    pub(in crate::redis) silence: Silence,
    pub(in crate::redis) transaction: Option<Box<Transaction>>,
    pub(in crate::redis) watched: Vec<Watched>,
    pub(in crate::redis) subscriptions: Subscriptions,
}

impl Session {
    /// Whether it listens to anything.
    pub(in crate::redis) fn is_listening(&self) -> bool {
        self.subscriptions.len() > 0
    }
}
