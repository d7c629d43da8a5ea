//! Describing streams, groups and consumers.

use bytes::Bytes;

use super::{
    Answer, Call, EntryId, Flags, Group, Refusal, Resp, Spec, Stream, count, entry,
    group::no_such_group, identifier, integer, text_of, word,
};
use crate::ConsumerGroup;

#[rustfmt::skip]
pub(super) const SUBCOMMANDS: &[Spec] = &[
    Spec::new(Group::Stream, "consumers", 4, consumers, Flags::READONLY)
        .keys(2, 2, 1).access("RO access").about("5.0.0", "Lists the consumers of a group."),
    Spec::new(Group::Stream, "groups", 3, groups, Flags::READONLY)
        .keys(2, 2, 1).access("RO access").about("5.0.0", "Lists the groups of a stream."),
    Spec::help(Group::Stream, "5.0.0"),
    Spec::new(Group::Stream, "stream", -3, stream, Flags::READONLY)
        .keys(2, 2, 1).access("RO access").about("5.0.0", "Describes a stream."),
];

/// How much of each list the long form shows, if it is not told.
const SHOWN: usize = 10;

fn stream(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let stream = known(call, &arguments[2])?;
    let mut described = vec![
        ("length", count(stream.entries.len())),
        ("radix-tree-keys", count(stream.pieces().len())),
        ("radix-tree-nodes", count(stream.pieces().nodes())),
        ("last-generated-id", identifier(stream.last_id)),
        ("max-deleted-entry-id", identifier(stream.max_deleted)),
        ("entries-added", number(stream.added)),
        ("recorded-first-entry-id", identifier(stream.first_id())),
    ];
    let options = &arguments[3..];
    if options.is_empty() {
        let shown = |found: Option<(&EntryId, &Vec<Bytes>)>| {
            found.map_or(Resp::Nil, |(id, fields)| entry(*id, fields))
        };
        described.extend([
            ("groups", count(stream.groups.len())),
            ("first-entry", shown(stream.entries.first_key_value())),
            ("last-entry", shown(stream.entries.last_key_value())),
        ]);
        return Ok(map(described));
    }
    let most = shown_at_most(options, &arguments[1])?;
    let entries = stream.entries.iter().take(most).map(|(id, fields)| entry(*id, fields));
    let groups = stream.groups.iter().map(|(name, group)| in_full(stream, name, group, most));
    described.extend([
        ("entries", Resp::Array(entries.collect())),
        ("groups", Resp::Array(groups.collect())),
    ]);
    Ok(map(described))
}

/// What `FULL` and `COUNT` say.
fn shown_at_most(options: &[Bytes], subcommand: &[u8]) -> Result<usize, Refusal> {
    let is = |option: &Bytes, name: &[u8]| *word(option) == *name;
    match options {
        [full] if is(full, b"FULL") => Ok(SHOWN),
        [full, option, number] if is(full, b"FULL") && is(option, b"COUNT") => {
            Ok(match usize::try_from(integer(number)?) {
                Ok(0) => usize::MAX,
                Ok(number) => number,
                Err(_) => SHOWN,
            })
        }
        _ => {
            let name = text_of(subcommand);
            let text = format!(
                "ERR unknown subcommand or wrong number of arguments for '{name}'. Try XINFO HELP."
            );
            Err(Refusal(text.into()))
        }
    }
}

/// A group with the first `most` of what is pending, also by consumer.
fn in_full(stream: &Stream, name: &Bytes, group: &ConsumerGroup, most: usize) -> Resp {
    let pending = group.pending.iter().take(most).map(|(id, it)| {
        let consumer = Resp::Bulk(it.consumer.clone());
        let times = [number(it.delivered_ms), number(it.deliveries)];
        Resp::Array([identifier(*id), consumer].into_iter().chain(times).collect())
    });
    let consumers = group.consumers.iter().map(|(name, seen_ms)| {
        let own = || group.pending.iter().filter(|(_, it)| it.consumer == *name);
        let shown = own().take(most).map(|(id, it)| {
            Resp::Array(vec![identifier(*id), number(it.delivered_ms), number(it.deliveries)])
        });
        map(vec![
            ("name", Resp::Bulk(name.clone())),
            ("seen-time", number(*seen_ms)),
            ("pel-count", count(own().count())),
            ("pending", Resp::Array(shown.collect())),
        ])
    });
    map(vec![
        ("name", Resp::Bulk(name.clone())),
        ("last-delivered-id", identifier(group.last_id)),
        ("entries-read", group.read.map_or(Resp::Nil, number)),
        ("lag", lag(stream, group)),
        ("pel-count", count(group.pending.len())),
        ("pending", Resp::Array(pending.collect())),
        ("consumers", Resp::Array(consumers.collect())),
    ])
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
            ("lag", lag(stream, group)),
        ])
    });
    Ok(Resp::Array(described.collect()))
}

/// How many entries the group was not delivered, if it can be told. Less than none if it was told to
/// have read more than there were.
fn lag(stream: &Stream, group: &ConsumerGroup) -> Resp {
    let read = match group.read {
        _ if stream.added == 0 => Some(0),
        Some(read) if !stream.has_gap_from(group.last_id) => Some(read),
        _ => stream.added_up_to(group.last_id),
    };
    read.map_or(Resp::Nil, |read| {
        Resp::Integer(stream.added.cast_signed().wrapping_sub(read.cast_signed()))
    })
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
