//! The arguments of a command out of JSON.

use bytes::Bytes;
use memchr::memchr;
use serde::{Deserialize, de::Error as _};
use serde_json::value::RawValue;

use super::refusal::Refusal;

/// The arguments in a JSON array, beginning with the command's name.
pub(super) fn command(body: &[u8]) -> Result<Vec<Bytes>, Refusal> {
    match first_byte(body) {
        None => Err(Refusal::NO_BODY),
        Some(b'[') => {
            let elements: Vec<&RawValue> = read(body).map_err(|_| Refusal::NO_JSON)?;
            if elements.is_empty() {
                return Err(Refusal::NO_COMMAND);
            }
            arguments(&elements)
        }
        Some(_) => Err(Refusal::NOT_AN_ARRAY),
    }
}

/// The commands in a JSON array of arrays.
pub(super) fn commands(body: &[u8]) -> Result<Vec<Vec<Bytes>>, Refusal> {
    let lines: Vec<Vec<&RawValue>> = read(body).map_err(|_| Refusal::NO_PIPELINE)?;
    if lines.is_empty() {
        return Err(Refusal::EMPTY_PIPELINE);
    }
    let line = |elements: &Vec<&RawValue>| match &elements[..] {
        [] => Err(Refusal::EMPTY_PIPELINE_COMMAND),
        elements => arguments(elements),
    };
    lines.iter().map(line).collect()
}

fn read<'de, T: Deserialize<'de>>(json: &'de [u8]) -> serde_json::Result<T> {
    // It is text or it is no JSON: a raw value is not looked into.
    let text = std::str::from_utf8(json).map_err(serde_json::Error::custom)?;
    serde_json::from_str(text)
}

fn arguments(elements: &[&RawValue]) -> Result<Vec<Bytes>, Refusal> {
    elements.iter().map(|element| argument(element.get())).collect()
}

/// Text as it is, a number as it is written, a boolean as a word.
fn argument(json: &str) -> Result<Bytes, Refusal> {
    match json.as_bytes() {
        // Without an escape it stands there as it is.
        [b'"', text @ .., b'"'] if memchr(b'\\', text).is_none() => {
            Ok(Bytes::copy_from_slice(text))
        }
        [b'"', ..] => {
            let text: String = serde_json::from_str(json).map_err(|_| Refusal::NO_JSON)?;
            Ok(text.into())
        }
        [b'n', ..] => Err(Refusal::NULL),
        [delimiter @ (b'[' | b'{'), ..] => Err(Refusal::nested((*delimiter).into())),
        word => Ok(Bytes::copy_from_slice(word)),
    }
}

fn first_byte(body: &[u8]) -> Option<u8> {
    body.iter().copied().find(|byte| !byte.is_ascii_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[&str]) -> Vec<Bytes> {
        words.iter().map(|word| Bytes::from((*word).to_owned())).collect()
    }

    #[test]
    fn text_numbers_and_booleans_are_arguments() {
        let body = br#" ["SET", "k\u00e9y", "a\"b", 100, -1.50, 1e3, 9007199254740993, true] "#;
        let expected = ["SET", "kéy", "a\"b", "100", "-1.50", "1e3", "9007199254740993", "true"];
        assert_eq!(command(body), Ok(words(&expected)));
    }

    #[test]
    fn each_wrong_body_has_its_own_text() {
        let wrong: [(&[u8], Refusal); 10] = [
            (b"", Refusal::NO_BODY),
            (b" \n", Refusal::NO_BODY),
            (b"{\"a\": 1}", Refusal::NOT_AN_ARRAY),
            (b"GET key", Refusal::NOT_AN_ARRAY),
            (b"[]", Refusal::NO_COMMAND),
            (b"[\"GET\"", Refusal::NO_JSON),
            (b"[\"GET\", \"\xff\"]", Refusal::NO_JSON),
            (b"[\"GET\", null]", Refusal::NULL),
            (b"[[\"GET\", \"a\"]]", Refusal::nested('[')),
            (b"[\"GET\", {}]", Refusal::nested('{')),
        ];
        for (body, refusal) in wrong {
            assert_eq!(command(body), Err(refusal), "{}", String::from_utf8_lossy(body));
        }
    }

    #[test]
    fn deep_nesting_is_refused() {
        let deep = [b"[".repeat(1_000_000), b"]".repeat(1_000_000)].concat();
        assert!(command(&deep).is_err());
        assert!(commands(&deep).is_err());
    }

    #[test]
    fn a_pipeline_is_a_list_of_commands() {
        let body = br#"[["SET", "a", 1], ["GET", "a"]]"#;
        assert_eq!(commands(body), Ok(vec![words(&["SET", "a", "1"]), words(&["GET", "a"])]));
        assert_eq!(commands(b"[]"), Err(Refusal::EMPTY_PIPELINE));
        assert_eq!(commands(b"[[]]"), Err(Refusal::EMPTY_PIPELINE_COMMAND));
        // That it is a list of lists comes first.
        for wrong in ["", "{}", r#"["GET", "a"]"#, r#"[["GET"], 5]"#, "[[], 5]", "[[null], 5]"] {
            assert_eq!(commands(wrong.as_bytes()), Err(Refusal::NO_PIPELINE), "{wrong}");
        }
        assert_eq!(commands(br#"[["GET", null]]"#), Err(Refusal::NULL));
        assert_eq!(commands(br#"[["GET", "\ud800"]]"#), Err(Refusal::NO_JSON));
    }
}
