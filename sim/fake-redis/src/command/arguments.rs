//! Reading arguments, and keeping them.

use std::ops::Deref;

use bytes::Bytes;

use super::Refusal;

/// An argument to be stored: a copy. What was received may be a piece of a large buffer, which it
/// would keep alive.
pub(crate) fn owned(argument: &[u8]) -> Bytes {
    Bytes::copy_from_slice(argument)
}

/// The name of an option in upper case.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Word {
    bytes: [u8; 16],
    length: usize,
}

/// An argument as the name of an option; empty if it is too long to be one.
pub(crate) fn word(argument: &[u8]) -> Word {
    let mut word = Word { bytes: [0; 16], length: 0 };
    if let Some(bytes) = word.bytes.get_mut(..argument.len()) {
        bytes.copy_from_slice(argument);
        bytes.make_ascii_uppercase();
        word.length = argument.len();
    }
    word
}

impl Deref for Word {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

/// An integer as Redis reads it: decimal, no sign but `-`, no space, no leading zero.
pub(crate) fn integer(text: &[u8]) -> Result<i64, Refusal> {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    let canonical = match digits {
        [b'0'] => digits.len() == text.len(),
        [b'1'..=b'9', ..] => digits.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    let parsed =
        std::str::from_utf8(text).ok().filter(|_| canonical).and_then(|text| text.parse().ok());
    parsed.ok_or(Refusal::NOT_AN_INTEGER)
}

/// An integer as Redis reads it where it keeps 32 bits.
pub(crate) fn integer_of_32_bits(text: &[u8]) -> Result<i32, Refusal> {
    i32::try_from(integer(text)?).map_err(|_| {
        let text = "ERR value is out of range, value must between -2147483648 and 2147483647";
        Refusal(text.into())
    })
}

/// `number` in decimal.
pub(crate) fn decimal(number: i64) -> Bytes {
    number.to_string().into()
}

/// A floating-point number as C reads it, but for hexadecimal ones; never not-a-number.
pub(crate) fn float(text: &[u8]) -> Result<f64, Refusal> {
    let text = std::str::from_utf8(text).map_err(|_| Refusal::NOT_A_FLOAT)?;
    let number: f64 = text.parse().map_err(|_| Refusal::NOT_A_FLOAT)?;
    let digits = text.bytes().any(|byte| byte.is_ascii_digit());
    let nonzero =
        text.split(['e', 'E']).next().unwrap_or_default().contains(|c| matches!(c, '1'..='9'));
    // Too large or too small for the type is an error, an infinity by name is not.
    let out_of_range = number.is_infinite() && digits || number == 0.0 && nonzero;
    if number.is_nan() || out_of_range { Err(Refusal::NOT_A_FLOAT) } else { Ok(number) }
}

/// The time to wait of a blocking command, in seconds: what it is in milliseconds, rounded up;
/// `None` for 0, which is for ever.
pub(crate) fn seconds(text: &[u8]) -> Result<Option<u64>, Refusal> {
    let refused = |text: &'static str| Refusal(text.into());
    let number = float(text).map_err(|_| refused("ERR timeout is not a float or out of range"))?;
    let millis = (number * 1_000.0).ceil();
    // What does not fit an integer wraps to the least one in Redis.
    if number < 0.0 || millis >= i64::MAX as f64 {
        return Err(refused("ERR timeout is negative"));
    }
    Ok((millis > 0.0).then_some(millis as u64))
}
