//! Some members: drawn, or in pages.

use bytes::Bytes;

use super::{
    super::{draw, scan},
    Answer, Call, Resp, Score, SortedSet, listed,
};
use crate::number::double;

pub(super) fn zrandmember(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let asked = arguments.get(2);
    let asked = asked.map(|number| draw::options(number, &arguments[3..], "WITHSCORES"));
    let asked = asked.transpose()?;
    let Some(set) = call.read::<SortedSet>(&arguments[1])? else {
        return Ok(asked.map_or(Resp::Nil, |_| Resp::Array(Vec::new())));
    };
    let members: Vec<_> = set.iter().map(|(score, name)| (score, name.clone())).collect();
    let (number, with_scores) = asked.unwrap_or((1, false));
    let places = draw::places(&mut call.redis.random, number, members.len())?;
    draw::check_bytes(places.iter().map(|place| members[*place].1.len()))?;
    let mut drawn = places.into_iter().map(|place| members[place].clone());
    Ok(match asked {
        Some(_) => listed(drawn, with_scores),
        None => drawn.next().map(|(_, name)| name).into(),
    })
}

pub(super) fn zscan(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let cursor = scan::cursor(&arguments[2])?;
    let Some(set) = call.read::<SortedSet>(&arguments[1])? else {
        return Ok(scan::reply(0, Vec::new()));
    };
    let options = scan::Scan::parse(&arguments[3..], false)?;
    let show = |name: &Bytes, score: Score| {
        vec![Resp::Bulk(name.clone()), Resp::Bulk(double(score.get()))]
    };
    let members = set.iter().map(|(score, name)| (name, score));
    Ok(options.page(cursor, call.redis.limits().sorted_set(set), members, show))
}
