//! What goes into a request and what a reply means, as pure functions.

use std::{borrow::Cow, fmt::Write, str};

use base64::{Engine, engine::general_purpose::STANDARD};
use leasehold_core::{
    Cause, RejectionKind, StoreError,
    redis::{Invocation, Request, Value},
};
use reqwest::StatusCode;
use serde_json::Value as Json;

use crate::answer::{Answer, Form, error_reply, malformed, rejected};

/// JSON carries text alone. So arguments that are not text are sent with each byte as the character
/// of that number, and this, put before the script, makes bytes of them again.
const BYTES_FROM_TEXT: &str = r"do
  local function byte(high, low) return string.char((high:byte() - 194) * 64 + low:byte()) end
  for i = 1, #ARGV do ARGV[i] = string.gsub(ARGV[i], '([\194\195])([\128-\191])', byte) end
end
";

/// A command, as a JSON array.
pub(crate) fn line(form: Form, request: &Request) -> Result<String, StoreError> {
    match request {
        Request::Script(invocation) => run(form, invocation),
        // One command, at one server.
        Request::Pipeline(pipeline) => run(form, &pipeline.script),
        Request::Plain(words) => {
            let words = words.iter().map(|word| text(word)).collect::<Result<Vec<_>, _>>()?;
            Ok(array(&words))
        }
    }
}

/// The command that runs a script.
fn run(form: Form, invocation: &Invocation) -> Result<String, StoreError> {
    let Invocation { script, keys, args } = invocation;
    let texts = args.iter().map(|arg| str::from_utf8(arg).ok().map(Cow::from)).collect();
    let (verb, body, args): (_, Cow<'_, str>, Vec<_>) = match (texts, form) {
        (Some(args), Form::Hash) => ("EVALSHA", script.sha1.into(), args),
        (Some(args), Form::Text) => ("EVAL", script.text.into(), args),
        (None, _) => {
            let args = args.iter().map(|arg| characters(arg).into()).collect();
            ("EVAL", format!("{BYTES_FROM_TEXT}{}", script.text).into(), args)
        }
    };
    let mut words = vec![verb.into(), body, keys.len().to_string().into()];
    for key in keys {
        words.push(text(key)?);
    }
    words.extend(args);
    Ok(array(&words))
}

fn array(words: &[Cow<'_, str>]) -> String {
    serde_json::to_string(words).expect("a list of strings has no reason not to become JSON")
}

/// Lines as the body of one pipeline.
pub(crate) fn pipeline<'a>(lines: impl IntoIterator<Item = &'a str>) -> String {
    let mut body = String::from("[");
    for (index, line) in lines.into_iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        let _ = write!(body, "{comma}{line}");
    }
    body.push(']');
    body
}

/// What an answer with this status and body says to one command. `secret` is kept out of it.
pub(crate) fn answer(status: StatusCode, body: &[u8], secret: &str) -> Result<Answer, StoreError> {
    slot(&accepted(status, body, secret)?, secret)
}

/// What an answer with this status and body says to each of `count` commands.
///
/// # Errors
///
/// What it says to all of them.
pub(crate) fn answers(
    status: StatusCode,
    body: &[u8],
    count: usize,
    secret: &str,
) -> Result<Vec<Result<Answer, StoreError>>, StoreError> {
    match accepted(status, body, secret)? {
        Json::Array(slots) if slots.len() == count => {
            Ok(slots.iter().map(|json| slot(json, secret)).collect())
        }
        Json::Object(object) if object.contains_key("error") => {
            slot(&Json::Object(object), secret)?;
            Err(malformed("one answer to a pipeline"))
        }
        _ => Err(malformed("not one answer to each command of the pipeline")),
    }
}

/// Whether a pipeline that was refused with these words may have been for one command in it, or
/// because there are no pipelines: then the same words to one of them say nothing of the others.
pub(crate) fn may_be_of_one(words: &str) -> bool {
    let statuses = ["HTTP 404", "HTTP 405", "HTTP 413"];
    statuses.iter().any(|status| words.starts_with(status)) || words.contains("max request size")
}

/// The body, if the status is that of an answer.
fn accepted(status: StatusCode, body: &[u8], secret: &str) -> Result<Json, StoreError> {
    let json = serde_json::from_slice(body).unwrap_or(Json::Null);
    let words = error(&json, secret);
    let stated = || match &words {
        Some(words) => format!("HTTP {}: {words}", status.as_u16()),
        None => format!("HTTP {}", status.as_u16()),
    };
    match status.as_u16() {
        401 | 403 => Err(rejected(RejectionKind::NotAllowed, stated())),
        408 => Err(StoreError::Unknown(Cause::TimedOut(stated().into()))),
        429 => Err(StoreError::NotSent(Cause::TryAgain(stated().into()))),
        200..=299 => Ok(json),
        400..=499 if words.is_some() => Ok(json),
        400..=499 => Err(rejected(RejectionKind::Other, stated())),
        300..=399 => Err(malformed("a redirect, which is not followed: check the URL")),
        _ => Err(StoreError::Unknown(Cause::Other(stated().into()))),
    }
}

fn slot(json: &Json, secret: &str) -> Result<Answer, StoreError> {
    match error(json, secret) {
        Some(words) => error_reply(words),
        None => {
            json.get("result").map_or_else(|| Err(malformed("no result")), value).map(Answer::Value)
        }
    }
}

fn error(json: &Json, secret: &str) -> Option<String> {
    json.get("error").and_then(Json::as_str).map(|words| words.replace(secret, "…"))
}

