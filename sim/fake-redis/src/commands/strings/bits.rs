//! Bits of strings, the highest of a byte first.

use bytes::{Bytes, BytesMut};

use super::{
    super::ranges::indexes, Answer, Call, LENGTH_LIMIT, Refusal, Resp, count, integer, replace,
    word,
};

pub(super) fn getbit(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let offset = bit_offset(&arguments[2])?;
    let text = call.string(&arguments[1])?.map_or(&[][..], |text| text);
    Ok(bit(text, offset).into())
}

pub(super) fn setbit(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let offset = bit_offset(&arguments[2])?;
    let on = match &*arguments[3] {
        b"0" => false,
        b"1" => true,
        _ => return Err(Refusal("ERR bit is not an integer or out of range".into())),
    };
    let old = call.string(&arguments[1])?.map_or(&[][..], |text| text);
    let was = bit(old, offset);
    let (place, mask) = (offset / 8, 0x80 >> (offset % 8));
    if was == on && place < old.len() {
        return Ok(was.into());
    }
    let mut text = BytesMut::from(old);
    if text.len() <= place {
        text.resize(place + 1, 0);
    }
    text[place] = if on { text[place] | mask } else { text[place] & !mask };
    replace(call, &arguments[1], text.freeze());
    Ok(was.into())
}

fn bit(text: &[u8], offset: usize) -> bool {
    text.get(offset / 8).is_some_and(|byte| byte & (0x80 >> (offset % 8)) != 0)
}

fn bit_offset(argument: &[u8]) -> Result<usize, Refusal> {
    let offset = integer(argument).ok().and_then(|offset| usize::try_from(offset).ok());
    offset
        .filter(|offset| offset / 8 < LENGTH_LIMIT)
        .ok_or_else(|| Refusal("ERR bit offset is not an integer or out of range".into()))
}

pub(super) fn bitcount(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    if call.string(&arguments[1])?.is_none() {
        return Ok(count(0));
    }
    let range = match &arguments[2..] {
        [] => None,
        [start, end] => Some((integer(start)?, integer(end)?, false)),
        [start, end, unit] => {
            let (start, end) = (integer(start)?, integer(end)?);
            if is_backwards(start, end) {
                return Ok(count(0));
            }
            Some((start, end, is_bit(unit)?))
        }
        _ => return Err(Refusal::SYNTAX),
    };
    let text = call.string(&arguments[1])?.map_or(&[][..], |text| text);
    let bits = match range {
        None => 0..text.len() * 8,
        Some((start, end, _)) if is_backwards(start, end) => 0..0,
        Some((start, end, true)) => {
            indexes(start, at_least_first(end, text.len() * 8), text.len() * 8)
        }
        Some((start, end, false)) => {
            let bytes = indexes(start, at_least_first(end, text.len()), text.len());
            bytes.start * 8..bytes.end * 8
        }
    };
    Ok(count(bits.filter(|offset| bit(text, *offset)).count()))
}

fn is_backwards(start: i64, end: i64) -> bool {
    start < 0 && end < 0 && start > end
}

/// An end before the begin stands for the first place.
fn at_least_first(end: i64, length: usize) -> i64 {
    let length = i64::try_from(length).unwrap_or(i64::MAX);
    if end < 0 { end.saturating_add(length).max(0) } else { end }
}

fn is_bit(unit: &[u8]) -> Result<bool, Refusal> {
    match &*word(unit) {
        b"BIT" => Ok(true),
        b"BYTE" => Ok(false),
        _ => Err(Refusal::SYNTAX),
    }
}

pub(super) fn bitpos(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let wanted = match integer(&arguments[2])? {
        0 => false,
        1 => true,
        _ => return Err(Refusal("ERR The bit argument must be 1 or 0.".into())),
    };
    if call.string(&arguments[1])?.is_none() {
        return Ok(Resp::Integer(if wanted { -1 } else { 0 }));
    }
    let (start, end, in_bits) = match &arguments[3..] {
        [] => (0, None, false),
        [start] => (integer(start)?, None, false),
        [start, end] => (integer(start)?, Some(integer(end)?), false),
        [start, end, unit] => {
            let (start, in_bits) = (integer(start)?, is_bit(unit)?);
            (start, Some(integer(end)?), in_bits)
        }
        _ => return Err(Refusal::SYNTAX),
    };
    let text = call.string(&arguments[1])?.map_or(&[][..], |text| text);
    let scale = if in_bits { 1 } else { 8 };
    let length = text.len() * 8 / scale;
    let range = indexes(start, at_least_first(end.unwrap_or(-1), length), length);
    let (first, behind) = (range.start * scale, range.end * scale);
    Ok(match (first..behind).find(|offset| bit(text, *offset) == wanted) {
        Some(offset) => count(offset),
        // Behind a string without an end, every bit is 0.
        None if !wanted && end.is_none() && first < behind => count(behind),
        None => Resp::Integer(-1),
    })
}
