//! RESP2 and RESP3 as a client reads them. A reader of this test's own, so that a mistake in the
//! server's framing cannot cancel itself out.

use bytes::Bytes;

use crate::reply::Reply;

/// Appends a command.
pub(crate) fn encode(words: &[Bytes], out: &mut Vec<u8>) {
    out.extend_from_slice(format!("*{}\r\n", words.len()).as_bytes());
    for word in words {
        out.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
        out.extend_from_slice(word);
        out.extend_from_slice(b"\r\n");
    }
}

/// The first reply in `bytes` and its length; `None` while it is not complete.
///
/// # Panics
///
/// If this is no RESP.
pub(crate) fn decode(bytes: &[u8]) -> Option<(Reply, usize)> {
    let mut reader = Reader { bytes, at: 0 };
    let reply = reader.reply()?;
    Some((reply, reader.at))
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn reply(&mut self) -> Option<Reply> {
        let line = self.line()?;
        let (kind, rest) = line.split_first().expect("a reply has a kind");
        let text = || Bytes::copy_from_slice(rest);
        Some(match kind {
            b'+' => Reply::Simple(text()),
            b'-' => Reply::Error(text()),
            b':' => Reply::Integer(number(rest)),
            b',' => Reply::Double(text()),
            b'(' => Reply::BigNumber(text()),
            b'#' => Reply::Boolean(rest == b"t"),
            b'_' => Reply::Nil,
            b'$' if rest == b"-1" => Reply::Nil,
            b'*' if rest == b"-1" => Reply::NilArray,
            b'$' => Reply::Bulk(self.bulk(rest)?),
            b'=' => Reply::Verbatim(self.bulk(rest)?.slice(4..)),
            b'*' => Reply::Array(self.replies(number(rest))?),
            b'~' => Reply::Set(self.replies(number(rest))?),
            b'>' => Reply::Push(self.replies(number(rest))?),
            b'%' => Reply::Map(self.pairs(number(rest))?),
            _ => unreachable!("no RESP: {}", line.escape_ascii()),
        })
    }

    fn line(&mut self) -> Option<&'a [u8]> {
        let rest = &self.bytes[self.at..];
        let end = rest.windows(2).position(|pair| pair == b"\r\n")?;
        self.at += end + 2;
        Some(&rest[..end])
    }

    fn bulk(&mut self, length: &[u8]) -> Option<Bytes> {
        let length = usize::try_from(number(length)).expect("a length is no negative number");
        let bytes = self.bytes.get(self.at..self.at + length + 2)?;
        self.at += length + 2;
        Some(Bytes::copy_from_slice(&bytes[..length]))
    }

    fn replies(&mut self, count: i64) -> Option<Vec<Reply>> {
        (0..count).map(|_| self.reply()).collect()
    }

    fn pairs(&mut self, count: i64) -> Option<Vec<(Reply, Reply)>> {
        (0..count).map(|_| Some((self.reply()?, self.reply()?))).collect()
    }
}

fn number(text: &[u8]) -> i64 {
    let parsed = std::str::from_utf8(text).ok().and_then(|text| text.parse().ok());
    parsed.unwrap_or_else(|| panic!("no number: {}", text.escape_ascii()))
}
