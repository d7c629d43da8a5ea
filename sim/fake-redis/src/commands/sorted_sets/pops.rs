//! Removing the members with the lowest or highest scores, and waiting for some.

use bytes::Bytes;

use super::{
    super::lists::{counted_keys, keys_and_timeout, parse_many},
    Answer, Call, Refusal, Resp, Score, SortedSet, integer, listed, score, word,
};
use crate::command::{Wait, seconds};

/// Which end of the set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Min,
    Max,
}

impl End {
    fn parse(argument: &[u8]) -> Result<Self, Refusal> {
        match &*word(argument) {
            b"MIN" => Ok(Self::Min),
            b"MAX" => Ok(Self::Max),
            _ => Err(Refusal::SYNTAX),
        }
    }

    /// Removes up to `number` members.
    fn pop(
        self,
        call: &mut Call<'_>,
        key: &Bytes,
        number: usize,
    ) -> Result<Vec<(Score, Bytes)>, Refusal> {
        if number == 0 || call.read::<SortedSet>(key)?.is_none() {
            return Ok(Vec::new());
        }
        call.change(key, |set: &mut SortedSet| {
            let number = number.min(set.len());
            (0..number).filter_map(|_| set.pop(self == Self::Min)).collect()
        })
    }
}

pub(super) fn pop(call: &mut Call<'_>, arguments: &[Bytes], end: End) -> Answer {
    match &arguments[2..] {
        [] => {
            let found = end.pop(call, &arguments[1], 1)?;
            let flat =
                found.into_iter().flat_map(|(number, name)| [Resp::Bulk(name), score(number)]);
            Ok(Resp::Array(flat.collect()))
        }
        [number] => {
            let number = integer(number).ok().and_then(|number| usize::try_from(number).ok());
            let number = number.ok_or(Refusal::OUT_OF_RANGE)?;
            call.read::<SortedSet>(&arguments[1])?;
            Ok(listed(end.pop(call, &arguments[1], number)?.into_iter(), true))
        }
        _ => Err(Refusal::SYNTAX),
    }
}

pub(super) fn zmpop(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    pop_many(call, parse_many(&arguments[1..], End::parse)?)
}

pub(super) fn bzmpop(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let parsed = parse_many(&arguments[2..], End::parse)?;
    seconds(&arguments[1])?;
    pop_many(call, parsed)
}

fn pop_many(call: &mut Call<'_>, (keys, end, number): (&[Bytes], End, usize)) -> Answer {
    for key in keys {
        let found = end.pop(call, key, number)?;
        if !found.is_empty() {
            let pair = |(number, name)| Resp::Array(vec![Resp::Bulk(name), score(number)]);
            let members = Resp::Array(found.into_iter().map(pair).collect());
            return Ok(Resp::Array(vec![Resp::Bulk(key.clone()), members]));
        }
    }
    Ok(Resp::NilArray)
}

pub(super) fn pop_one(call: &mut Call<'_>, arguments: &[Bytes], end: End) -> Answer {
    let (keys, timeout) = keys_and_timeout(arguments);
    seconds(timeout)?;
    for key in keys {
        if let Some((number, name)) = end.pop(call, key, 1)?.pop() {
            let words = vec![Resp::Bulk(key.clone()), Resp::Bulk(name), score(number)];
            return Ok(Resp::Array(words));
        }
    }
    Ok(Resp::NilArray)
}

/// What `BZPOPMIN` and `BZPOPMAX` wait for.
pub(super) fn of_keys(_call: &mut Call<'_>, arguments: &[Bytes]) -> Option<Wait> {
    let (keys, timeout) = keys_and_timeout(arguments);
    Wait::new("zset", keys, seconds(timeout).ok()?, arguments)
}

/// What `BZMPOP` waits for.
pub(super) fn of_counted(_call: &mut Call<'_>, arguments: &[Bytes]) -> Option<Wait> {
    let (keys, _) = counted_keys(&arguments[2..]).ok()?;
    Wait::new("zset", keys, seconds(&arguments[1]).ok()?, arguments)
}
