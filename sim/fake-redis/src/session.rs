//! What a session is called, and what it speaks.

/// The name of a session, never used again by the same server. It is what `CLIENT ID` tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(pub(crate) u64);

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
