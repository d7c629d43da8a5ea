//! What may be written for a setting.

use std::{borrow::Cow, fmt::Display};

use bytes::Bytes;

use super::super::super::{command::integer, service::Classes};

/// The type of a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// One of these words.
    Choice(&'static [&'static str]),
    /// Classes of events, by their letters.
    Events,
    /// Never changed.
    Fixed,
    /// Bytes, perhaps with a unit, from the first to the second.
    Memory(u64, u64),
    /// Bytes, or a part of them in percent.
    MemoryOrPercent,
    /// An integer from the first to the second.
    Number(i64, i64),
    /// Secret: it is not stored with the others.
    Password,
    /// Never changed, since it would be dangerous.
    Protected,
    Text,
    YesNo,
}

impl Kind {
    /// The value as it is stored and told, or what is wrong with it.
    pub(super) fn read(self, text: &Bytes) -> Result<Bytes, Cow<'static, str>> {
        match self {
            Self::Choice(words) => {
                let word = words.iter().find(|word| word.as_bytes().eq_ignore_ascii_case(text));
                word.map(|word| Bytes::from(*word)).ok_or_else(|| {
                    let words = words.join(", ");
                    format!("argument(s) must be one of the following: {words}").into()
                })
            }
            Self::Events => {
                let wrong = "Invalid event class character. Use 'Ag$lshzxeKEtmdn'.";
                Classes::parse(text).map(|it| it.text().into()).ok_or_else(|| wrong.into())
            }
            Self::Fixed => Err("can't set immutable config".into()),
            Self::Protected => Err("can't set protected config".into()),
            Self::Memory(least, most) => match memory(text) {
                Some(bytes) if (least..=most).contains(&bytes) => Ok(bytes.to_string().into()),
                Some(_) => Err(not_between(least, most)),
                None => Err("argument must be a memory value".into()),
            },
            Self::MemoryOrPercent => match text.strip_suffix(b"%") {
                Some(percent) if integer(percent).is_ok_and(|it| (0..=100).contains(&it)) => {
                    Ok(text.clone())
                }
                _ => memory(text)
                    .map(|bytes| bytes.to_string().into())
                    .ok_or_else(|| "argument must be a memory or percent value".into()),
            },
            Self::Number(least, most) => match integer(text) {
                Ok(number) if (least..=most).contains(&number) => Ok(text.clone()),
                Ok(_) => Err(not_between(least, most)),
                Err(_) => Err("argument couldn't be parsed into an integer".into()),
            },
            Self::Password | Self::Text => Ok(text.clone()),
            Self::YesNo => match text.to_ascii_lowercase().as_slice() {
                b"yes" => Ok(Bytes::from_static(b"yes")),
                b"no" => Ok(Bytes::from_static(b"no")),
                _ => Err("argument must be 'yes' or 'no'".into()),
            },
        }
    }
}

/// What is kept of a value that is taken: two settings have narrower bounds than they say.
pub(super) fn kept(name: &str, value: Bytes) -> Bytes {
    let (least, most) = match name {
        "hz" => (1, 500),
        "repl-backlog-size" => (16_384, i64::MAX),
        _ => return value,
    };
    integer(&value).map_or(value, |number| number.clamp(least, most).to_string().into())
}

fn not_between(least: impl Display, most: impl Display) -> Cow<'static, str> {
    format!("argument must be between {least} and {most} inclusive").into()
}

/// A number of bytes, such as `100mb`. No digits are 0, too many the greatest number there is, and
/// what is too large with its unit wraps, as in C.
fn memory(text: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(text).ok()?.to_ascii_lowercase();
    let end = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    let (digits, unit) = text.split_at(end);
    let factor = match unit {
        "" | "b" => 1,
        "k" => 1_000,
        "kb" => 1 << 10,
        "m" => 1_000_000,
        "mb" => 1 << 20,
        "g" => 1_000_000_000,
        "gb" => 1 << 30,
        _ => return None,
    };
    let number = if digits.is_empty() { 0 } else { digits.parse::<u64>().unwrap_or(u64::MAX) };
    Some(number.wrapping_mul(factor))
}
