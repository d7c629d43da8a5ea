//! Some members: drawn, or in pages.

use bytes::Bytes;

use super::{
    super::{draw, scan},
    Answer, Call, Members, Refusal, Resp, integer,
};

pub(super) fn spop(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let key = &arguments[1];
    let number = match &arguments[2..] {
        [] => None,
        [number] => {
            let number = integer(number).ok().and_then(|number| usize::try_from(number).ok());
            Some(number.ok_or(Refusal::OUT_OF_RANGE)?)
        }
        _ => return Err(Refusal::SYNTAX),
    };
    let Some(set) = call.read::<Members>(key)? else {
        return Ok(number.map_or(Resp::Nil, |_| Resp::Set(Vec::new())));
    };
    let length = set.len();
    let mut places = call.redis.random.distinct(number.unwrap_or(1), length);
    if number.is_some_and(|number| number >= length) {
        places.sort_unstable();
    }
    let set = call.read::<Members>(key)?;
    let drawn = |place| set.and_then(|set| set.at(place)).cloned();
    let members: Vec<_> = places.into_iter().filter_map(drawn).collect();
    if !members.is_empty() {
        call.change(key, |set: &mut Members| {
            members.iter().for_each(|member| {
                set.remove(member);
            });
        })?;
    }
    Ok(match number {
        Some(_) => Resp::Set(members.into_iter().map(Resp::Bulk).collect()),
        None => members.into_iter().next().into(),
    })
}

pub(super) fn srandmember(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let key = &arguments[1];
    let number = match &arguments[2..] {
        [] => None,
        [number] => Some(draw::options(number, &[], "")?.0),
        _ => return Err(Refusal::SYNTAX),
    };
    let Some(set) = call.read::<Members>(key)? else {
        return Ok(number.map_or(Resp::Nil, |_| Resp::Array(Vec::new())));
    };
    let length = set.len();
    let places = draw::places(&mut call.redis.random, number.unwrap_or(1), length)?;
    let set = call.read::<Members>(key)?;
    let length_at = |at: &usize| set.and_then(|set| set.at(*at)).map_or(0, Bytes::len);
    draw::check_bytes(places.iter().map(length_at))?;
    let mut drawn = places.into_iter().filter_map(|at| set.and_then(|set| set.at(at)).cloned());
    Ok(match number {
        Some(_) => Resp::Array(drawn.map(Resp::Bulk).collect()),
        None => drawn.next().into(),
    })
}

pub(super) fn sscan(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let cursor = scan::cursor(&arguments[2])?;
    let Some(set) = call.read::<Members>(&arguments[1])? else {
        return Ok(scan::reply(0, Vec::new()));
    };
    let options = scan::Scan::parse(&arguments[3..], false)?;
    let members = set.iter().map(|member| (member, ()));
    Ok(options.page(cursor, call.redis.limits().set(set), members, |name, ()| {
        vec![Resp::Bulk(name.clone())]
    }))
}
