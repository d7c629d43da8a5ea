//! A reply, as RESP carries it.

use std::borrow::Cow;

use bytes::Bytes;
use leasehold_core::redis as core_redis;

/// A reply of the server. See <https://redis.io/docs/latest/develop/reference/protocol-spec/>.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Resp {
    /// A list.
    Array(Vec<Self>),
    /// A string of bytes.
    Bulk(Bytes),
    /// An error, with its code: `WRONGTYPE Operation against …`.
    Error(Cow<'static, str>),
    /// An integer.
    Integer(i64),
    /// No value.
    Nil,
    /// A status such as `OK`.
    Simple(Cow<'static, str>),
}

impl Resp {
    /// The status `OK`.
    pub const OK: Self = Self::Simple(Cow::Borrowed("OK"));
}

impl From<bool> for Resp {
    fn from(yes: bool) -> Self {
        Self::Integer(yes.into())
    }
}

impl From<Option<Bytes>> for Resp {
    fn from(found: Option<Bytes>) -> Self {
        found.map_or(Self::Nil, Self::Bulk)
    }
}

/// A count that fits, as every count of things in memory does.
pub(super) fn count(number: usize) -> Resp {
    Resp::Integer(i64::try_from(number).unwrap_or(i64::MAX))
}

impl From<Resp> for core_redis::Value {
    fn from(reply: Resp) -> Self {
        match reply {
            Resp::Array(replies) => Self::Array(replies.into_iter().map(Self::from).collect()),
            Resp::Bulk(bytes) => Self::Bytes(bytes.into()),
            Resp::Error(message) => Self::Error(message.into_owned()),
            Resp::Integer(number) => Self::Integer(number),
            Resp::Nil => Self::Nil,
            Resp::Simple(status) => Self::Bytes(status.into_owned().into_bytes()),
        }
    }
}
