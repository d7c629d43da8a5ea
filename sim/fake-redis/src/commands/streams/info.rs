//! Describing streams, groups and consumers.

use bytes::Bytes;

use super::{
    Answer, Call, Flags, Group, Refusal, Resp, Spec, Stream, count, entry, group::no_such_group,
    help, identifier,
};
use crate::ConsumerGroup;

pub(super) const SUBCOMMANDS: &[Spec] = &[
    Spec::new(Group::Stream, "consumers", 4, consumers, Flags::READONLY)
        .keys(2, 2, 1)
        .access(&["RO access"])
        .about("5.0.0", "Lists the consumers of a group."),
    Spec::new(Group::Stream, "groups", 3, groups, Flags::READONLY)
        .keys(2, 2, 1)
        .access(&["RO access"])
        .about("5.0.0", "Lists the groups of a stream."),
    Spec::new(Group::Stream, "help", 2, help, Flags::LOADING.union(Flags::STALE))
        .about("5.0.0", "Lists the subcommands."),
    Spec::new(Group::Stream, "stream", -3, stream, Flags::READONLY)
        .keys(2, 2, 1)
        .access(&["RO access"])
        .about("5.0.0", "Describes a stream."),
];

/// The short form; `FULL` is not there.
fn stream(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let stream = known(call, &arguments[2])?;
    if arguments.len() > 3 {
        let name = String::from_utf8_lossy(&arguments[1]);
        let text = format!(
            "ERR unknown subcommand or wrong number of arguments for '{name}'. Try XINFO HELP."
        );
        return Err(Refusal(text.into()));
    }
    let shown = |found: Option<(&crate::EntryId, &Vec<Bytes>)>| {
        found.map_or(Resp::Nil, |(id, fields)| entry(*id, fields))
    };
    // What a small stream has in Redis.
    let nodes = 1 + usize::from(!stream.entries.is_empty());
    Ok(map(vec![
        ("length", count(stream.entries.len())),
        ("radix-tree-keys", count(nodes - 1)),
        ("radix-tree-nodes", count(nodes)),
        ("last-generated-id", identifier(stream.last_id)),
        ("max-deleted-entry-id", identifier(stream.max_deleted)),
        ("entries-added", number(stream.added)),
        ("recorded-first-entry-id", identifier(stream.first_id())),
        ("groups", count(stream.groups.len())),
        ("first-entry", shown(stream.entries.first_key_value())),
        ("last-entry", shown(stream.entries.last_key_value())),
    ]))
}

fn groups(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let stream = known(call, &arguments[2])?;
    let described = stream.groups.iter().map(|(name, group)| {
        map(vec![
            ("name", Resp::Bulk(name.clone())),
            ("consumers", count(group.consumers.len())),
            ("pending", count(group.pending.len())),
            ("last-delivered-id", identifier(group.last_id)),
            ("entries-read", group.read.map_or(Resp::Nil, number)),
            ("lag", lag(stream, group).map_or(Resp::Nil, number)),
        ])
    });
    Ok(Resp::Array(described.collect()))
}

/// How many entries the group was not delivered, if it can be told.
fn lag(stream: &Stream, group: &ConsumerGroup) -> Option<u64> {
    let read = match group.read {
        _ if stream.added == 0 => Some(0),
        Some(read) if !stream.has_gap_from(group.last_id) => Some(read),
        _ => stream.added_up_to(group.last_id),
    };
    Some(stream.added.saturating_sub(read?))
}

fn consumers(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let stream = known(call, &arguments[2])?;
    let group = stream.groups.get(&arguments[3]);
    let group = group.ok_or_else(|| no_such_group(&arguments[2], &arguments[3]))?;
    let described = group.consumers.iter().map(|(name, seen_ms)| {
        let pending = group.pending.values().filter(|it| it.consumer == *name).count();
        map(vec![
            ("name", Resp::Bulk(name.clone())),
            ("pending", count(pending)),
            ("idle", number(call.now_ms().saturating_sub(*seen_ms))),
        ])
    });
    Ok(Resp::Array(described.collect()))
}

fn known<'a>(call: &'a Call<'_>, key: &[u8]) -> Result<&'a Stream, Refusal> {
    call.read::<Stream>(key)?.ok_or(Refusal::NO_SUCH_KEY)
}

fn map(pairs: Vec<(&'static str, Resp)>) -> Resp {
    let name = |name: &'static str| Resp::Bulk(Bytes::from_static(name.as_bytes()));
    Resp::Map(pairs.into_iter().map(|(key, value)| (name(key), value)).collect())
}

fn number(number: u64) -> Resp {
    Resp::Integer(i64::try_from(number).unwrap_or(i64::MAX))
}
