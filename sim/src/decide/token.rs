//! Decisions as text that fits on a command line: numbers, a checksum, base64.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};

use super::{Address, DecisionKind, Decisions};

/// Why a text is no token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenError {
    /// It does not begin as one does.
    NotAToken,
    /// It was damaged or cut off on the way.
    Damaged,
}

/// The token that begins with `prefix` and says `bytes`.
pub(crate) fn seal(prefix: &str, mut bytes: Vec<u8>) -> String {
    bytes.extend(crc32fast::hash(&bytes).to_be_bytes());
    format!("{prefix}{}", BASE64_URL_SAFE_NO_PAD.encode(bytes))
}

/// What a token says that begins with `prefix`.
pub(crate) fn open(prefix: &str, token: &str) -> Result<Vec<u8>, TokenError> {
    let body = token.trim().strip_prefix(prefix).ok_or(TokenError::NotAToken)?;
    let mut bytes = BASE64_URL_SAFE_NO_PAD.decode(body).map_err(|_| TokenError::Damaged)?;
    let (said, sum) = bytes.split_last_chunk::<4>().ok_or(TokenError::Damaged)?;
    if crc32fast::hash(said).to_be_bytes() != *sum {
        return Err(TokenError::Damaged);
    }
    bytes.truncate(bytes.len() - 4);
    Ok(bytes)
}

/// Adds `decisions`, which must come last.
pub(crate) fn push_decisions(bytes: &mut Vec<u8>, decisions: &Decisions) {
    for (address, &choice) in decisions {
        bytes.extend([address.kind as u8, address.actor]);
        push_number(bytes, address.occurrence);
        push_number(bytes, choice);
    }
}

/// The decisions that are all of `bytes`.
pub(crate) fn take_decisions(mut bytes: &[u8]) -> Option<Decisions> {
    let mut decisions = Decisions::new();
    while let Some((&[kind, actor], rest)) = bytes.split_first_chunk::<2>() {
        bytes = rest;
        let kind = DecisionKind::from_number(kind)?;
        let occurrence = take_number(&mut bytes)?;
        decisions.insert(Address { kind, actor, occurrence }, take_number(&mut bytes)?);
    }
    bytes.is_empty().then_some(decisions)
}

/// Adds a number, seven bits at a time, the least first; the high bit says that more follow (LEB128).
pub(crate) fn push_number(bytes: &mut Vec<u8>, mut number: u32) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

/// Takes a number from the front.
pub(crate) fn take_number(bytes: &mut &[u8]) -> Option<u32> {
    let mut number = 0;
    for shift in (0..35).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u32::from(byte & 0x7f).checked_shl(shift)?;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}
