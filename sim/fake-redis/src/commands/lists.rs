//! Lists.

mod blocking;
mod edits;
mod moves;

pub(super) use blocking::{counted_keys, keys_and_timeout, parse_many};

use bytes::Bytes;

use super::super::{
    Items as List, Resp,
    command::{Answer, Call, Flags, Group, Keys, Refusal, Spec, integer, owned, word},
    resp::count,
};

#[rustfmt::skip]
pub(super) const COMMANDS: &[Spec] = &[
    Spec::new(Group::List, "blmove", 6, moves::blmove, Flags::GROW.union(Flags::NOSCRIPT))
        .keys(1, 2, 1).access("RW access delete, RW insert").blocks(blocking::of_source)
        .about("6.2.0", "Moves an item from one list to another, waiting for one."),
    Spec::new(Group::List, "blmpop", -5, blocking::blmpop, Flags::WRITE)
        .keys_are(Keys::Counted { count: 2, also: None }).access("RW access delete")
        .blocks(blocking::of_counted)
        .about("7.0.0", "Removes items from the first list that has any, waiting for one."),
    Spec::new(Group::List, "blpop", -3,
        |call, words| blocking::pop_one(call, words, End::Left),
        Flags::WRITE.union(Flags::NOSCRIPT))
        .keys(1, -2, 1).access("RW access delete").blocks(blocking::of_keys)
        .about("2.0.0", "Removes the first item of the first list that has any, waiting for one."),
    Spec::new(Group::List, "brpop", -3,
        |call, words| blocking::pop_one(call, words, End::Right),
        Flags::WRITE.union(Flags::NOSCRIPT))
        .keys(1, -2, 1).access("RW access delete").blocks(blocking::of_keys)
        .about("2.0.0", "Removes the last item of the first list that has any, waiting for one."),
    Spec::new(Group::List, "brpoplpush", 4, moves::brpoplpush, Flags::GROW.union(Flags::NOSCRIPT))
        .keys(1, 2, 1).access("RW access delete, RW insert").blocks(blocking::of_source)
        .about("2.2.0", "Moves the last item of a list to the front of another, waiting for one."),
    Spec::new(Group::List, "lindex", 3, lindex, Flags::READONLY)
        .key("RO access").about("1.0.0", "Answers with the item at an index."),
    Spec::new(Group::List, "linsert", 5, edits::linsert, Flags::GROW)
        .key("RW insert").about("2.2.0", "Inserts an item before or behind another."),
    Spec::new(Group::List, "llen", 2, llen, Flags::FAST_READ)
        .key("RO").about("1.0.0", "Counts the items of a list."),
    Spec::new(Group::List, "lmove", 5, moves::lmove, Flags::GROW)
        .keys(1, 2, 1).access("RW access delete, RW insert")
        .about("6.2.0", "Moves an item from one list to another."),
    Spec::new(Group::List, "lmpop", -4, blocking::lmpop, Flags::WRITE)
        .keys_are(Keys::Counted { count: 1, also: None }).access("RW access delete")
        .about("7.0.0", "Removes items from the first list that has any."),
    Spec::new(Group::List, "lpop", -2, |call, words| pop(call, words, "lpop", End::Left),
        Flags::FAST_WRITE)
        .key("RW access delete").about("1.0.0", "Removes the first items of a list."),
    Spec::new(Group::List, "lpos", -3, edits::lpos, Flags::READONLY)
        .key("RO access").about("6.0.6", "Finds the places of an item."),
    Spec::new(Group::List, "lpush", -3, |call, words| push(call, words, End::Left, true),
        Flags::FAST_GROW)
        .key("RW insert").about("1.0.0", "Adds items to the front of a list."),
    Spec::new(Group::List, "lpushx", -3, |call, words| push(call, words, End::Left, false),
        Flags::FAST_GROW)
        .key("RW insert").about("2.2.0", "Adds items to the front of a list that is there."),
    Spec::new(Group::List, "lrange", 4, lrange, Flags::READONLY)
        .key("RO access").about("1.0.0", "Lists the items of a range."),
    Spec::new(Group::List, "lrem", 4, edits::lrem, Flags::WRITE)
        .key("RW delete").about("1.0.0", "Removes the items that equal one."),
    Spec::new(Group::List, "lset", 4, edits::lset, Flags::GROW)
        .key("RW update").about("1.0.0", "Replaces the item at an index."),
    Spec::new(Group::List, "ltrim", 4, edits::ltrim, Flags::WRITE)
        .key("RW delete").about("1.0.0", "Removes the items outside of a range."),
    Spec::new(Group::List, "rpop", -2, |call, words| pop(call, words, "rpop", End::Right),
        Flags::FAST_WRITE)
        .key("RW access delete").about("1.0.0", "Removes the last items of a list."),
    Spec::new(Group::List, "rpoplpush", 3, moves::rpoplpush, Flags::GROW)
        .keys(1, 2, 1).access("RW access delete, RW insert")
        .about("1.2.0", "Moves the last item of a list to the front of another."),
    Spec::new(Group::List, "rpush", -3, |call, words| push(call, words, End::Right, true),
        Flags::FAST_GROW)
        .key("RW insert").about("1.0.0", "Adds items to the end of a list."),
    Spec::new(Group::List, "rpushx", -3, |call, words| push(call, words, End::Right, false),
        Flags::FAST_GROW)
        .key("RW insert").about("2.2.0", "Adds items to the end of a list that is there."),
];