fn value(json: &Json) -> Result<Value, StoreError> {
    Ok(match json {
        Json::Null => Value::Nil,
        Json::Number(number) => {
            Value::Integer(number.as_i64().ok_or_else(|| malformed("a number that is no integer"))?)
        }
        // The one string that is not encoded. Nothing else encodes to it: it is too short.
        Json::String(text) if text == "OK" => Value::from("OK"),
        Json::String(text) => {
            Value::Bytes(STANDARD.decode(text).map_err(|_| malformed("a string not in base64"))?)
        }
        Json::Array(items) => Value::Array(items.iter().map(value).collect::<Result<_, _>>()?),
        Json::Bool(_) | Json::Object(_) => return Err(malformed("a boolean or an object")),
    })
}

/// Each byte as the character of that number.
fn characters(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

/// What must be text, unlike an argument of a script: a script is told its keys as they are.
fn text(word: &[u8]) -> Result<Cow<'_, str>, StoreError> {
    let message = "a key is not UTF-8, so it cannot be sent as JSON";
    let refused = |_| rejected(RejectionKind::Other, message.into());
    str::from_utf8(word).map(Cow::from).map_err(refused)
}

#[cfg(test)]
mod tests {
    use leasehold_core::redis;

    use super::*;

    fn ok(body: &str) -> Result<Value, StoreError> {
        match answer(StatusCode::OK, body.as_bytes(), "secret")? {
            Answer::Value(value) => Ok(value),
            Answer::NoScript => panic!("{body}"),
        }
    }

    fn all(body: &str, count: usize) -> Result<Vec<Result<Answer, StoreError>>, StoreError> {
        answers(StatusCode::OK, body.as_bytes(), count, "secret")
    }

    fn invocation(keys: &[&[u8]], args: &[&[u8]]) -> Invocation {
        let owned = |words: &[&[u8]]| words.iter().map(|word| word.to_vec()).collect();
        Invocation { script: redis::SCRIPTS[0], keys: owned(keys), args: owned(args) }
    }

    fn words(line: &str) -> Vec<String> {
        serde_json::from_str(line).unwrap()
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
        assert_eq!(ok(r#"{"result":["OK"]}"#), Ok(Value::Array(vec![Value::from("OK")])));
        assert_eq!(ok(r#"{"result":"T0s="}"#), Ok(Value::from("OK")));
        let plain = ok(r#"{"result":"PONG!"}"#);
        assert!(matches!(plain, Err(StoreError::Unknown(Cause::Malformed(_)))), "{plain:?}");
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
        assert!(matches!(reply, Err(StoreError::Rejected(_))), "{reply:?}");
    }

    #[test]
    fn a_full_database_is_out_of_memory() {
        let full = r#"{"error":"ERR DB capacity quota exceeded. Threshold: 1 bytes, Usage: 2"}"#;
        match ok(full) {
            Err(StoreError::Rejected(refused)) => {
                assert_eq!(refused.kind, RejectionKind::OutOfMemory);
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn each_slot_of_a_pipeline_has_its_own_answer() {
        let slots = all(r#"[{"result":1},{"error":"NOSCRIPT x"},{"error":"OOM x"},{}]"#, 4);
        let slots = slots.unwrap();
        assert_eq!(slots[0], Ok(Answer::Value(Value::Integer(1))));
        assert_eq!(slots[1], Ok(Answer::NoScript));
        assert!(matches!(slots[2], Err(StoreError::Rejected(_))));
        assert!(matches!(slots[3], Err(StoreError::Unknown(_))));
    }

    #[test]
    fn a_pipeline_with_too_few_or_too_many_answers_has_none() {
        for body in [r#"[{"result":1}]"#, r#"[{"result":1},{"result":1},{"result":1}]"#, "{}", "1"]
        {
            assert!(matches!(all(body, 2), Err(StoreError::Unknown(_))), "{body}");
        }
        assert!(matches!(all(r#"{"error":"ERR failed"}"#, 2), Err(StoreError::Rejected(_))));
    }

    #[test]
    fn text_is_sent_as_it_is() {
        let invocation = invocation(&[b"k"], &["jö\"".as_bytes(), b"1"]);
        let script = invocation.script;
        let hash = words(&run(Form::Hash, &invocation).unwrap());
        assert_eq!(hash, ["EVALSHA", script.sha1, "1", "k", "jö\"", "1"]);
        assert_eq!(words(&run(Form::Text, &invocation).unwrap())[..2], ["EVAL", script.text]);
    }

    #[test]
    fn bytes_are_sent_as_characters_and_made_bytes_again() {
        let invocation = invocation(&["ö".as_bytes()], &[&[0, 0x7f, 0x80, 0xff], "ö".as_bytes()]);
        let sent = words(&run(Form::Hash, &invocation).unwrap());
        assert_eq!(sent[0], "EVAL");
        assert_eq!(sent[1].strip_prefix(BYTES_FROM_TEXT), Some(invocation.script.text));
        assert_eq!(sent[2..], ["1", "ö", "\0\x7f\u{80}\u{ff}", "\u{c3}\u{b6}"]);
    }

    #[test]
    fn a_key_that_json_cannot_carry_is_refused_before_it_is_sent() {
        let refused = run(Form::Hash, &invocation(&[&[0xff]], &[]));
        assert!(matches!(refused, Err(StoreError::Rejected(_))));
    }

    #[test]
    fn a_pipeline_is_a_list_of_lines() {
        assert_eq!(pipeline(["[1]", "[2]"]), "[[1],[2]]");
    }
}
