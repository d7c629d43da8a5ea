//! When a key expires.

use bytes::Bytes;

use super::{Answer, Call, Entry, Refusal, Resp, integer, word};
use crate::resp::text_of;

pub(super) fn set_expiry(
    call: &mut Call<'_>,
    arguments: &[Bytes],
    command: &str,
    unit_ms: i64,
    relative: bool,
) -> Answer {
    let condition = Condition::parse(&arguments[3..])?;
    let number = integer(&arguments[2])?;
    let now_ms = i64::try_from(call.now_ms()).unwrap_or(i64::MAX);
    let at_ms = number
        .checked_mul(unit_ms)
        .and_then(|at_ms| at_ms.checked_add(if relative { now_ms } else { 0 }))
        .ok_or_else(|| Refusal(format!("ERR invalid expire time in '{command}' command").into()))?;
    let key = &arguments[1];
    let allowed = call.entry(key).is_some_and(|entry| condition.allows(entry, at_ms));
    if allowed {
        let now_ms = call.now_ms();
        match u64::try_from(at_ms) {
            Ok(at_ms) if at_ms > now_ms => {
                call.keys().modify(now_ms, key, |entry| entry.expires_at_ms = Some(at_ms));
            }
            // A time that has come removes the key at once.
            _ => call.keys().set_entry(key.clone(), None),
        }
    }
    Ok(allowed.into())
}

/// `NX`, `XX`, `GT` and `LT`.
#[derive(Debug, Default)]
struct Condition {
    no_expiry: bool,
    has_expiry: bool,
    greater: bool,
    less: bool,
}

impl Condition {
    fn parse(arguments: &[Bytes]) -> Result<Self, Refusal> {
        let mut condition = Self::default();
        for option in arguments {
            let flag = match &*word(option) {
                b"NX" => &mut condition.no_expiry,
                b"XX" => &mut condition.has_expiry,
                b"GT" => &mut condition.greater,
                b"LT" => &mut condition.less,
                _ => {
                    let option = text_of(option);
                    return Err(Refusal(format!("ERR Unsupported option {option}").into()));
                }
            };
            *flag = true;
        }
        let other = condition.has_expiry || condition.greater || condition.less;
        if condition.no_expiry && other {
            let text = "ERR NX and XX, GT or LT options at the same time are not compatible";
            return Err(Refusal(text.into()));
        }
        if condition.greater && condition.less {
            let text = "ERR GT and LT options at the same time are not compatible";
            return Err(Refusal(text.into()));
        }
        Ok(condition)
    }

    /// A key without an expiry counts as one that lives for ever.
    fn allows(&self, entry: &Entry, at_ms: i64) -> bool {
        let at_ms = i128::from(at_ms);
        let current = entry.expires_at_ms.map(i128::from);
        !(self.no_expiry && current.is_some()
            || self.has_expiry && current.is_none()
            || self.greater && current.is_none_or(|current| at_ms <= current)
            || self.less && current.is_some_and(|current| at_ms >= current))
    }
}

pub(super) fn persist(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let now_ms = call.now_ms();
    let expires = call.entry(&arguments[1]).is_some_and(|entry| entry.expires_at_ms.is_some());
    if expires {
        call.keys().modify(now_ms, &arguments[1], |entry| entry.expires_at_ms = None);
    }
    Ok(expires.into())
}

pub(super) fn pttl(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    Ok(Resp::Integer(time_to_live(call, &arguments[1])))
}

pub(super) fn ttl(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let millis = time_to_live(call, &arguments[1]);
    Ok(Resp::Integer(if millis < 0 { millis } else { millis.saturating_add(500) / 1_000 }))
}

/// In milliseconds; -1: never expires; -2: there is no such key.
fn time_to_live(call: &Call<'_>, key: &[u8]) -> i64 {
    let Some(entry) = call.entry(key) else { return -2 };
    let remaining = entry.remaining_ms(call.now_ms());
    remaining.map_or(-1, |millis| i64::try_from(millis).unwrap_or(i64::MAX))
}

pub(super) fn pexpire_time(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    Ok(Resp::Integer(expires_at(call, &arguments[1])))
}

pub(super) fn expire_time(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let millis = expires_at(call, &arguments[1]);
    Ok(Resp::Integer(if millis < 0 { millis } else { millis.saturating_add(500) / 1_000 }))
}

/// In milliseconds since the Unix epoch; -1: never; -2: there is no such key.
fn expires_at(call: &Call<'_>, key: &[u8]) -> i64 {
    let Some(entry) = call.entry(key) else { return -2 };
    entry.expires_at_ms.map_or(-1, |at_ms| i64::try_from(at_ms).unwrap_or(i64::MAX))
}
