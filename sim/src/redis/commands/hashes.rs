//! Hashes.

use bytes::Bytes;

use super::super::{
    Fields, Resp,
    command::{Answer, Call, Flags, Group, Refusal, Spec, decimal, integer},
    resp::count,
};

pub(super) const COMMANDS: &[Spec] = &[
    Spec::new(Group::Hash, "hdel", -3, hdel, Flags::WRITE.union(Flags::FAST))
        .keys(1, 1, 1)
        .about("2.0.0", "Removes fields from a hash."),
    Spec::new(Group::Hash, "hexists", 3, hexists, Flags::READONLY.union(Flags::FAST))
        .keys(1, 1, 1)
        .about("2.0.0", "Says whether a hash has a field."),
    Spec::new(Group::Hash, "hget", 3, hget, Flags::READONLY.union(Flags::FAST))
        .keys(1, 1, 1)
        .about("2.0.0", "Answers with the value of a field."),
    Spec::new(Group::Hash, "hgetall", 2, hgetall, Flags::READONLY)
        .keys(1, 1, 1)
        .about("2.0.0", "Lists the fields of a hash with their values."),
    Spec::new(
        Group::Hash,
        "hincrby",
        4,
        hincr_by,
        Flags::WRITE.union(Flags::DENYOOM).union(Flags::FAST),
    )
    .keys(1, 1, 1)
    .about("2.0.0", "Adds to the number in a field."),
    Spec::new(Group::Hash, "hmget", -3, hmget, Flags::READONLY.union(Flags::FAST))
        .keys(1, 1, 1)
        .about("2.0.0", "Answers with the values of several fields."),
    Spec::new(Group::Hash, "hset", -4, hset, Flags::WRITE.union(Flags::DENYOOM).union(Flags::FAST))
        .keys(1, 1, 1)
        .about("2.0.0", "Sets fields of a hash."),
];

fn hset(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let pairs = &arguments[2..];
    if !pairs.len().is_multiple_of(2) {
        return Err(Refusal("ERR wrong number of arguments for 'hset' command".into()));
    }
    let added = call.change(&arguments[1], |fields: &mut Fields| {
        let pairs = pairs.chunks_exact(2);
        pairs.filter(|pair| fields.insert_copy(&pair[0], &pair[1]).is_none()).count()
    })?;
    Ok(count(added))
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

fn hincr_by(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let by = integer(&arguments[3])?;
    let field = call.read::<Fields>(&arguments[1])?.and_then(|fields| fields.get(&arguments[2]));
    let old = field.map_or(Ok(0), |text| integer(text));
    let old = old.map_err(|_| Refusal("ERR hash value is not an integer".into()))?;
    let new = old.checked_add(by).ok_or(Refusal::OVERFLOW)?;
    call.change(&arguments[1], |fields: &mut Fields| {
        fields.insert_copy(&arguments[2], &decimal(new))
    })?;
    Ok(Resp::Integer(new))
}
