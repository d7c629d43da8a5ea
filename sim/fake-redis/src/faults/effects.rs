//! What is to happen to a request.

use std::{borrow::Cow, fmt, time::Duration};

use serde::Serialize;

use super::{Held, InjectionId};

/// What is to happen to a request, in the order of the fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effects {
    /// How long it waits, by the server's clock, before anything else.
    pub delay: Duration,
    /// What keeps it back after that.
    pub hold: Option<Held>,
    /// How far the server's Unix time is set forward then, in microseconds; back if negative.
    pub jump_us: i64,
    /// Whether its commands are executed.
    pub executed: bool,
    /// What happens to each of its commands, if they are executed.
    pub slots: Vec<Slot>,
    /// Copies of the request that arrive later.
    pub duplicates: Vec<Duplicate>,
    /// What the client gets.
    pub ending: Ending,
    /// What happens to the server right after.
    pub server_event: Option<ServerEvent>,
}

/// What happens to one command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Slot {
    /// Nothing unusual.
    Serve,
    /// It is answered with this error and not executed.
    Error(Cow<'static, str>),
    /// It is answered by a replica.
    Stale {
        /// How far the replica is behind.
        lag: Duration,
        /// To be told whether the reply was another one.
        injection: InjectionId,
    },
}

/// A copy of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Duplicate {
    /// How long after the request, by the server's clock.
    pub after: Duration,
    /// To be told of its execution.
    pub injection: InjectionId,
}

/// What a client gets of a reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// All of it.
    Reply,
    /// Nothing: the connection is closed.
    Close,
    /// Nothing: the connection is reset.
    Reset,
    /// Nothing, and the connection stays open.
    Hang,
    /// An HTTP status with this error instead.
    Status {
        /// From 400 to 599.
        code: u16,
        /// What the body says.
        text: String,
    },
}

/// Something that happens to the whole server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerEvent {
    /// What.
    pub kind: ServerEventKind,
    /// For how long connections are refused after it, by the server's clock.
    pub down: Duration,
    /// To be told what was lost.
    pub injection: InjectionId,
}

/// What happens to the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerEventKind {
    /// A replica takes over that lacks the writes of the last `lose`.
    Failover {
        /// By the server's clock.
        lose: Duration,
    },
    /// It comes back without any data.
    Restart,
}

/// What a failover or a restart lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Lost {
    /// How many writes: commands, scripts or transactions that changed data.
    pub writes: usize,
    /// How many keys there are less than before.
    pub keys: usize,
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "lost {} writes and {} keys", self.writes, self.keys)
    }
}

impl Effects {
    /// Nothing unusual, for so many commands.
    pub(super) fn calm(commands: usize) -> Self {
        Self {
            delay: Duration::ZERO,
            hold: None,
            jump_us: 0,
            executed: true,
            slots: vec![Slot::Serve; commands],
            duplicates: Vec::new(),
            ending: Ending::Reply,
            server_event: None,
        }
    }

    /// Nobody is there to execute so many commands.
    pub(crate) fn refused(commands: usize) -> Self {
        Self { executed: false, ending: Ending::Reset, ..Self::calm(commands) }
    }

    /// Whether anything comes before the request is executed.
    #[cfg(feature = "serve")]
    pub(crate) fn waits(&self) -> bool {
        !self.delay.is_zero() || self.hold.is_some() || self.jump_us != 0
    }

    /// Ends the request in this way, unless it ends in another already.
    pub(super) fn end(&mut self, ending: Ending, executed: bool) -> bool {
        let first = self.ending == Ending::Reply;
        if first {
            self.ending = ending;
            self.executed = executed;
        }
        first
    }

    /// Does this to a command, unless something else is done to it already.
    pub(super) fn slot(&mut self, command: usize, slot: Slot) -> bool {
        let first = self.slots[command] == Slot::Serve;
        if first {
            self.slots[command] = slot;
        }
        first
    }

    /// Does this to the server, unless something else is done to it already.
    pub(super) fn trigger(&mut self, server_event: ServerEvent) -> bool {
        let first = self.server_event.is_none();
        if first {
            self.server_event = Some(server_event);
        }
        first
    }
}
