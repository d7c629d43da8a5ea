//! A reply that does not come.

use std::{error, fmt, io};

/// A fault has kept the reply from coming: whether the command was executed cannot be known from here.
///
/// As an [`io::Error`], and of the crate `redis`, it is what a client of a socket would see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LostReply {
    /// The server has closed the connection.
    Closed,
    /// The connection was reset.
    Reset,
    /// Nothing came in time.
    TimedOut,
}

impl fmt::Display for LostReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Closed => "the connection was closed before a reply came",
            Self::Reset => "the connection was reset before a reply came",
            Self::TimedOut => "no reply came in time",
        })
    }
}

impl error::Error for LostReply {}

impl From<LostReply> for io::Error {
    fn from(lost: LostReply) -> Self {
        let kind = match lost {
            LostReply::Closed => io::ErrorKind::UnexpectedEof,
            LostReply::Reset => io::ErrorKind::ConnectionReset,
            LostReply::TimedOut => io::ErrorKind::TimedOut,
        };
        Self::new(kind, lost)
    }
}
