//! How values are kept: as far as it can be told from the outside.

use bytes::Bytes;

use super::{
    super::{hashes, sorted_sets},
    Answer, Call, Flags, Group, Refusal, Resp, Spec, count, integer,
};
use crate::{Value, command::help};

pub(super) const SUBCOMMANDS: &[Spec] = &[
    Spec::new(Group::Generic, "encoding", 3, encoding, Flags::READONLY)
        .keys(2, 2, 1)
        .access(&["RO"])
        .about("2.2.3", "Names the form in which a value is kept."),
    Spec::new(Group::Generic, "freq", 3, freq, Flags::READONLY)
        .keys(2, 2, 1)
        .access(&["RO"])
        .about("4.0.0", "Tells how often a key was used, which is not counted."),
    Spec::new(Group::Generic, "help", 2, help, Flags::LOADING.union(Flags::STALE))
        .about("6.2.0", "Lists the subcommands."),
    Spec::new(Group::Generic, "idletime", 3, idle_time, Flags::READONLY)
        .keys(2, 2, 1)
        .access(&["RO"])
        .about("2.2.3", "Tells how long a key was not used, which is not measured."),
    Spec::new(Group::Generic, "refcount", 3, ref_count, Flags::READONLY)
        .keys(2, 2, 1)
        .access(&["RO"])
        .about("2.2.3", "Counts the references to a value."),
];

/// What Redis embeds at most in the object itself.
const EMBEDDED_UP_TO: usize = 44;

fn encoding(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let name = call.entry(&arguments[2]).map(|entry| encoding_of(&entry.value));
    Ok(name.map(|name| Bytes::from_static(name.as_bytes())).into())
}

/// The form that Redis gives a value which is made at once. It never turns a large form back into
/// a small one; here it does.
fn encoding_of(value: &Value) -> &'static str {
    match value {
        Value::String(text) if integer(text).is_ok() => "int",
        Value::String(text) if text.len() <= EMBEDDED_UP_TO => "embstr",
        Value::String(_) => "raw",
        Value::Hash(fields) if hashes::is_whole(fields) => "listpack",
        Value::List(_) => "quicklist",
        Value::Set(members) if members.is_sorted() => "intset",
        Value::SortedSet(members) if sorted_sets::is_whole(members) => "listpack",
        Value::SortedSet(_) => "skiplist",
        Value::Hash(_) | Value::Set(_) => "hashtable",
        Value::Stream(_) => "stream",
    }
}

fn freq(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    if call.entry(&arguments[2]).is_none() {
        return Ok(Resp::Nil);
    }
    Err(Refusal(
        "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note \
         that when switching between policies at runtime LRU and LFU data will take some time to \
         adjust."
            .into(),
    ))
}

fn idle_time(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    Ok(call.entry(&arguments[2]).map_or(Resp::Nil, |_| count(0)))
}

fn ref_count(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    Ok(call.entry(&arguments[2]).map_or(Resp::Nil, |_| count(1)))
}
