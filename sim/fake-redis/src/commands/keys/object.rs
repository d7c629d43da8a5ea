//! How values are kept: as far as it can be told from the outside.

use bytes::Bytes;

use super::{Answer, Call, Flags, Group, Refusal, Resp, Spec, count, integer};
use crate::{
    Value,
    keyspace::Usage,
    service::{Limits, Service},
};

#[rustfmt::skip]
pub(super) const SUBCOMMANDS: &[Spec] = &[
    Spec::new(Group::Generic, "encoding", 3, encoding, Flags::READONLY)
        .keys(2, 2, 1).access("RO").about("2.2.3", "Names the form in which a value is kept."),
    Spec::new(Group::Generic, "freq", 3, freq, Flags::READONLY)
        .keys(2, 2, 1).access("RO").about("4.0.0", "Tells how often a key was used."),
    Spec::help(Group::Generic, "6.2.0"),
    Spec::new(Group::Generic, "idletime", 3, idle_time, Flags::READONLY)
        .keys(2, 2, 1).access("RO").about("2.2.3", "Tells how long a key was not used."),
    Spec::new(Group::Generic, "refcount", 3, ref_count, Flags::READONLY)
        .keys(2, 2, 1).access("RO").about("2.2.3", "Counts the references to a value."),
];

/// What Redis embeds at most in the object itself.
const EMBEDDED_UP_TO: usize = 44;

fn encoding(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let name =
        call.entry(&arguments[2]).map(|entry| encoding_of(&entry.value, call.redis.limits()));
    Ok(name.map(|name| Bytes::from_static(name.as_bytes())).into())
}

/// The form that Redis gives a value which is made at once under these limits. It never turns a
/// large form back into a small one; here it does.
pub(in super::super) fn encoding_of(value: &Value, limits: Limits) -> &'static str {
    match value {
        Value::String(text) if integer(text).is_ok() => "int",
        Value::String(text) if text.len() <= EMBEDDED_UP_TO => "embstr",
        Value::String(_) => "raw",
        Value::Hash(fields) if limits.hash(fields) => "listpack",
        Value::List(_) => "quicklist",
        Value::Set(members) if limits.set(members) => "intset",
        Value::SortedSet(members) if limits.sorted_set(members) => "listpack",
        Value::SortedSet(_) => "skiplist",
        Value::Hash(_) | Value::Set(_) => "hashtable",
        Value::Stream(_) => "stream",
    }
}

const RECENT_ONLY: &str = "ERR An LFU maxmemory policy is not selected, access frequency not \
    tracked. Please note that when switching between policies at runtime LRU and LFU data will take \
    some time to adjust.";
const FREQUENT_ONLY: &str = "ERR An LFU maxmemory policy is selected, idle time not tracked. Please \
    note that when switching between policies at runtime LRU and LFU data will take some time to \
    adjust.";

fn freq(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let Some((usage, idle_s)) = usage(call, &arguments[2]) else { return Ok(Resp::Nil) };
    match call.redis.service.as_deref() {
        Some(service) if service.counts_uses() => {
            let uses = service.memory.decayed(usage.uses, idle_s / 60);
            Ok(count(uses.into()))
        }
        _ => Err(Refusal(RECENT_ONLY.into())),
    }
}

fn idle_time(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let Some((_, idle_s)) = usage(call, &arguments[2]) else { return Ok(Resp::Nil) };
    if call.redis.service.as_deref().is_some_and(Service::counts_uses) {
        return Err(Refusal(FREQUENT_ONLY.into()));
    }
    Ok(count(usize::try_from(idle_s).unwrap_or(usize::MAX)))
}

/// What is known of the use of a key, and for how many seconds it was not used.
fn usage(call: &Call<'_>, key: &[u8]) -> Option<(Usage, u64)> {
    call.entry(key)?;
    let usage = call.redis.keyspace.usage(key)?;
    let since_s = (call.now_us / 1_000_000).saturating_sub(usage.used_s.into());
    Some((usage, if usage.used_s == 0 { 0 } else { since_s }))
}

fn ref_count(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    Ok(call.entry(&arguments[2]).map_or(Resp::Nil, |_| count(1)))
}
