//! A reply in a form that both servers can be compared in.

use std::fmt;

use bytes::Bytes;
use leasehold_fake_redis::{Protocol, Resp};

/// What a client reads. Its order is only there to sort by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reply {
    Array(Vec<Self>),
    BigNumber(Bytes),
    Boolean(bool),
    Bulk(Bytes),
    Double(Bytes),
    Error(Bytes),
    Integer(i64),
    Map(Vec<(Self, Self)>),
    Nil,
    NilArray,
    Push(Vec<Self>),
    Set(Vec<Self>),
    Simple(Bytes),
    Verbatim(Bytes),
}

impl Reply {
    /// What a session of this protocol reads when the fake says `resp`.
    pub(crate) fn of(resp: Resp, protocol: Protocol) -> Self {
        match protocol {
            Protocol::Resp2 => Self::rich(resp.plain()),
            Protocol::Resp3 => Self::rich(resp).with_one_nil(),
        }
    }

    /// Without the difference between the two kinds of nothing, which RESP3 does not make.
    fn with_one_nil(self) -> Self {
        let all = |replies: Vec<Self>| replies.into_iter().map(Self::with_one_nil).collect();
        match self {
            Self::NilArray => Self::Nil,
            Self::Array(replies) => Self::Array(all(replies)),
            reply => reply,
        }
    }

    /// Without the sign of a zero.
    pub(crate) fn with_one_zero(self) -> Self {
        let all = |replies: Vec<Self>| replies.into_iter().map(Self::with_one_zero).collect();
        match self {
            Self::Array(replies) => Self::Array(all(replies)),
            Self::Push(replies) => Self::Push(all(replies)),
            Self::Bulk(text) if text == "-0" => Self::Bulk("0".into()),
            Self::Double(text) if text == "-0" => Self::Double("0".into()),
            reply => reply,
        }
    }

    fn rich(resp: Resp) -> Self {
        let all = |replies: Vec<Resp>| replies.into_iter().map(Self::rich).collect();
        let pair = |(left, right)| (Self::rich(left), Self::rich(right));
        match resp {
            Resp::Array(replies) => Self::Array(all(replies)),
            Resp::BigNumber(digits) => Self::BigNumber(digits),
            Resp::Boolean(yes) => Self::Boolean(yes),
            Resp::Bulk(bytes) => Self::Bulk(bytes),
            Resp::Double(text) => Self::Double(text),
            Resp::Error(text) => Self::Error(Resp::bytes_of(&text).into_owned().into()),
            Resp::Integer(number) => Self::Integer(number),
            Resp::Entries(pairs) | Resp::Map(pairs) => {
                Self::Map(pairs.into_iter().map(pair).collect())
            }
            Resp::Nil => Self::Nil,
            Resp::NilArray => Self::NilArray,
            Resp::Pairs(pairs) => Self::Array(
                pairs
                    .into_iter()
                    .map(|(left, right)| Self::Array(vec![Self::rich(left), Self::rich(right)]))
                    .collect(),
            ),
            Resp::Push(replies) => Self::Push(all(replies)),
            Resp::Set(replies) => Self::Set(all(replies)),
            Resp::Simple(text) => Self::Simple(Resp::bytes_of(&text).into_owned().into()),
            Resp::Verbatim(text) => Self::Verbatim(text),
            other => unreachable!("a kind of reply that this test does not know: {other:?}"),
        }
    }

    pub(crate) fn is_error(&self) -> bool {
        matches!(self, Self::Error(_))
    }

    pub(crate) fn is_status(&self, status: &str) -> bool {
        matches!(self, Self::Simple(text) if text == status)
    }
}

/// As `redis-cli --no-raw` prints it, but on one line.
impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |bytes: &Bytes| escaped(bytes);
        match self {
            Self::Array(replies) => write!(f, "[{}]", list(replies)),
            Self::BigNumber(digits) => write!(f, "(big) {}", text(digits)),
            Self::Boolean(yes) => write!(f, "(boolean) {yes}"),
            Self::Bulk(bytes) => write!(f, "\"{}\"", text(bytes)),
            Self::Double(number) => write!(f, "(double) {}", text(number)),
            Self::Error(message) => write!(f, "(error) {}", text(message)),
            Self::Integer(number) => write!(f, "(integer) {number}"),
            Self::Map(pairs) => {
                let shown = |(left, right): &(Self, Self)| format!("{left} => {right}");
                write!(f, "{{{}}}", pairs.iter().map(shown).collect::<Vec<_>>().join(", "))
            }
            Self::Nil => write!(f, "(nil)"),
            Self::NilArray => write!(f, "(nil array)"),
            Self::Push(replies) => write!(f, "(push) [{}]", list(replies)),
            Self::Set(replies) => write!(f, "(set) [{}]", list(replies)),
            Self::Simple(status) => write!(f, "{}", text(status)),
            Self::Verbatim(words) => write!(f, "(text) {}", text(words)),
        }
    }
}

/// On one line, in ASCII.
pub(crate) fn escaped(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string().replace("\\'", "'")
}

fn list(replies: &[Reply]) -> String {
    replies.iter().map(Reply::to_string).collect::<Vec<_>>().join(", ")
}
