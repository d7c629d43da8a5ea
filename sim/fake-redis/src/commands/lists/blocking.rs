//! Popping from the first of several lists that has an item, and waiting for one.

use bytes::Bytes;

use super::{
    super::super::{
        Resp,
        command::{Wait, seconds},
    },
    Answer, Call, End, List, Refusal, integer, word,
};

pub(super) fn pop_one(call: &mut Call<'_>, arguments: &[Bytes], end: End) -> Answer {
    let (keys, timeout) = keys_and_timeout(arguments);
    seconds(timeout)?;
    for key in keys {
        if call.read::<List>(key)?.is_some() {
            let item = call.change(key, |list| end.pop(list))?;
            return Ok(Resp::Array(vec![Resp::Bulk(key.clone()), item.into()]));
        }
    }
    Ok(Resp::NilArray)
}

/// Of `BLPOP` and the like: the keys, and behind them how long to wait.
pub(in super::super) fn keys_and_timeout(arguments: &[Bytes]) -> (&[Bytes], &Bytes) {
    let last = arguments.len() - 1;
    (&arguments[1..last], &arguments[last])
}

pub(super) fn lmpop(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    pop_many(call, parse_many(&arguments[1..], End::parse)?)
}

pub(super) fn blmpop(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let parsed = parse_many(&arguments[2..], End::parse)?;
    seconds(&arguments[1])?;
    pop_many(call, parsed)
}

/// Of `LMPOP` and `ZMPOP`: the keys, the end and how many at most. `arguments` begins with the number
/// of keys.
pub(in super::super) fn parse_many<E>(
    arguments: &[Bytes],
    end_of: fn(&[u8]) -> Result<E, Refusal>,
) -> Result<(&[Bytes], E, usize), Refusal> {
    let (keys, rest) = counted_keys(arguments)?;
    let [end, options @ ..] = rest else { return Err(Refusal::SYNTAX) };
    Ok((keys, end_of(end)?, pop_count(options)?))
}

fn pop_many(call: &mut Call<'_>, (keys, end, number): (&[Bytes], End, usize)) -> Answer {
    for key in keys {
        if call.read::<List>(key)?.is_some() {
            let items = call.change(key, |list| end.pop_many(list, number))?;
            return Ok(Resp::Array(vec![Resp::Bulk(key.clone()), items]));
        }
    }
    Ok(Resp::NilArray)
}

/// The keys behind their number, and what follows them: of `LMPOP` and `ZMPOP`.
pub(in super::super) fn counted_keys(arguments: &[Bytes]) -> Result<(&[Bytes], &[Bytes]), Refusal> {
    let number = integer(&arguments[0]).ok().and_then(|number| usize::try_from(number).ok());
    let number = number
        .filter(|number| *number > 0)
        .ok_or_else(|| Refusal("ERR numkeys should be greater than 0".into()))?;
    arguments[1..].split_at_checked(number).ok_or(Refusal::SYNTAX)
}

/// `COUNT n`, or nothing.
fn pop_count(options: &[Bytes]) -> Result<usize, Refusal> {
    match options {
        [] => Ok(1),
        [name, number, rest @ ..] if &*word(name) == b"COUNT" => {
            let number = integer(number).ok().and_then(|number| usize::try_from(number).ok());
            let number = number
                .filter(|number| *number > 0)
                .ok_or_else(|| Refusal("ERR count should be greater than 0".into()))?;
            if rest.is_empty() { Ok(number) } else { Err(Refusal::SYNTAX) }
        }
        _ => Err(Refusal::SYNTAX),
    }
}

/// What `BLPOP` and `BRPOP` wait for.
pub(super) fn of_keys(_call: &mut Call<'_>, arguments: &[Bytes]) -> Option<Wait> {
    let (keys, timeout) = keys_and_timeout(arguments);
    Wait::new("list", keys, seconds(timeout).ok()?, arguments)
}

/// What `BLMOVE` and `BRPOPLPUSH` wait for.
pub(super) fn of_source(_call: &mut Call<'_>, arguments: &[Bytes]) -> Option<Wait> {
    let (_, timeout) = keys_and_timeout(arguments);
    Wait::new("list", &arguments[1..2], seconds(timeout).ok()?, arguments)
}

/// What `BLMPOP` waits for.
pub(super) fn of_counted(_call: &mut Call<'_>, arguments: &[Bytes]) -> Option<Wait> {
    let (keys, _) = counted_keys(&arguments[2..]).ok()?;
    Wait::new("list", keys, seconds(&arguments[1]).ok()?, arguments)
}
