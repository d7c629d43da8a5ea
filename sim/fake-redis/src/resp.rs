//! A reply, as RESP carries it.

use std::borrow::Cow;

use bytes::Bytes;
use leasehold_core::redis as core_redis;
use memchr::memchr;

/// A reply of the server, of either protocol version. What only RESP3 can say has a plainer form
/// in RESP2: see [`Resp::plain`].
/// See <https://redis.io/docs/latest/develop/reference/protocol-spec/>.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Resp {
    /// A list.
    Array(Vec<Self>),
    /// A number too large for [`Resp::Integer`], in decimal. RESP2: a bulk string.
    BigNumber(Bytes),
    /// Yes or no. RESP2: 1 or 0.
    Boolean(bool),
    /// A string of bytes.
    Bulk(Bytes),
    /// A floating point number as the server writes it. RESP2: a bulk string.
    Double(Bytes),
    /// Names with values. RESP2: a list of lists of two; RESP3: a map.
    Entries(Vec<(Self, Self)>),
    /// An error, with its code: `WRONGTYPE Operation against …`. What is no text in it: see
    /// [`Resp::bytes_of`].
    Error(Cow<'static, str>),
    /// An integer.
    Integer(i64),
    /// Names with values. RESP2: a list of both in turn.
    Map(Vec<(Self, Self)>),
    /// No value.
    Nil,
    /// No list: what a blocking pop answers in vain, or `EXEC` after a watched key changed. RESP3
    /// does not tell it from [`Resp::Nil`].
    NilArray,
    /// Pairs. RESP2: a list of both in turn; RESP3: a list of lists of two.
    Pairs(Vec<(Self, Self)>),
    /// A message that no command asked for. RESP2: a list.
    Push(Vec<Self>),
    /// Members in no order. RESP2: a list.
    Set(Vec<Self>),
    /// A status such as `OK`.
    Simple(Cow<'static, str>),
    /// Text for people, such as that of `INFO`. RESP2: a bulk string.
    Verbatim(Bytes),
}

impl Resp {
    /// The status `OK`.
    pub const OK: Self = Self::Simple(Cow::Borrowed("OK"));

    /// The same in the words of RESP2, at every level.
    ///
    /// ```
    /// use leasehold_fake_redis::Resp;
    ///
    /// let map = Resp::Map(vec![(Resp::Bulk("field".into()), Resp::Double("1.5".into()))]);
    /// let list = Resp::Array(vec![Resp::Bulk("field".into()), Resp::Bulk("1.5".into())]);
    /// assert_eq!(map.plain(), list);
    /// ```
    #[must_use]
    pub fn plain(self) -> Self {
        let all = |replies: Vec<Self>| replies.into_iter().map(Self::plain).collect();
        match self {
            Self::Array(replies) | Self::Push(replies) | Self::Set(replies) => {
                Self::Array(all(replies))
            }
            Self::Map(pairs) | Self::Pairs(pairs) => {
                let flat = pairs.into_iter().flat_map(|(left, right)| [left, right]);
                Self::Array(flat.map(Self::plain).collect())
            }
            Self::Entries(pairs) => {
                let pair =
                    |(left, right): (Self, Self)| Self::Array(vec![left.plain(), right.plain()]);
                Self::Array(pairs.into_iter().map(pair).collect())
            }
            Self::BigNumber(text) | Self::Double(text) | Self::Verbatim(text) => Self::Bulk(text),
            Self::Boolean(yes) => Self::Integer(yes.into()),
            other => other,
        }
    }

    /// The bytes of a status or of an error, which a script may have put together from any. A byte
    /// that is no UTF-8 is a character in the text, U+10FF00 and so many.
    ///
    /// ```
    /// use leasehold_fake_redis::Resp;
    ///
    /// assert_eq!(&*Resp::bytes_of("ERR \u{10ffff}"), b"ERR \xff");
    /// ```
    #[must_use]
    pub fn bytes_of(text: &str) -> Cow<'_, [u8]> {
        if memchr(ESCAPES_BEGIN, text.as_bytes()).is_none() {
            return Cow::Borrowed(text.as_bytes());
        }
        let mut bytes = Vec::with_capacity(text.len());
        for letter in text.chars() {
            match u32::from(letter).checked_sub(ESCAPES).map(u8::try_from) {
                Some(Ok(byte)) => bytes.push(byte),
                _ => bytes.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
        Cow::Owned(bytes)
    }

    /// Whether it is an error.
    #[must_use]
    pub fn is_error(&self) -> bool {
        matches!(self, Self::Error(_))
    }
}

/// The character of the text of a reply that stands for the byte 0 where that is no UTF-8.
const ESCAPES: u32 = 0x10_ff00;
/// With what such a character begins.
const ESCAPES_BEGIN: u8 = 0xf4;

/// Bytes as the text of a status or of an error: [`Resp::bytes_of`] gives back the very same.
pub(crate) fn text_of(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = str::from_utf8(bytes)
        && memchr(ESCAPES_BEGIN, bytes).is_none()
    {
        return Cow::Borrowed(text);
    }
    let mut text = String::with_capacity(bytes.len());
    let escape = |byte: &u8| char::from_u32(ESCAPES + u32::from(*byte)).unwrap_or_default();
    for chunk in bytes.utf8_chunks() {
        for letter in chunk.valid().chars() {
            if u32::from(letter) < ESCAPES {
                text.push(letter);
            } else {
                text.extend(letter.encode_utf8(&mut [0; 4]).as_bytes().iter().map(escape));
            }
        }
        text.extend(chunk.invalid().iter().map(escape));
    }
    Cow::Owned(text)
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
        match reply.plain() {
            Resp::Array(replies) => Self::Array(replies.into_iter().map(Self::from).collect()),
            Resp::Error(message) => {
                Self::Error(String::from_utf8_lossy(&Resp::bytes_of(&message)).into_owned())
            }
            Resp::Integer(number) => Self::Integer(number),
            Resp::Simple(status) => Self::Bytes(Resp::bytes_of(&status).into_owned()),
            Resp::Bulk(bytes) => Self::Bytes(bytes.into()),
            _ => Self::Nil,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_bytes_are_a_text_that_gives_them_back() {
        let chars = "a\u{10feff}\u{10ff00}\u{10ffff}\u{fffd}é".as_bytes();
        for bytes in [&b"ERR no"[..], b"\xff", b"a\xf4\x8f\xbfb", b"\xc3", chars] {
            assert_eq!(&*Resp::bytes_of(&text_of(bytes)), bytes);
        }
        let all: Vec<u8> = (0..=u8::MAX).collect();
        assert_eq!(&*Resp::bytes_of(&text_of(&all)), all);
        assert!(matches!(text_of(b"ERR no"), Cow::Borrowed(_)));
    }
}
