//! Numbers in strings.

use bytes::Bytes;

use super::{Answer, Call, Refusal, Resp, decimal, integer, put, replace};
use crate::{Value, number::Extended};

pub(super) fn incr_by(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    add(call, &arguments[1], integer(&arguments[2])?)
}

pub(super) fn decr_by(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let by = integer(&arguments[2])?.checked_neg();
    add(call, &arguments[1], by.ok_or_else(|| Refusal("ERR decrement would overflow".into()))?)
}

/// Adds to the number under `key`, which keeps its time to live.
pub(super) fn add(call: &mut Call<'_>, key: &Bytes, by: i64) -> Answer {
    let sum = |old: i64| old.checked_add(by).ok_or(Refusal::OVERFLOW);
    let now_ms = call.now_ms();
    let added = call.keys().try_modify(now_ms, key, |entry| {
        let Value::String(text) = &mut entry.value else { return Err(Refusal::WRONG_TYPE) };
        let new = sum(integer(text)?)?;
        *text = decimal(new);
        Ok(new)
    });
    let new = match added {
        Some(new) => new?,
        None => {
            put(call, key, decimal(by), None);
            by
        }
    };
    Ok(Resp::Integer(new))
}

/// Adds in the 80 bits that Redis adds in.
pub(super) fn incr_by_float(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let key = &arguments[1];
    let old = match call.string(key)? {
        Some(text) => Extended::parse(text).ok_or(Refusal::NOT_A_FLOAT)?,
        None => Extended::default(),
    };
    let by = Extended::parse(&arguments[2]).ok_or(Refusal::NOT_A_FLOAT)?;
    let new = (old + by).text();
    let new = new.ok_or_else(|| Refusal("ERR increment would produce NaN or Infinity".into()))?;
    replace(call, key, new.clone());
    Ok(Resp::Bulk(new))
}
