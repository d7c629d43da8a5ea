//! Changes inside a list, and finding places in it.

use bytes::Bytes;

use super::{
    super::{super::Resp, ranges},
    Answer, Call, List, Refusal, count, index, integer, owned, word,
};

pub(super) fn lset(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let list = call.read::<List>(&arguments[1])?.ok_or(Refusal::NO_SUCH_KEY)?;
    let place = index(integer(&arguments[2])?, list.len()).filter(|place| *place < list.len());
    let place = place.ok_or_else(|| Refusal("ERR index out of range".into()))?;
    call.change(&arguments[1], |list: &mut List| list.set(place, owned(&arguments[3])))?;
    Ok(Resp::OK)
}

pub(super) fn linsert(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let behind = match &*word(&arguments[2]) {
        b"BEFORE" => 0,
        b"AFTER" => 1,
        _ => return Err(Refusal::SYNTAX),
    };
    let Some(list) = call.read::<List>(&arguments[1])? else { return Ok(count(0)) };
    let Some(place) = list.iter().position(|item| *item == arguments[3]) else {
        return Ok(Resp::Integer(-1));
    };
    let length = call.change(&arguments[1], |list: &mut List| {
        list.insert(place + behind, owned(&arguments[4]));
        list.len()
    })?;
    Ok(count(length))
}

pub(super) fn lrem(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let number = integer(&arguments[2])?;
    let Some(list) = call.read::<List>(&arguments[1])? else { return Ok(count(0)) };
    let limit = match usize::try_from(number.unsigned_abs()) {
        Ok(0) | Err(_) => usize::MAX,
        Ok(limit) => limit,
    };
    let equal = list.iter().enumerate().filter(|(_, item)| **item == arguments[3]);
    let mut places: Vec<_> = if number < 0 {
        equal.rev().take(limit).map(|(place, _)| place).collect()
    } else {
        equal.take(limit).map(|(place, _)| place).collect()
    };
    if places.is_empty() {
        return Ok(count(0));
    }
    places.sort_unstable();
    call.change(&arguments[1], |list: &mut List| list.remove_at(&places))?;
    Ok(count(places.len()))
}

pub(super) fn ltrim(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let (start, stop) = (integer(&arguments[2])?, integer(&arguments[3])?);
    if call.read::<List>(&arguments[1])?.is_some() {
        call.change(&arguments[1], |list: &mut List| {
            let kept = ranges::indexes(start, stop, list.len());
            list.keep(kept);
        })?;
    }
    Ok(Resp::OK)
}

/// The options of `LPOS`.
#[derive(Debug)]
struct Search {
    rank: i64,
    /// How many places to find; `None` if the first is asked for.
    count: Option<usize>,
    /// How many items to look at.
    length: usize,
}

pub(super) fn lpos(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let search = Search::parse(&arguments[3..])?;
    let Some(list) = call.read::<List>(&arguments[1])? else {
        return Ok(search.count.map_or(Resp::Nil, |_| Resp::Array(Vec::new())));
    };
    let skipped = usize::try_from(search.rank.wrapping_abs().saturating_sub(1)).unwrap_or(0);
    let limit = search.count.unwrap_or(1);
    let is_it = |(place, item): (usize, &Bytes)| (*item == arguments[2]).then(|| count(place));
    let items = list.iter().enumerate();
    let mut found: Vec<_> = if search.rank < 0 {
        items.rev().take(search.length).filter_map(is_it).skip(skipped).take(limit).collect()
    } else {
        items.take(search.length).filter_map(is_it).skip(skipped).take(limit).collect()
    };
    Ok(match search.count {
        Some(_) => Resp::Array(found),
        None => found.pop().unwrap_or(Resp::Nil),
    })
}

impl Search {
    fn parse(options: &[Bytes]) -> Result<Self, Refusal> {
        let mut search = Self { rank: 1, count: None, length: usize::MAX };
        let unlimited = |number| if number == 0 { usize::MAX } else { number };
        for option in options.chunks(2) {
            let [name, number] = option else { return Err(Refusal::SYNTAX) };
            match &*word(name) {
                b"RANK" => search.rank = rank(number)?,
                b"COUNT" => search.count = Some(unlimited(not_negative("COUNT", number)?)),
                b"MAXLEN" => search.length = unlimited(not_negative("MAXLEN", number)?),
                _ => return Err(Refusal::SYNTAX),
            }
        }
        Ok(search)
    }
}

fn rank(number: &[u8]) -> Result<i64, Refusal> {
    match integer(number)? {
        0 => Err(Refusal(
            "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... \
             or use negative to start from the end of the list"
                .into(),
        )),
        rank => Ok(rank),
    }
}

fn not_negative(option: &str, number: &[u8]) -> Result<usize, Refusal> {
    let number = integer(number).ok().and_then(|number| usize::try_from(number).ok());
    number.ok_or_else(|| Refusal(format!("ERR {option} can't be negative").into()))
}
