//! What a server knows of one connection.

/// The name of a session, never used again by the same server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(pub(in crate::redis) u64);

/// The version of the protocol that a session speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// The one that every client knows.
    #[default]
    Resp2,
    /// After `HELLO 3`.
    Resp3,
}

/// One connection.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Session {
    pub(super) protocol: Protocol,
}
