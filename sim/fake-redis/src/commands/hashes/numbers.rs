//! Numbers in fields.

use bytes::Bytes;

use super::{Answer, Call, Fields, Refusal, Resp, decimal, integer};
use crate::number::Extended;

pub(super) fn hincr_by(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let by = integer(&arguments[3])?;
    let field = call.read::<Fields>(&arguments[1])?.and_then(|fields| fields.get(&arguments[2]));
    let old = field.map_or(Ok(0), |text| integer(text));
    let old = old.map_err(|_| Refusal("ERR hash value is not an integer".into()))?;
    let new = old.checked_add(by).ok_or(Refusal::OVERFLOW)?;
    call.change(&arguments[1], |fields: &mut Fields| {
        fields.insert_copy(&arguments[2], &decimal(new))
    })?;
    Ok(Resp::Integer(new))
}

/// Adds in the 80 bits that Redis adds in.
pub(super) fn hincr_by_float(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let by = Extended::parse(&arguments[3]).ok_or(Refusal::NOT_A_FLOAT)?;
    if by.text().is_none() {
        return Err(Refusal("ERR value is NaN or Infinity".into()));
    }
    let field = call.read::<Fields>(&arguments[1])?.and_then(|fields| fields.get(&arguments[2]));
    let old = match field {
        Some(text) => Extended::parse(text),
        None => Some(Extended::default()),
    };
    let old = old.ok_or_else(|| Refusal("ERR hash value is not a float".into()))?;
    let new = (old + by).text();
    let new = new.ok_or_else(|| Refusal("ERR increment would produce NaN or Infinity".into()))?;
    call.change(&arguments[1], |fields: &mut Fields| fields.insert_copy(&arguments[2], &new))?;
    Ok(Resp::Bulk(new))
}
