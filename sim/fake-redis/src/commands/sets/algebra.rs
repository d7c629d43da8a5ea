//! Differences, intersections and unions.

use bytes::Bytes;

use super::{Answer, Call, Entry, Members, Refusal, Resp, Value, count, integer, word};

type Operation = fn(&Call<'_>, &[Bytes]) -> Result<Members, Refusal>;

pub(super) fn sdiff(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    list(&difference(call, &arguments[1..])?)
}

pub(super) fn sinter(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    list(&intersection(call, &arguments[1..])?)
}

pub(super) fn sunion(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    list(&union(call, &arguments[1..])?)
}

pub(super) fn sintercard(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let (keys, limit) = keys_and_limit(&arguments[1..])?;
    Ok(count(intersection(call, keys)?.len().min(limit)))
}

fn keys_and_limit(arguments: &[Bytes]) -> Result<(&[Bytes], usize), Refusal> {
    let number = integer(&arguments[0]).ok().and_then(|number| usize::try_from(number).ok());
    let number = number
        .filter(|number| *number > 0)
        .ok_or_else(|| Refusal("ERR numkeys should be greater than 0".into()))?;
    let (keys, options) = arguments[1..]
        .split_at_checked(number)
        .ok_or_else(|| Refusal("ERR Number of keys can't be greater than number of args".into()))?;
    Ok((keys, limit(options)?))
}

/// `LIMIT n`, or nothing, which is no limit as 0 is none: of `SINTERCARD` and `ZINTERCARD`.
pub(in super::super) fn limit(options: &[Bytes]) -> Result<usize, Refusal> {
    let mut limit = 0;
    for option in options.chunks(2) {
        let [name, number] = option else { return Err(Refusal::SYNTAX) };
        if &*word(name) != b"LIMIT" {
            return Err(Refusal::SYNTAX);
        }
        let number = integer(number).ok().and_then(|number| usize::try_from(number).ok());
        limit = number.ok_or_else(|| Refusal("ERR LIMIT can't be negative".into()))?;
    }
    Ok(if limit == 0 { usize::MAX } else { limit })
}

fn list(members: &Members) -> Answer {
    Ok(Resp::Set(members.iter().cloned().map(Resp::Bulk).collect()))
}

pub(super) fn store(call: &mut Call<'_>, arguments: &[Bytes], operation: Operation) -> Answer {
    let members = operation(call, &arguments[2..])?;
    let length = members.len();
    let entry = Entry { value: Value::Set(members.into()), expires_at_ms: None };
    call.keys().set_entry(arguments[1].clone(), (length > 0).then_some(entry));
    Ok(count(length))
}

/// Every set, those that are absent as `None`.
fn sets<'a>(call: &'a Call<'_>, keys: &[Bytes]) -> Result<Vec<Option<&'a Members>>, Refusal> {
    keys.iter().map(|key| call.read::<Members>(key)).collect()
}

pub(super) fn difference(call: &Call<'_>, keys: &[Bytes]) -> Result<Members, Refusal> {
    let sets = sets(call, keys)?;
    let first = sets[0].into_iter().flat_map(Members::iter);
    let elsewhere = |member: &Bytes| sets[1..].iter().flatten().any(|other| other.contains(member));
    Ok(first.filter(|member| !elsewhere(member)).cloned().collect())
}

pub(super) fn intersection(call: &Call<'_>, keys: &[Bytes]) -> Result<Members, Refusal> {
    let sets = sets(call, keys)?;
    let Some(mut sets) = sets.into_iter().collect::<Option<Vec<_>>>() else {
        return Ok(Members::default());
    };
    // As Redis does: what the smallest set lists, in its order.
    sets.sort_by_key(|set| set.len());
    let everywhere = |member: &&Bytes| sets[1..].iter().all(|other| other.contains(member));
    Ok(sets[0].iter().filter(everywhere).cloned().collect())
}

pub(super) fn union(call: &Call<'_>, keys: &[Bytes]) -> Result<Members, Refusal> {
    let sets = sets(call, keys)?;
    Ok(sets.into_iter().flatten().flat_map(Members::iter).cloned().collect())
}