/// An end of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Left,
    Right,
}

impl End {
    fn parse(argument: &[u8]) -> Result<Self, Refusal> {
        match &*word(argument) {
            b"LEFT" => Ok(Self::Left),
            b"RIGHT" => Ok(Self::Right),
            _ => Err(Refusal::SYNTAX),
        }
    }

    fn pop(self, list: &mut List) -> Option<Bytes> {
        match self {
            Self::Left => list.pop_front(),
            Self::Right => list.pop_back(),
        }
    }

    fn push(self, list: &mut List, item: Bytes) {
        match self {
            Self::Left => list.push_front(item),
            Self::Right => list.push_back(item),
        }
    }

    /// Up to `count` items, as a reply.
    fn pop_many(self, list: &mut List, count: usize) -> Resp {
        let items = (0..count.min(list.len())).filter_map(|_| self.pop(list));
        Resp::Array(items.map(Resp::Bulk).collect())
    }
}

fn push(call: &mut Call<'_>, arguments: &[Bytes], end: End, create: bool) -> Answer {
    if call.read::<List>(&arguments[1])?.is_none() && !create {
        return Ok(count(0));
    }
    let length = call.change(&arguments[1], |list: &mut List| {
        arguments[2..].iter().for_each(|item| end.push(list, owned(item)));
        list.len()
    })?;
    Ok(count(length))
}

fn pop(call: &mut Call<'_>, arguments: &[Bytes], name: &str, end: End) -> Answer {
    let key = &arguments[1];
    let number = match &arguments[2..] {
        [] => {
            return Ok(match call.read::<List>(key)? {
                Some(_) => call.change(key, |list| end.pop(list))?.into(),
                None => Resp::Nil,
            });
        }
        [number] => integer(number).ok().and_then(|number| usize::try_from(number).ok()),
        _ => return Err(Refusal::arity(name)),
    };
    let number = number.ok_or(Refusal::OUT_OF_RANGE)?;
    match (call.read::<List>(key)?, number) {
        (None, _) => Ok(Resp::NilArray),
        (Some(_), 0) => Ok(Resp::Array(Vec::new())),
        (Some(_), number) => call.change(key, |list| end.pop_many(list, number)),
    }
}

fn llen(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    Ok(count(call.read::<List>(&arguments[1])?.map_or(0, |list| list.len())))
}

fn lindex(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let Some(list) = call.read::<List>(&arguments[1])? else { return Ok(Resp::Nil) };
    let index = index(integer(&arguments[2])?, list.len());
    Ok(index.and_then(|index| list.get(index)).cloned().into())
}

fn lrange(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let (start, stop) = (integer(&arguments[2])?, integer(&arguments[3])?);
    let Some(list) = call.read::<List>(&arguments[1])? else {
        return Ok(Resp::Array(Vec::new()));
    };
    let items = list.range(super::ranges::indexes(start, stop, list.len()));
    Ok(Resp::Array(items.cloned().map(Resp::Bulk).collect()))
}

/// The place of an index that may count from the end; `None` if it is before the begin.
fn index(index: i64, length: usize) -> Option<usize> {
    let length = i64::try_from(length).unwrap_or(i64::MAX);
    usize::try_from(if index < 0 { index + length } else { index }).ok()
}
