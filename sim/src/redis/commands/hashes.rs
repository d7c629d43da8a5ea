//! Hashes.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::super::{
    Entry, Resp, Value,
    command::{Answer, Call, Refusal, Spec, decimal, integer},
    resp::count,
};

pub(super) const COMMANDS: &[Spec] = &[
    Spec::new("hdel", -3, hdel),
    Spec::new("hexists", 3, hexists),
    Spec::new("hget", 3, hget),
    Spec::new("hgetall", 2, hgetall),
    Spec::new("hincrby", 4, hincr_by),
    Spec::new("hmget", -3, hmget),
    Spec::new("hset", -4, hset),
];

fn hset(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let pairs = &arguments[2..];
    if !pairs.len().is_multiple_of(2) {
        return Err(Refusal("ERR wrong number of arguments for 'hset' command".into()));
    }
    call.hash(&arguments[1])?;
    let added = change(call, &arguments[1], |fields| {
        let pairs = pairs.chunks_exact(2);
        pairs.filter(|pair| fields.insert(pair[0].clone(), pair[1].clone()).is_none()).count()
    });
    Ok(count(added))
}

fn hget(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let fields = call.hash(&arguments[1])?;
    Ok(fields.and_then(|fields| fields.get(&arguments[2])).cloned().into())
}

fn hmget(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let fields = call.hash(&arguments[1])?;
    let value = |name| fields.and_then(|fields| fields.get(name)).cloned().into();
    Ok(Resp::Array(arguments[2..].iter().map(value).collect()))
}

fn hgetall(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let fields = call.hash(&arguments[1])?.into_iter().flatten();
    let pair = |(name, value): (&Bytes, &Bytes)| [name.clone(), value.clone()];
    Ok(Resp::Array(fields.flat_map(pair).map(Resp::Bulk).collect()))
}

fn hexists(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let fields = call.hash(&arguments[1])?;
    Ok(fields.is_some_and(|fields| fields.contains_key(&arguments[2])).into())
}

fn hdel(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let names = &arguments[2..];
    let present = |fields: &BTreeMap<_, _>| names.iter().any(|name| fields.contains_key(name));
    if !call.hash(&arguments[1])?.is_some_and(present) {
        return Ok(count(0));
    }
    let removed = change(call, &arguments[1], |fields| {
        names.iter().filter(|name| fields.remove(*name).is_some()).count()
    });
    Ok(count(removed))
}

fn hincr_by(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let by = integer(&arguments[3])?;
    let field = call.hash(&arguments[1])?.and_then(|fields| fields.get(&arguments[2]));
    let old = field.map_or(Ok(0), |text| integer(text));
    let old = old.map_err(|_| Refusal("ERR hash value is not an integer".into()))?;
    let new = old.checked_add(by).ok_or(Refusal::OVERFLOW)?;
    change(call, &arguments[1], |fields| fields.insert(arguments[2].clone(), decimal(new)));
    Ok(Resp::Integer(new))
}

/// Changes the hash under `key`, known to be a hash or absent.
fn change<R>(
    call: &mut Call<'_>,
    key: &Bytes,
    change: impl FnOnce(&mut BTreeMap<Bytes, Bytes>) -> R,
) -> R {
    let now_ms = call.now_ms();
    if call.entry(key).is_none() {
        let mut fields = BTreeMap::new();
        let result = change(&mut fields);
        let entry = Entry { value: Value::Hash(fields), expires_at_ms: None };
        call.keys().set_entry(key.clone(), Some(entry));
        return result;
    }
    let result = call.keys().modify(now_ms, key, |entry| match &mut entry.value {
        Value::Hash(fields) => change(fields),
        Value::String(_) => unreachable!("the type was checked before"),
    });
    result.expect("the key was found alive above")
}
