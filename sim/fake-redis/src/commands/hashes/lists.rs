//! Some of a hash's fields: drawn, or in pages.

use bytes::Bytes;

use super::{
    super::{draw, scan},
    Answer, Call, Fields, Resp,
};

pub(super) fn hrandfield(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let Some(number) = arguments.get(2) else {
        let Some(fields) = call.read::<Fields>(&arguments[1])? else { return Ok(Resp::Nil) };
        let length = fields.len();
        let at = call.redis.random.below(length);
        let field = call.read::<Fields>(&arguments[1])?.and_then(|fields| fields.at(at));
        return Ok(field.map(|(name, _)| name.clone()).into());
    };
    let (number, with_values) = draw::options(number, &arguments[3..], "WITHVALUES")?;
    let Some(fields) = call.read::<Fields>(&arguments[1])? else {
        return Ok(Resp::Array(Vec::new()));
    };
    let length = fields.len();
    let places = draw::places(&mut call.redis.random, number, length)?;
    let Some(fields) = call.read::<Fields>(&arguments[1])? else {
        return Ok(Resp::Array(Vec::new()));
    };
    let length_at = |at: &usize| fields.at(*at).map_or(0, |(name, value)| name.len() + value.len());
    draw::check_bytes(places.iter().map(length_at))?;
    let drawn = places.into_iter().filter_map(|place| fields.at(place));
    let bulk = |text: &Bytes| Resp::Bulk(text.clone());
    Ok(if with_values {
        Resp::Pairs(drawn.map(|(name, value)| (bulk(name), bulk(value))).collect())
    } else {
        Resp::Array(drawn.map(|(name, _)| bulk(name)).collect())
    })
}

pub(super) fn hscan(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let cursor = scan::cursor(&arguments[2])?;
    let Some(fields) = call.read::<Fields>(&arguments[1])? else {
        return Ok(scan::reply(0, Vec::new()));
    };
    let options = scan::Scan::parse(&arguments[3..], false)?;
    let show = |name: &Bytes, value: &Bytes| [name, value].map(|it| Resp::Bulk(it.clone())).into();
    Ok(options.page(cursor, call.redis.limits().hash(fields), fields.iter(), show))
}
