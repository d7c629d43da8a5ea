//! Strings.

mod bits;
mod lcs;
mod numbers;
mod ranges;
mod set;

use bytes::Bytes;

use super::super::{
    Entry, Resp, Value,
    command::{Answer, Call, Flags, Group, Refusal, Spec, decimal, integer, owned, word},
    resp::count,
};

#[rustfmt::skip]
pub(super) const COMMANDS: &[Spec] = &[
    Spec::new(Group::String, "append", 3, ranges::append, Flags::FAST_GROW)
        .key("RW insert").about("2.0.0", "Adds to the end of the string under a key."),
    Spec::new(Group::Bitmap, "bitcount", -2, bits::bitcount, Flags::READONLY)
        .key("RO access").about("2.6.0", "Counts the bits that are set."),
    Spec::new(Group::Bitmap, "bitpos", -3, bits::bitpos, Flags::READONLY)
        .key("RO access").about("2.8.7", "Finds the first bit that is set, or is not."),
    Spec::new(Group::String, "decr", 2, |call, words| numbers::add(call, &words[1], -1),
        Flags::FAST_GROW)
        .key("RW access update").about("1.0.0", "Subtracts one from the number under a key."),
    Spec::new(Group::String, "decrby", 3, numbers::decr_by, Flags::FAST_GROW)
        .key("RW access update").about("1.0.0", "Subtracts from the number under a key."),
    Spec::new(Group::String, "get", 2, get, Flags::FAST_READ)
        .key("RO access").about("1.0.0", "Answers with the string under a key."),
    Spec::new(Group::Bitmap, "getbit", 3, bits::getbit, Flags::FAST_READ)
        .key("RO access").about("2.2.0", "Answers with one bit."),
    Spec::new(Group::String, "getdel", 2, getdel, Flags::FAST_WRITE)
        .key("RW access delete")
        .about("6.2.0", "Answers with the string under a key, and removes it."),
    Spec::new(Group::String, "getex", -2, set::getex, Flags::FAST_WRITE)
        .key("RW access update")
        .about("6.2.0", "Answers with the string under a key, and changes when it expires."),
    Spec::new(Group::String, "getrange", 4, ranges::getrange, Flags::READONLY)
        .key("RO access").about("2.4.0", "Answers with a part of the string under a key."),
    Spec::new(Group::String, "getset", 3, set::getset, Flags::FAST_GROW)
        .key("RW access update")
        .about("1.0.0", "Puts a string under a key, and answers with the former one."),
    Spec::new(Group::String, "incr", 2, |call, words| numbers::add(call, &words[1], 1),
        Flags::FAST_GROW)
        .key("RW access update").about("1.0.0", "Adds one to the number under a key."),
    Spec::new(Group::String, "incrby", 3, numbers::incr_by, Flags::FAST_GROW)
        .key("RW access update").about("1.0.0", "Adds to the number under a key."),
    Spec::new(Group::String, "incrbyfloat", 3, numbers::incr_by_float, Flags::FAST_GROW)
        .key("RW access update").about("2.6.0", "Adds to the floating-point number under a key."),
    Spec::new(Group::String, "lcs", -3, lcs::lcs, Flags::READONLY)
        .keys(1, 2, 1).access("RO access")
        .about("7.0.0", "Finds the longest sequence that two strings have in common."),
    Spec::new(Group::String, "mget", -2, mget, Flags::FAST_READ)
        .keys(1, -1, 1).access("RO access")
        .about("1.0.0", "Answers with the strings under several keys."),
    Spec::new(Group::String, "mset", -3, mset, Flags::GROW)
        .keys(1, -1, 2).access("OW update").about("1.0.1", "Puts strings under several keys."),
    Spec::new(Group::String, "msetnx", -3, msetnx, Flags::GROW)
        .keys(1, -1, 2).access("OW insert")
        .about("1.0.1", "Puts strings under several keys if none of them is there."),
    Spec::new(Group::String, "psetex", 4, |call, words| set::set_for(call, words, "psetex", false),
        Flags::GROW)
        .key("OW update").about("2.6.0", "Puts a string under a key for some milliseconds."),
    Spec::new(Group::String, "set", -3, set::set, Flags::GROW)
        .key("RW access update variable_flags")
        .about("1.0.0", "Puts a string under a key, whatever was there."),
    Spec::new(Group::Bitmap, "setbit", 4, bits::setbit, Flags::GROW)
        .key("RW access update").about("2.2.0", "Sets one bit, and answers with the former one."),
    Spec::new(Group::String, "setex", 4, |call, words| set::set_for(call, words, "setex", true),
        Flags::GROW)
        .key("OW update").about("2.0.0", "Puts a string under a key for some seconds."),
    Spec::new(Group::String, "setnx", 3, set::setnx, Flags::FAST_GROW)
        .key("OW insert").about("1.0.0", "Puts a string under a key that is not there."),
    Spec::new(Group::String, "setrange", 4, ranges::setrange, Flags::GROW)
        .key("RW update").about("2.2.0", "Overwrites a part of the string under a key."),
    Spec::new(Group::String, "strlen", 2, strlen, Flags::FAST_READ)
        .key("RO").about("2.2.0", "Counts the bytes of the string under a key."),
    Spec::new(Group::String, "substr", 4, ranges::getrange, Flags::READONLY)
        .key("RO access")
        .about("1.0.0", "Answers with a part of the string under a key, as GETRANGE does."),
];

