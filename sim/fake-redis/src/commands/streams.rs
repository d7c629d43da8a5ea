//! Streams.

mod add;
mod claim;
mod group;
mod info;
mod pending;
mod read;

use bytes::Bytes;

use super::super::{
    EntryId, Resp, Stream,
    command::{Answer, Call, Flags, Group, Keys, Refusal, Spec, integer, owned, word},
    resp::{count, text_of},
};

#[rustfmt::skip]
pub(super) const COMMANDS: &[Spec] = &[
    Spec::new(Group::Stream, "xack", -4, pending::xack, Flags::FAST_WRITE)
        .key("RW update").about("5.0.0", "Acknowledges entries that a group delivered."),
    Spec::new(Group::Stream, "xadd", -5, add::xadd, Flags::FAST_GROW)
        .key("RW update").about("5.0.0", "Adds an entry to a stream."),
    Spec::new(Group::Stream, "xautoclaim", -6, claim::xautoclaim, Flags::FAST_WRITE)
        .key("RW delete")
        .about("6.2.0", "Gives entries that were pending for long to another consumer."),
    Spec::new(Group::Stream, "xclaim", -6, claim::xclaim, Flags::FAST_WRITE)
        .key("RW update").about("5.0.0", "Gives pending entries to another consumer."),
    Spec::new(Group::Stream, "xdel", -3, add::xdel, Flags::FAST_WRITE)
        .key("RW delete").about("5.0.0", "Deletes entries of a stream."),
    Spec::new(Group::Stream, "xlen", 2, xlen, Flags::FAST_READ)
        .key("RO").about("5.0.0", "Counts the entries of a stream."),
    Spec::new(Group::Stream, "xpending", -3, pending::xpending, Flags::READONLY)
        .key("RO access").about("5.0.0", "Lists what was delivered and not acknowledged."),
    Spec::new(Group::Stream, "xrange", -4, xrange, Flags::READONLY)
        .key("RO access").about("5.0.0", "Lists the entries of a range."),
    Spec::new(Group::Stream, "xread", -4, |call, words| read::read(call, words, false),
        Flags::READONLY)
        .keys_are(Keys::Streams).access("RO access").blocks(read::waits)
        .about("5.0.0", "Reads entries of streams that are new to the reader."),
    Spec::new(Group::Stream, "xreadgroup", -7, |call, words| read::read(call, words, true),
        Flags::WRITE)
        .keys_are(Keys::Streams).access("RO access").blocks(read::waits)
        .about("5.0.0", "Reads entries of streams that are new to a group."),
    Spec::new(Group::Stream, "xrevrange", -4, xrevrange, Flags::READONLY)
        .key("RO access").about("5.0.0", "Lists the entries of a range, latest first."),
    Spec::new(Group::Stream, "xsetid", -3, add::xsetid, Flags::FAST_GROW)
        .key("RW update").about("5.0.0", "Sets the last identifier of a stream."),
    Spec::new(Group::Stream, "xtrim", -4, add::xtrim, Flags::WRITE)
        .key("RW delete").about("5.0.0", "Removes the oldest entries of a stream."),
    Spec::container(Group::Stream, "xgroup", group::SUBCOMMANDS)
        .about("5.0.0", "Manages the groups of a stream."),
    Spec::container(Group::Stream, "xinfo", info::SUBCOMMANDS)
        .about("5.0.0", "Describes streams, groups and consumers."),
];

fn xlen(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    Ok(count(call.read::<Stream>(&arguments[1])?.map_or(0, |stream| stream.entries.len())))
}

fn xrange(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    list(call, arguments, &arguments[2], &arguments[3], false)
}

fn xrevrange(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    list(call, arguments, &arguments[3], &arguments[2], true)
}

fn list(call: &Call<'_>, arguments: &[Bytes], first: &[u8], last: &[u8], reversed: bool) -> Answer {
    let (first, last) = (range_begin(first)?, range_end(last)?);
    let mut limit = usize::MAX;
    for option in arguments[4..].chunks(2) {
        let [name, number] = option else { return Err(Refusal::SYNTAX) };
        if &*word(name) != b"COUNT" {
            return Err(Refusal::SYNTAX);
        }
        limit = usize::try_from(integer(number)?).unwrap_or(0);
    }
    let Some(stream) = call.read::<Stream>(&arguments[1])? else {
        return Ok(Resp::Array(Vec::new()));
    };
    if limit == 0 {
        return Ok(Resp::NilArray);
    }
    if first > last {
        return Ok(Resp::Array(Vec::new()));
    }
    let found = stream.entries.range(first..=last);
    let entry = |(id, fields): (&EntryId, &Vec<Bytes>)| entry(*id, fields);
    Ok(Resp::Array(if reversed {
        found.rev().take(limit).map(entry).collect()
    } else {
        found.take(limit).map(entry).collect()
    }))
}

/// An entry as a reply.
fn entry(id: EntryId, fields: &[Bytes]) -> Resp {
    let fields = fields.iter().cloned().map(Resp::Bulk).collect();
    Resp::Array(vec![identifier(id), Resp::Array(fields)])
}

fn identifier(id: EntryId) -> Resp {
    Resp::Bulk(id.to_string().into())
}

fn invalid_id() -> Refusal {
    Refusal("ERR Invalid stream ID specified as stream command argument".into())
}

/// An identifier, no sign for one; `sequence` stands in if only the milliseconds are given.
fn parse_id(text: &[u8], sequence: u64) -> Result<EntryId, Refusal> {
    EntryId::parse(text, sequence).ok_or_else(invalid_id)
}

/// The first identifier of a range.
fn range_begin(text: &[u8]) -> Result<EntryId, Refusal> {
    match text {
        b"-" => Ok(EntryId::MIN),
        b"+" => Ok(EntryId::MAX),
        [b'(', id @ ..] => parse_id(id, 0)?
            .next()
            .ok_or_else(|| Refusal("ERR invalid start ID for the interval".into())),
        id => parse_id(id, 0),
    }
}

/// The last identifier of a range.
fn range_end(text: &[u8]) -> Result<EntryId, Refusal> {
    match text {
        b"-" => Ok(EntryId::MIN),
        b"+" => Ok(EntryId::MAX),
        [b'(', id @ ..] => parse_id(id, u64::MAX)?
            .previous()
            .ok_or_else(|| Refusal("ERR invalid end ID for the interval".into())),
        id => parse_id(id, u64::MAX),
    }
}

/// That there is no such stream or group.
fn no_group(key: &[u8], group: &[u8]) -> Refusal {
    let (key, group) = (text_of(key), text_of(group));
    Refusal(format!("NOGROUP No such key '{key}' or consumer group '{group}'").into())
}
