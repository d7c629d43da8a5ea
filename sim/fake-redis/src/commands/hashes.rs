//! Hashes.

mod lists;
mod numbers;

use bytes::Bytes;

use super::super::{
    Fields, Resp,
    command::{Answer, Call, Flags, Group, Refusal, Spec, decimal, integer},
    resp::count,
};

#[rustfmt::skip]
pub(super) const COMMANDS: &[Spec] = &[
    Spec::new(Group::Hash, "hdel", -3, hdel, Flags::FAST_WRITE)
        .key("RW delete").about("2.0.0", "Removes fields from a hash."),
    Spec::new(Group::Hash, "hexists", 3, hexists, Flags::FAST_READ)
        .key("RO").about("2.0.0", "Says whether a hash has a field."),
    Spec::new(Group::Hash, "hget", 3, hget, Flags::FAST_READ)
        .key("RO access").about("2.0.0", "Answers with the value of a field."),
    Spec::new(Group::Hash, "hgetall", 2, hgetall, Flags::READONLY)
        .key("RO access").about("2.0.0", "Lists the fields of a hash with their values."),
    Spec::new(Group::Hash, "hincrby", 4, numbers::hincr_by, Flags::FAST_GROW)
        .key("RW access update").about("2.0.0", "Adds to the number in a field."),
    Spec::new(Group::Hash, "hincrbyfloat", 4, numbers::hincr_by_float, Flags::FAST_GROW)
        .key("RW access update").about("2.6.0", "Adds to the floating-point number in a field."),
    Spec::new(Group::Hash, "hkeys", 2, hkeys, Flags::READONLY)
        .key("RO access").about("2.0.0", "Lists the fields of a hash."),
    Spec::new(Group::Hash, "hlen", 2, hlen, Flags::FAST_READ)
        .key("RO").about("2.0.0", "Counts the fields of a hash."),
    Spec::new(Group::Hash, "hmget", -3, hmget, Flags::FAST_READ)
        .key("RO access").about("2.0.0", "Answers with the values of several fields."),
    Spec::new(Group::Hash, "hmset", -4, hmset, Flags::FAST_GROW)
        .key("RW update").about("2.0.0", "Sets fields of a hash."),
    Spec::new(Group::Hash, "hrandfield", -2, lists::hrandfield, Flags::READONLY)
        .key("RO access").about("6.2.0", "Draws fields of a hash."),
    Spec::new(Group::Hash, "hscan", -3, lists::hscan, Flags::READONLY)
        .key("RO access").about("2.8.0", "Lists the fields of a hash in pages."),
    Spec::new(Group::Hash, "hset", -4, hset, Flags::FAST_GROW)
        .key("RW update").about("2.0.0", "Sets fields of a hash."),
    Spec::new(Group::Hash, "hsetnx", 4, hsetnx, Flags::FAST_GROW)
        .key("RW insert").about("2.0.0", "Sets a field that a hash has not."),
    Spec::new(Group::Hash, "hstrlen", 3, hstrlen, Flags::FAST_READ)
        .key("RO").about("3.2.0", "Counts the bytes of a field's value."),
    Spec::new(Group::Hash, "hvals", 2, hvals, Flags::READONLY)
        .key("RO access").about("2.0.0", "Lists the values of a hash."),
];

fn hset(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    Ok(count(set_fields(call, arguments, "hset")?))
}

fn hmset(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    set_fields(call, arguments, "hmset")?;
    Ok(Resp::OK)
}

/// Sets fields; how many are new.
fn set_fields(call: &mut Call<'_>, arguments: &[Bytes], name: &str) -> Result<usize, Refusal> {
    let pairs = &arguments[2..];
    if !pairs.len().is_multiple_of(2) {
        return Err(Refusal::arity(name));
    }
    call.change(&arguments[1], |fields: &mut Fields| {
        let pairs = pairs.chunks_exact(2);
        pairs.filter(|pair| fields.insert_copy(&pair[0], &pair[1]).is_none()).count()
    })
}

fn hsetnx(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let fields = call.read::<Fields>(&arguments[1])?;
    let absent = fields.is_none_or(|fields| fields.get(&arguments[2]).is_none());
    if absent {
        call.change(&arguments[1], |fields: &mut Fields| {
            fields.insert_copy(&arguments[2], &arguments[3])
        })?;
    }
    Ok(absent.into())
}

fn hkeys(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let fields = call.read::<Fields>(&arguments[1])?.into_iter().flat_map(Fields::iter);
    Ok(Resp::Array(fields.map(|(name, _)| Resp::Bulk(name.clone())).collect()))
}

fn hvals(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let fields = call.read::<Fields>(&arguments[1])?.into_iter().flat_map(Fields::iter);
    Ok(Resp::Array(fields.map(|(_, value)| Resp::Bulk(value.clone())).collect()))
}

fn hlen(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    Ok(count(call.read::<Fields>(&arguments[1])?.map_or(0, Fields::len)))
}

fn hstrlen(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let fields = call.read::<Fields>(&arguments[1])?;
    Ok(count(fields.and_then(|fields| fields.get(&arguments[2])).map_or(0, Bytes::len)))
}

fn hget(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let fields = call.read::<Fields>(&arguments[1])?;
    Ok(fields.and_then(|fields| fields.get(&arguments[2])).cloned().into())
}

fn hmget(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let fields = call.read::<Fields>(&arguments[1])?;
    let value = |name: &Bytes| fields.and_then(|fields| fields.get(name)).cloned().into();
    Ok(Resp::Array(arguments[2..].iter().map(value).collect()))
}

fn hgetall(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let fields = call.read::<Fields>(&arguments[1])?.into_iter().flat_map(Fields::iter);
    let pair =
        |(name, value): (&Bytes, &Bytes)| (Resp::Bulk(name.clone()), Resp::Bulk(value.clone()));
    Ok(Resp::Map(fields.map(pair).collect()))
}

fn hexists(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let fields = call.read::<Fields>(&arguments[1])?;
    Ok(fields.is_some_and(|fields| fields.get(&arguments[2]).is_some()).into())
}

fn hdel(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let names = &arguments[2..];
    let present = |fields: &Fields| names.iter().any(|name| fields.get(name).is_some());
    if !call.read(&arguments[1])?.is_some_and(present) {
        return Ok(count(0));
    }
    let removed = call.change(&arguments[1], |fields: &mut Fields| {
        names.iter().filter(|name| fields.remove(name).is_some()).count()
    })?;
    Ok(count(removed))
}
