//! Listing, counting, storing and removing the members of a range.

use bytes::Bytes;

use super::{Answer, Call, Refusal, Score, SortedSet, bounds::Range, count, integer, listed, word};
use crate::command::Collection;

/// What `ZRANGE` and its like are asked for.
#[derive(Debug)]
struct Query {
    range: Range,
    reversed: bool,
    offset: i64,
    limit: Option<usize>,
    with_scores: bool,
}

/// What a range counts by, if the command's name says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    Rank,
    Score,
    Name,
}

pub(super) fn zrange(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    list(call, &arguments[1], Query::parse(&arguments[2..], None, false, false)?)
}

pub(super) fn zrevrange(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    list(call, &arguments[1], Query::parse(&arguments[2..], Some(By::Rank), true, false)?)
}

pub(super) fn zrangebyscore(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    list(call, &arguments[1], Query::parse(&arguments[2..], Some(By::Score), false, false)?)
}

pub(super) fn zrevrangebyscore(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    list(call, &arguments[1], Query::parse(&arguments[2..], Some(By::Score), true, false)?)
}

pub(super) fn zrangebylex(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    list(call, &arguments[1], Query::parse(&arguments[2..], Some(By::Name), false, false)?)
}

pub(super) fn zrevrangebylex(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    list(call, &arguments[1], Query::parse(&arguments[2..], Some(By::Name), true, false)?)
}

pub(super) fn zrangestore(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let query = Query::parse(&arguments[3..], None, false, true)?;
    let found = query.find(call, &arguments[2])?;
    store(call, &arguments[1], found)
}

/// Stores members under a key, whatever was there.
pub(super) fn store(
    call: &mut Call<'_>,
    key: &Bytes,
    members: impl IntoIterator<Item = (Score, Bytes)>,
) -> Answer {
    let mut set = SortedSet::default();
    for (number, name) in members {
        set.insert(&name, number);
    }
    let length = set.len();
    let entry = crate::Entry { value: set.into_value(), expires_at_ms: None };
    call.keys().set_entry(key.clone(), (length > 0).then_some(entry));
    Ok(count(length))
}

pub(super) fn zcount(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    count_in(call, &arguments[1], &Range::scores(&arguments[2], &arguments[3])?)
}

pub(super) fn zlexcount(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    count_in(call, &arguments[1], &Range::names(&arguments[2], &arguments[3])?)
}

fn count_in(call: &Call<'_>, key: &Bytes, range: &Range) -> Answer {
    let set = call.read::<SortedSet>(key)?;
    Ok(count(set.map_or(0, |set| range.of(set, false, 0, None).len())))
}

pub(super) fn zremrangebyrank(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let range = Range::Ranks(integer(&arguments[2])?, integer(&arguments[3])?);
    remove_in(call, &arguments[1], &range)
}

pub(super) fn zremrangebyscore(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    remove_in(call, &arguments[1], &Range::scores(&arguments[2], &arguments[3])?)
}

pub(super) fn zremrangebylex(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    remove_in(call, &arguments[1], &Range::names(&arguments[2], &arguments[3])?)
}

fn remove_in(call: &mut Call<'_>, key: &Bytes, range: &Range) -> Answer {
    let Some(set) = call.read::<SortedSet>(key)? else { return Ok(count(0)) };
    let found = range.of(set, false, 0, None);
    if !found.is_empty() {
        call.change(key, |set: &mut SortedSet| {
            found.iter().for_each(|(_, name)| {
                set.remove(name);
            });
        })?;
    }
    Ok(count(found.len()))
}

fn list(call: &Call<'_>, key: &Bytes, query: Query) -> Answer {
    let found = query.find(call, key)?;
    Ok(listed(found.into_iter(), query.with_scores))
}

impl Query {
    /// `arguments` begins with the ends of the range. A command whose name says by what it ranges
    /// takes fewer options, and so does one that `stores`.
    fn parse(
        arguments: &[Bytes],
        by: Option<By>,
        reversed: bool,
        stores: bool,
    ) -> Result<Self, Refusal> {
        let (first, second) = (&arguments[0], &arguments[1]);
        let (any, mut by, mut reversed) = (by.is_none(), by, reversed);
        let (mut with_scores, mut limit) = (false, None);
        let mut rest = &arguments[2..];
        while let [option, behind @ ..] = rest {
            rest = behind;
            match (&*word(option), behind) {
                (b"WITHSCORES", _) if !stores => with_scores = true,
                (b"LIMIT", [offset, length, behind @ ..]) => {
                    rest = behind;
                    limit = Some((integer(offset)?, integer(length)?));
                }
                (b"REV", _) if any && !reversed => reversed = true,
                (b"BYLEX", _) if by.is_none() => by = Some(By::Name),
                (b"BYSCORE", _) if by.is_none() => by = Some(By::Score),
                _ => return Err(Refusal::SYNTAX),
            }
        }
        let by = by.unwrap_or(By::Rank);
        let limit = limit.filter(|(_, length)| by != By::Rank || *length != -1);
        check_combination(by, with_scores, limit.is_some())?;
        let (min, max) = if reversed { (second, first) } else { (first, second) };
        let range = match by {
            By::Rank => Range::Ranks(integer(first)?, integer(second)?),
            By::Score => Range::scores(min, max)?,
            By::Name => Range::names(min, max)?,
        };
        let (offset, length) = limit.unwrap_or((0, -1));
        Ok(Self { range, reversed, offset, limit: usize::try_from(length).ok(), with_scores })
    }

    fn find(&self, call: &Call<'_>, key: &[u8]) -> Result<Vec<(Score, Bytes)>, Refusal> {
        let set = call.read::<SortedSet>(key)?;
        let find = |set| self.range.of(set, self.reversed, self.offset, self.limit);
        Ok(set.map(find).unwrap_or_default())
    }
}

fn check_combination(by: By, with_scores: bool, limited: bool) -> Result<(), Refusal> {
    if limited && by == By::Rank {
        return Err(Refusal(
            "ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX"
                .into(),
        ));
    }
    if with_scores && by == By::Name {
        return Err(Refusal(
            "ERR syntax error, WITHSCORES not supported in combination with BYLEX".into(),
        ));
    }
    Ok(())
}
