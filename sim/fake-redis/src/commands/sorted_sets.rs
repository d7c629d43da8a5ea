//! Sorted sets.

mod add;
mod algebra;
mod bounds;
mod pops;
mod range;
mod some;
mod table;

use bytes::Bytes;

use super::super::{
    Resp, Score, SortedSet,
    command::{Answer, Call, Refusal, float, integer, word},
    number::double,
    resp::count,
};

pub(super) use table::COMMANDS;

/// A score as a reply.
fn score(score: Score) -> Resp {
    Resp::Double(double(score.get()))
}

/// Members with their scores, or without.
fn listed(members: impl Iterator<Item = (Score, Bytes)>, with_scores: bool) -> Resp {
    if with_scores {
        Resp::Pairs(members.map(|(number, name)| (Resp::Bulk(name), score(number))).collect())
    } else {
        Resp::Array(members.map(|(_, name)| Resp::Bulk(name)).collect())
    }
}

fn zcard(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    Ok(count(call.read::<SortedSet>(&arguments[1])?.map_or(0, SortedSet::len)))
}

fn zscore(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let set = call.read::<SortedSet>(&arguments[1])?;
    Ok(set.and_then(|set| set.score(&arguments[2])).map_or(Resp::Nil, score))
}

fn zmscore(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let set = call.read::<SortedSet>(&arguments[1])?;
    let of = |name: &Bytes| set.and_then(|set| set.score(name)).map_or(Resp::Nil, score);
    Ok(Resp::Array(arguments[2..].iter().map(of).collect()))
}

fn zrank(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let set = call.read::<SortedSet>(&arguments[1])?;
    Ok(set.and_then(|set| set.rank(&arguments[2])).map_or(Resp::Nil, |(rank, _)| count(rank)))
}

fn zrevrank(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let Some(set) = call.read::<SortedSet>(&arguments[1])? else { return Ok(Resp::Nil) };
    let rank = set.rank(&arguments[2]);
    Ok(rank.map_or(Resp::Nil, |(rank, _)| count(set.len() - 1 - rank)))
}

fn zrem(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let names = &arguments[2..];
    let has_any = |set: &SortedSet| names.iter().any(|name| set.score(name).is_some());
    if !call.read(&arguments[1])?.is_some_and(has_any) {
        return Ok(count(0));
    }
    let removed = call.change(&arguments[1], |set: &mut SortedSet| {
        names.iter().filter(|name| set.remove(name).is_some()).count()
    })?;
    Ok(count(removed))
}
