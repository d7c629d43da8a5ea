//! What a server knows of one connection.

use bytes::Bytes;

use crate::{acl::DEFAULT, session::Protocol};

use super::{listening::Subscriptions, transaction::Transaction, watching::Watched};

/// Whether replies are left out, as `CLIENT REPLY` says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) enum Silence {
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
pub(crate) struct Session {
    pub(crate) protocol: Protocol,
    /// Whether it may do more than `AUTH`.
    pub(crate) authenticated: bool,
    /// Who it is; empty for the user `default`.
    pub(crate) user: Bytes,
    /// The number of the selected database.
    pub(crate) database: usize,
    /// What `CLIENT SETNAME` gave it.
    pub(crate) name: Bytes,
    /// Where it comes from and where to, as `CLIENT LIST` shows them.
    pub(crate) address: String,
    pub(crate) local_address: String,
    pub(crate) connected_at_us: u64,
    pub(crate) active_at_us: u64,
    /// The container, if it is a subcommand, and the name.
    pub(crate) last_command: (Option<&'static str>, &'static str),
    pub(crate) silence: Silence,
    pub(crate) transaction: Option<Box<Transaction>>,
    pub(crate) watched: Vec<Watched>,
    pub(crate) subscriptions: Subscriptions,
}

impl Session {
    /// The name of its user.
    pub(crate) fn user_name(&self) -> Bytes {
        if self.user.is_empty() { DEFAULT } else { self.user.clone() }
    }

    /// Whether it listens to anything.
    pub(crate) fn is_listening(&self) -> bool {
        self.subscriptions.len() > 0
    }
}
