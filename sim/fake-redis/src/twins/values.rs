//! What twins of every family read and write.

use bytes::Bytes;

use super::super::{Entry, Keyspace, Value};

/// Below it, every whole number is exact in Lua, whose numbers are floating-point.
pub(super) const EXACT: u64 = 1 << 53;

/// The string under `key`, if any; declines (the outer `None`) if it is of another type.
#[expect(clippy::option_option, reason = "the outer one declines, the inner one is an absent key")]
pub(super) fn string<'a>(
    keys: &'a Keyspace,
    now_ms: u64,
    key: &str,
) -> Option<Option<(&'a Bytes, &'a Entry)>> {
    match keys.peek(now_ms, key.as_bytes()) {
        None => Some(None),
        Some(entry) => match &entry.value {
            Value::String(text) => Some(Some((text, entry))),
            _ => None,
        },
    }
}

/// `SET key text PX …` for a key that is nearly always there: no new name is made then.
pub(super) fn store(keys: &mut Keyspace, now_ms: u64, key: &str, text: Bytes, until_ms: u64) {
    let mut entry = Some(Entry { value: Value::String(text), expires_at_ms: Some(until_ms) });
    let stored = keys.modify(now_ms, key.as_bytes(), |old| {
        if let Some(new) = entry.take() {
            *old = new;
        }
    });
    if stored.is_none() {
        keys.set_entry(Bytes::copy_from_slice(key.as_bytes()), entry);
    }
}

/// `number` in decimal, without the machinery of `format!`.
pub(super) fn decimal(mut number: u64) -> Bytes {
    let mut digits = [0; 20];
    let mut start = digits.len();
    loop {
        start -= 1;
        digits[start] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            return Bytes::copy_from_slice(&digits[start..]);
        }
    }
}
