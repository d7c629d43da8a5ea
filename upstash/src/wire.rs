//! What goes into a request and what a reply means, as pure functions.

use std::{borrow::Cow, str};

use base64::{Engine, engine::general_purpose::STANDARD};
use leasehold_core::{
    Cause, Rejection, RejectionKind, StoreError,
    redis::{Invocation, Value},
};
use reqwest::StatusCode;
use serde_json::Value as Json;

/// The command that runs a script which the server has seen.
pub(crate) fn evalsha(invocation: &Invocation) -> Result<Vec<Cow<'_, str>>, StoreError> {
    command("EVALSHA", invocation.script.sha1, invocation)
}

/// The command that runs a script by its text.
pub(crate) fn eval(invocation: &Invocation) -> Result<Vec<Cow<'_, str>>, StoreError> {
    command("EVAL", invocation.script.text, invocation)
}

/// A command of the server's own.
pub(crate) fn plain(words: &[Vec<u8>]) -> Result<Vec<Cow<'_, str>>, StoreError> {
    let text = |word| str::from_utf8(word).map(Cow::Borrowed).map_err(|_| not_text());
    words.iter().map(|word| text(word)).collect()
}

/// What an answer with this status and body means. `secret` is kept out of what it says.
pub(crate) fn answer(status: StatusCode, body: &[u8], secret: &str) -> Result<Value, StoreError> {
    let json = serde_json::from_slice(body).unwrap_or(Json::Null);
    let words = json.get("error").and_then(Json::as_str).map(|words| words.replace(secret, "…"));
    let stated = |words: Option<String>| match words {
        Some(words) => format!("HTTP {}: {words}", status.as_u16()),
        None => format!("HTTP {}", status.as_u16()),
    };
    match status.as_u16() {
        401 | 403 => Err(rejected(RejectionKind::NotAllowed, stated(words))),
        408 => Err(StoreError::Unknown(Cause::TimedOut)),
        429 => Err(StoreError::NotSent(Cause::TryAgain(stated(words).into()))),
        200..=299 | 400..=499 if words.is_some() => Ok(words.map_or(Value::Nil, Value::Error)),
        200..=299 => json.get("result").map_or_else(|| Err(malformed("no result")), result),
        400..=499 => Err(rejected(RejectionKind::Other, stated(words))),
        300..=399 => Err(malformed("a redirect, which is not followed: check the URL")),
        _ => Err(StoreError::Unknown(Cause::Other(stated(words).into()))),
    }
}

fn command<'a>(
    verb: &'a str,
    script: &'a str,
    invocation: &'a Invocation,
) -> Result<Vec<Cow<'a, str>>, StoreError> {
    let mut command = vec![verb.into(), script.into(), invocation.keys.len().to_string().into()];
    for argument in invocation.keys.iter().chain(&invocation.args) {
        // The request is JSON, which carries text alone.
        let text = str::from_utf8(argument).map_err(|_| not_text())?;
        command.push(text.into());
    }
    Ok(command)
}

/// The status reply `OK` is the one string that is not encoded, and only at the top.
fn result(json: &Json) -> Result<Value, StoreError> {
    match json {
        Json::String(text) if text == "OK" => Ok(Value::from("OK")),
        json => value(json),
    }
}

fn value(json: &Json) -> Result<Value, StoreError> {
    Ok(match json {
        Json::Null => Value::Nil,
        Json::Number(number) => {
            Value::Integer(number.as_i64().ok_or_else(|| malformed("a number that is no integer"))?)
        }
        Json::String(text) => {
            Value::Bytes(STANDARD.decode(text).map_err(|_| malformed("a string not in base64"))?)
        }
        Json::Array(items) => Value::Array(items.iter().map(value).collect::<Result<_, _>>()?),
        Json::Bool(_) | Json::Object(_) => return Err(malformed("a boolean or an object")),
    })
}

fn not_text() -> StoreError {
    let message =
        "an argument is not UTF-8, so it cannot be sent as JSON: encode it, e.g. in base64";
    rejected(RejectionKind::Other, message.into())
}

fn rejected(kind: RejectionKind, message: String) -> StoreError {
    StoreError::Rejected(Rejection { kind, message: message.into() })
}

fn malformed(what: &'static str) -> StoreError {
    StoreError::Unknown(Cause::Malformed(what.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ok(body: &str) -> Result<Value, StoreError> {
        answer(StatusCode::OK, body.as_bytes(), "secret")
    }

    #[test]
    fn strings_are_decoded_at_every_level_and_odd_bytes_survive() {
        let bytes = |bytes: &[u8]| Value::Bytes(bytes.to_vec());
        assert_eq!(ok(r#"{"result":"/wA="}"#), Ok(bytes(&[0xff, 0])));
        let nested = ok(r#"{"result":[null,-1,["AA=="]]}"#);
        let inner = Value::Array(vec![bytes(&[0])]);
        assert_eq!(nested, Ok(Value::Array(vec![Value::Nil, Value::Integer(-1), inner])));
    }

    #[test]
    fn only_the_status_reply_is_not_encoded() {
        assert_eq!(ok(r#"{"result":"OK"}"#), Ok(Value::from("OK")));
        let inside = ok(r#"{"result":["OK"]}"#);
        assert!(matches!(inside, Err(StoreError::Unknown(Cause::Malformed(_)))), "{inside:?}");
    }

    #[test]
    fn what_is_no_reply_is_never_taken_for_one() {
        for body in [
            "",
            "null",
            "[]",
            "{}",
            "<html>",
            r#"{"result":1"#,
            r#"{"result":1.5}"#,
            r#"{"result":true}"#,
            r#"{"result":{}}"#,
            r#"{"result":"?"}"#,
            r#"{"result":1e99}"#,
            r#"{"result":9223372036854775808}"#,
            r#"{"error":null}"#,
        ] {
            let reply = ok(body);
            assert!(matches!(reply, Err(StoreError::Unknown(_))), "{body}: {reply:?}");
        }
        let deep = format!("{{\"result\":{}{}}}", "[".repeat(9_999), "]".repeat(9_999));
        assert!(matches!(ok(&deep), Err(StoreError::Unknown(_))));
    }

    #[test]
    fn an_error_inside_a_200_is_an_error() {
        let reply = ok(r#"{"error":"ERR max request size exceeded","result":1}"#);
        assert_eq!(reply, Ok(Value::Error("ERR max request size exceeded".into())));
    }

    #[test]
    fn an_argument_that_json_cannot_carry_is_refused_before_it_is_sent() {
        let script = leasehold_core::redis::SCRIPTS[0];
        let invocation = Invocation { script, keys: vec![b"k".to_vec()], args: vec![vec![0xff]] };
        assert!(matches!(evalsha(&invocation), Err(StoreError::Rejected(_))));
        let invocation =
            Invocation { script, keys: vec![b"k".to_vec()], args: vec![b"v".to_vec()] };
        assert_eq!(evalsha(&invocation).unwrap(), ["EVALSHA", script.sha1, "1", "k", "v"]);
        assert_eq!(eval(&invocation).unwrap()[1], script.text);
    }
}
