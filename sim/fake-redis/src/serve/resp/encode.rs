//! Replies to bytes.
//!
//! By hand, unlike the way in: the frames of `redis-protocol` keep maps and sets in a random order
//! and print floating point numbers in their own way.

use bytes::{BufMut, BytesMut};

use crate::{Protocol, Resp};

/// Appends `resp` to `out` in the form of `protocol`.
///
/// ```
/// use bytes::BytesMut;
/// use leasehold_fake_redis::{Protocol, Resp, serve::resp::encode};
///
/// let mut out = BytesMut::new();
/// encode(&Resp::Map(vec![(Resp::Integer(1), Resp::Nil)]), Protocol::Resp3, &mut out);
/// encode(&Resp::Map(vec![(Resp::Integer(1), Resp::Nil)]), Protocol::Resp2, &mut out);
/// assert_eq!(&out[..], b"%1\r\n:1\r\n_\r\n*2\r\n:1\r\n$-1\r\n");
/// ```
pub fn encode(resp: &Resp, protocol: Protocol, out: &mut BytesMut) {
    match (resp, protocol) {
        (Resp::Simple(text), _) => line(b'+', &Resp::bytes_of(text), out),
        (Resp::Error(text), _) => error(text, out),
        (Resp::Integer(number), _) => integer(*number, out),
        (Resp::Bulk(text), _) => bulk(text, out),
        (Resp::Array(replies), _) => list(b'*', replies, protocol, out),
        (_, Protocol::Resp2) => encode_as_resp2(resp, out),
        (_, Protocol::Resp3) => encode_as_resp3(resp, out),
    }
}

fn encode_as_resp2(resp: &Resp, out: &mut BytesMut) {
    let protocol = Protocol::Resp2;
    match resp {
        Resp::Nil => out.put_slice(b"$-1\r\n"),
        Resp::NilArray => out.put_slice(b"*-1\r\n"),
        Resp::Boolean(yes) => integer((*yes).into(), out),
        Resp::BigNumber(text) | Resp::Double(text) | Resp::Verbatim(text) => bulk(text, out),
        Resp::Entries(pairs) => nested(pairs, protocol, out),
        Resp::Map(pairs) | Resp::Pairs(pairs) => flat(b'*', 2 * pairs.len(), pairs, protocol, out),
        Resp::Push(replies) | Resp::Set(replies) => list(b'*', replies, protocol, out),
        same => encode(same, protocol, out),
    }
}

fn encode_as_resp3(resp: &Resp, out: &mut BytesMut) {
    let protocol = Protocol::Resp3;
    match resp {
        Resp::Nil | Resp::NilArray => out.put_slice(b"_\r\n"),
        Resp::Boolean(yes) => out.put_slice(if *yes { b"#t\r\n" } else { b"#f\r\n" }),
        Resp::BigNumber(text) => line(b'(', text, out),
        Resp::Double(text) => line(b',', text, out),
        Resp::Verbatim(text) => {
            header(b'=', text.len() + 4, out);
            out.put_slice(b"txt:");
            out.put_slice(text);
            out.put_slice(b"\r\n");
        }
        Resp::Entries(pairs) | Resp::Map(pairs) => {
            flat(b'%', pairs.len(), pairs, protocol, out);
        }
        Resp::Pairs(pairs) => nested(pairs, protocol, out),
        Resp::Push(replies) => list(b'>', replies, protocol, out),
        Resp::Set(replies) => list(b'~', replies, protocol, out),
        same => encode(same, protocol, out),
    }
}

/// A list of lists of two.
fn nested(pairs: &[(Resp, Resp)], protocol: Protocol, out: &mut BytesMut) {
    header(b'*', pairs.len(), out);
    for pair in pairs {
        flat(b'*', 2, std::slice::from_ref(pair), protocol, out);
    }
}

fn list(kind: u8, replies: &[Resp], protocol: Protocol, out: &mut BytesMut) {
    header(kind, replies.len(), out);
    replies.iter().for_each(|reply| encode(reply, protocol, out));
}

fn flat(kind: u8, length: usize, pairs: &[(Resp, Resp)], protocol: Protocol, out: &mut BytesMut) {
    header(kind, length, out);
    for (left, right) in pairs {
        encode(left, protocol, out);
        encode(right, protocol, out);
    }
}

fn bulk(text: &[u8], out: &mut BytesMut) {
    header(b'$', text.len(), out);
    out.put_slice(text);
    out.put_slice(b"\r\n");
}

fn header(kind: u8, length: usize, out: &mut BytesMut) {
    line(kind, itoa::Buffer::new().format(length).as_bytes(), out);
}

fn integer(number: i64, out: &mut BytesMut) {
    line(b':', itoa::Buffer::new().format(number).as_bytes(), out);
}

/// An error's text may quote what a client sent, and a line break would end it early.
fn error(text: &str, out: &mut BytesMut) {
    if text.contains(['\r', '\n']) {
        line(b'-', &Resp::bytes_of(&text.replace(['\r', '\n'], " ")), out);
    } else {
        line(b'-', &Resp::bytes_of(text), out);
    }
}

fn line(kind: u8, text: &[u8], out: &mut BytesMut) {
    out.reserve(text.len() + 3);
    out.put_u8(kind);
    out.put_slice(text);
    out.put_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use redis_protocol::{resp2, resp3};

    use super::*;

    fn bytes_of(resp: &Resp, protocol: Protocol) -> BytesMut {
        let mut out = BytesMut::new();
        encode(resp, protocol, &mut out);
        out
    }

    fn everything() -> Resp {
        let text = |text: &'static str| Resp::Bulk(text.into());
        Resp::Array(vec![
            Resp::BigNumber("123456789012345678901234567890".into()),
            Resp::Boolean(true),
            text("a\r\nb"),
            Resp::Double("1.5".into()),
            Resp::Error("ERR no".into()),
            Resp::Integer(-7),
            Resp::Map(vec![(text("k"), Resp::Integer(1))]),
            Resp::Nil,
            Resp::NilArray,
            Resp::Entries(vec![(text("e"), Resp::Nil)]),
            Resp::Pairs(vec![(text("m"), Resp::Double("2".into()))]),
            Resp::Set(vec![text("s")]),
            Resp::OK,
            Resp::Verbatim("for people".into()),
        ])
    }

    #[test]
    fn another_decoder_reads_every_kind_of_reply_to_its_last_byte() {
        let two = bytes_of(&everything(), Protocol::Resp2);
        let (frame, length) = resp2::decode::decode(&two).unwrap().unwrap();
        assert_eq!(length, two.len());
        assert!(matches!(frame, resp2::types::OwnedFrame::Array(all) if all.len() == 14));
        let three = bytes_of(&everything(), Protocol::Resp3);
        let (frame, length) = resp3::decode::complete::decode(&three).unwrap().unwrap();
        assert_eq!(length, three.len());
        let resp3::types::OwnedFrame::Array { data, .. } = frame else { panic!("{frame:?}") };
        assert_eq!(data.len(), 14);
        assert!(
            matches!(&data[10], resp3::types::OwnedFrame::Array { data, .. } if data.len() == 1)
        );
    }

    #[test]
    fn resp2_is_the_plain_form() {
        let plain = bytes_of(&everything().plain(), Protocol::Resp2);
        assert_eq!(bytes_of(&everything(), Protocol::Resp2), plain);
    }

    #[test]
    fn an_error_stays_on_its_line() {
        let error = bytes_of(&Resp::Error("ERR a\r\nb".into()), Protocol::Resp2);
        assert_eq!(&error[..], b"-ERR a  b\r\n");
    }
}
