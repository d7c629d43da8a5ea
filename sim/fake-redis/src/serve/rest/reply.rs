//! Replies in JSON.

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;

use super::refusal::{LIMIT, too_large};
use crate::Resp;

/// How strings are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Strings {
    /// As text; what is no UTF-8 becomes U+FFFD.
    #[default]
    Text,
    /// In base64, but for the status `OK` that is a whole reply.
    Base64,
}

/// The greatest integer that every reader of JSON takes exactly; beyond, it is written as a string.
const SAFE: u64 = 1 << 53;

/// `{"result": …}` or `{"error": …}`.
pub(super) fn object(reply: Resp, strings: Strings) -> Vec<u8> {
    let mut out = Vec::new();
    write_object(&mut out, reply, strings);
    out
}

/// A list of such objects.
pub(super) fn list(replies: Vec<Resp>, strings: Strings) -> Vec<u8> {
    let mut out = Vec::new();
    separated(&mut out, replies, |out, reply| write_object(out, reply, strings));
    out
}

/// `{"error": …}`.
pub(super) fn error(text: &str) -> Vec<u8> {
    let mut out = b"{\"error\":".to_vec();
    write_text(&mut out, text);
    out.push(b'}');
    out
}

fn write_object(out: &mut Vec<u8>, reply: Resp, strings: Strings) {
    let reply = reply.plain();
    let size = size_of(&reply);
    if size > LIMIT {
        return out.extend(error(&too_large(size)));
    }
    match reply {
        Resp::Error(text) => out.extend(error(&readable(&text))),
        reply => {
            out.extend(b"{\"result\":");
            match reply {
                Resp::Simple(status) if status == "OK" => write_text(out, &status),
                reply => write(out, reply, strings),
            }
            out.push(b'}');
        }
    }
}

fn write(out: &mut Vec<u8>, reply: Resp, strings: Strings) {
    match reply {
        Resp::Array(replies) => separated(out, replies, |out, reply| write(out, reply, strings)),
        Resp::Integer(number) if number.unsigned_abs() <= SAFE => {
            out.extend(number.to_string().into_bytes());
        }
        Resp::Integer(number) => write_string(out, number.to_string().as_bytes(), strings),
        Resp::Bulk(bytes) => write_string(out, &bytes, strings),
        Resp::Simple(text) => write_string(out, &Resp::bytes_of(&text), strings),
        // An error inside of a list, as a script may return.
        Resp::Error(text) => write_text(out, &readable(&text)),
        // Only these are left in the plain form.
        _ => out.extend(b"null"),
    }
}

/// An error for JSON, where no other bytes may be.
fn readable(text: &str) -> String {
    String::from_utf8_lossy(&Resp::bytes_of(text)).into_owned()
}

fn separated(out: &mut Vec<u8>, replies: Vec<Resp>, mut one: impl FnMut(&mut Vec<u8>, Resp)) {
    out.push(b'[');
    for (index, reply) in replies.into_iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        one(out, reply);
    }
    out.push(b']');
}

fn write_string(out: &mut Vec<u8>, bytes: &[u8], strings: Strings) {
    match strings {
        Strings::Text => write_text(out, &String::from_utf8_lossy(bytes)),
        Strings::Base64 => write_text(out, &STANDARD.encode(bytes)),
    }
}

fn write_text(out: &mut Vec<u8>, text: &str) {
    serde_json::to_writer(out, text).expect("a vector takes every text");
}

fn size_of(reply: &Resp) -> usize {
    match reply {
        Resp::Array(replies) => replies.iter().map(size_of).sum(),
        Resp::Bulk(bytes) => Bytes::len(bytes),
        Resp::Simple(text) | Resp::Error(text) => text.len(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(reply: Resp) -> String {
        String::from_utf8(object(reply, Strings::Text)).unwrap()
    }

    fn base64(reply: Resp) -> String {
        String::from_utf8(object(reply, Strings::Base64)).unwrap()
    }

    fn bulk(text: &'static str) -> Resp {
        Resp::Bulk(text.into())
    }

    #[test]
    fn every_string_is_encoded_but_the_status_ok() {
        assert_eq!(base64(Resp::OK), r#"{"result":"OK"}"#);
        assert_eq!(base64(Resp::Simple("PONG".into())), r#"{"result":"UE9ORw=="}"#);
        assert_eq!(base64(bulk("OK")), r#"{"result":"T0s="}"#);
        let nested =
            Resp::Array(vec![bulk("a"), Resp::Array(vec![bulk("b"), Resp::Integer(1), Resp::Nil])]);
        assert_eq!(base64(nested), r#"{"result":["YQ==",["Yg==",1,null]]}"#);
        assert_eq!(base64(Resp::Error("ERR no".into())), r#"{"error":"ERR no"}"#);
    }

    #[test]
    fn without_an_encoding_broken_text_is_replaced() {
        assert_eq!(
            text(Resp::Bulk(Bytes::from_static(b"a\xffb\"\n"))),
            "{\"result\":\"a\u{fffd}b\\\"\\n\"}"
        );
        assert_eq!(text(Resp::NilArray), r#"{"result":null}"#);
        assert_eq!(
            text(Resp::Map(vec![(bulk("f"), Resp::Double("1.5".into()))])),
            r#"{"result":["f","1.5"]}"#
        );
    }

    #[test]
    fn an_integer_that_json_readers_would_round_is_a_string() {
        assert_eq!(text(Resp::Integer(1 << 53)), r#"{"result":9007199254740992}"#);
        assert_eq!(text(Resp::Integer((1 << 53) + 1)), r#"{"result":"9007199254740993"}"#);
        assert_eq!(text(Resp::Integer(i64::MIN)), r#"{"result":"-9223372036854775808"}"#);
        assert_eq!(
            base64(Resp::Integer((1 << 53) + 1)),
            r#"{"result":"OTAwNzE5OTI1NDc0MDk5Mw=="}"#
        );
    }

    #[test]
    fn a_result_that_is_too_large_is_an_error_in_its_place() {
        let large = Resp::Bulk(vec![b'x'; LIMIT + 1].into());
        let replies = list(vec![Resp::Integer(1), large], Strings::Text);
        let replies = String::from_utf8(replies).unwrap();
        assert!(replies.starts_with(r#"[{"result":1},{"error":"ERR max request size exceeded."#));
    }
}