/// What a string can hold at most, as the protocol limits it by default.
pub(super) const LENGTH_LIMIT: usize = 512 << 20;

fn get(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    Ok(call.string(&arguments[1])?.cloned().into())
}

fn getdel(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let found = call.string(&arguments[1])?.cloned();
    if found.is_some() {
        call.keys().take(&arguments[1]);
    }
    Ok(found.into())
}

fn strlen(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    Ok(count(call.string(&arguments[1])?.map_or(0, Bytes::len)))
}

fn mget(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    // A key that holds something else counts as absent here.
    let value = |key: &Bytes| call.string(key).ok().flatten().cloned().into();
    Ok(Resp::Array(arguments[1..].iter().map(value).collect()))
}

fn mset(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let pairs = pairs("mset", arguments)?;
    pairs.for_each(|pair| put(call, &pair[0], owned(&pair[1]), None));
    Ok(Resp::OK)
}

fn msetnx(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let mut pairs = pairs("msetnx", arguments)?;
    if pairs.clone().any(|pair| call.entry(&pair[0]).is_some()) {
        return Ok(count(0));
    }
    pairs.by_ref().for_each(|pair| put(call, &pair[0], owned(&pair[1]), None));
    Ok(count(1))
}

fn pairs<'a>(
    name: &str,
    arguments: &'a [Bytes],
) -> Result<std::slice::ChunksExact<'a, Bytes>, Refusal> {
    let pairs = arguments[1..].chunks_exact(2);
    if pairs.remainder().is_empty() { Ok(pairs) } else { Err(Refusal::arity(name)) }
}

/// Puts a string under a key, whatever was there.
fn put(call: &mut Call<'_>, key: &Bytes, text: Bytes, expires_at_ms: Option<u64>) {
    let entry = Entry { value: Value::String(text), expires_at_ms };
    call.keys().set_entry(key.clone(), Some(entry));
}

/// Puts another string under a key, which keeps its time to live.
fn replace(call: &mut Call<'_>, key: &Bytes, text: Bytes) {
    let now_ms = call.now_ms();
    let mut text = Some(text);
    let kept = call.keys().modify(now_ms, key, |entry| {
        entry.value = Value::String(text.take().unwrap_or_default());
    });
    if kept.is_none() {
        put(call, key, text.unwrap_or_default(), None);
    }
}
