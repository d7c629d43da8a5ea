//! Managing groups.

use bytes::Bytes;

use super::{
    Answer, Call, EntryId, Flags, Group, Refusal, Resp, Spec, Stream, count, integer, owned,
    parse_id, text_of, word,
};
use crate::ConsumerGroup;

#[rustfmt::skip]
pub(super) const SUBCOMMANDS: &[Spec] = &[
    Spec::new(Group::Stream, "create", -5, create, Flags::GROW)
        .keys(2, 2, 1).access("RW insert").about("5.0.0", "Creates a group."),
    Spec::new(Group::Stream, "createconsumer", 5, create_consumer, Flags::GROW)
        .keys(2, 2, 1).access("RW insert").about("6.2.0", "Creates a consumer in a group."),
    Spec::new(Group::Stream, "delconsumer", 5, delete_consumer, Flags::WRITE)
        .keys(2, 2, 1).access("RW delete")
        .about("5.0.0", "Removes a consumer with what is pending for it."),
    Spec::new(Group::Stream, "destroy", 4, destroy, Flags::WRITE)
        .keys(2, 2, 1).access("RW delete").about("5.0.0", "Removes a group."),
    Spec::help(Group::Stream, "5.0.0"),
    Spec::new(Group::Stream, "setid", -5, set_id, Flags::WRITE)
        .keys(2, 2, 1).access("RW update").about("5.0.0", "Sets what a group was delivered last."),
];

fn create(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let (key, name) = (&arguments[2], &arguments[3]);
    let options = Options::parse(&arguments[5..], &arguments[1], true)?;
    if !options.make_stream {
        stream(call, key)?;
    }
    let known = call.read::<Stream>(key)?;
    check_number(8, arguments)?;
    let last_id = last_id(known, &arguments[4])?;
    let known = |stream: &Stream| stream.groups.contains_key(name);
    if call.read::<Stream>(key)?.is_some_and(known) {
        return Err(Refusal("BUSYGROUP Consumer Group name already exists".into()));
    }
    call.change_unnoticed(key, |stream: &mut Stream| {
        let mut group = ConsumerGroup::default();
        (group.last_id, group.read) = (last_id, options.read);
        stream.groups.insert(owned(name), group);
    })?;
    Ok(Resp::OK)
}

fn set_id(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let options = Options::parse(&arguments[5..], &arguments[1], false)?;
    known_group(call, arguments)?;
    check_number(7, arguments)?;
    let stream = call.read::<Stream>(&arguments[2])?;
    let last_id = match &*arguments[4] {
        b"-" => EntryId::MIN,
        b"+" => EntryId::MAX,
        id => last_id(stream, id)?,
    };
    in_group(call, arguments, |group| {
        group.last_id = last_id;
        group.read = options.read;
    })?;
    Ok(Resp::OK)
}

fn destroy(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let known = stream(call, &arguments[2])?.groups.contains_key(&arguments[3]);
    if known {
        let key = &arguments[2];
        call.change_unnoticed(key, |stream: &mut Stream| stream.groups.remove(&arguments[3]))?;
        // Those who wait for the group are told that it is gone.
        call.keys().call(key);
    }
    Ok(known.into())
}

fn create_consumer(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let known = known_group(call, arguments)?.consumers.contains_key(&arguments[4]);
    let now_ms = call.now_ms();
    if !known {
        in_group(call, arguments, |group| {
            group.consumers.insert(owned(&arguments[4]), now_ms);
        })?;
    }
    Ok((!known).into())
}

fn delete_consumer(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let group = known_group(call, arguments)?;
    let pending = group.pending.values().filter(|it| it.consumer == arguments[4]).count();
    if group.consumers.contains_key(&arguments[4]) {
        in_group(call, arguments, |group| {
            group.consumers.remove(&arguments[4]);
            let own = group.pending.iter().filter(|(_, it)| it.consumer == arguments[4]);
            let own: Vec<_> = own.map(|(id, _)| *id).collect();
            own.iter().for_each(|id| _ = group.pending.remove(id));
        })?;
    }
    Ok(count(pending))
}

/// The options of `CREATE` and `SETID`.
#[derive(Debug, Default)]
struct Options {
    make_stream: bool,
    read: Option<u64>,
}

impl Options {
    fn parse(options: &[Bytes], subcommand: &[u8], creates: bool) -> Result<Self, Refusal> {
        let mut parsed = Self::default();
        let mut rest = options;
        while let [option, behind @ ..] = rest {
            rest = behind;
            match (&*word(option), behind) {
                (b"MKSTREAM", _) if creates => parsed.make_stream = true,
                (b"ENTRIESREAD", [number, behind @ ..]) => {
                    rest = behind;
                    parsed.read = entries_read(number)?;
                }
                _ => return Err(wrong_number(subcommand)),
            }
        }
        Ok(parsed)
    }
}

fn entries_read(number: &[u8]) -> Result<Option<u64>, Refusal> {
    match integer(number)? {
        -1 => Ok(None),
        number => u64::try_from(number)
            .map(Some)
            .map_err(|_| Refusal("ERR value for ENTRIESREAD must be positive or -1".into())),
    }
}

/// An option may come twice, but no more words than these.
fn check_number(most: usize, arguments: &[Bytes]) -> Result<(), Refusal> {
    if arguments.len() <= most { Ok(()) } else { Err(wrong_number(&arguments[1])) }
}

fn wrong_number(subcommand: &[u8]) -> Refusal {
    let name = text_of(subcommand);
    let text = "ERR unknown subcommand or wrong number of arguments for";
    Refusal(format!("{text} '{name}'. Try XGROUP HELP.").into())
}

/// An identifier, or `$` for the last one of the stream.
fn last_id(stream: Option<&Stream>, id: &[u8]) -> Result<EntryId, Refusal> {
    match id {
        b"$" => Ok(stream.map(|stream| stream.last_id).unwrap_or_default()),
        id => parse_id(id, 0),
    }
}

fn stream<'a>(call: &'a Call<'_>, key: &[u8]) -> Result<&'a Stream, Refusal> {
    call.read::<Stream>(key)?.ok_or_else(|| {
        Refusal(
            "ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may \
             want to use the MKSTREAM option to create an empty stream automatically."
                .into(),
        )
    })
}

fn known_group<'a>(call: &'a Call<'_>, arguments: &[Bytes]) -> Result<&'a ConsumerGroup, Refusal> {
    let (key, name) = (&arguments[2], &arguments[3]);
    stream(call, key)?.groups.get(name).ok_or_else(|| no_such_group(key, name))
}

/// That a stream has no such group.
pub(super) fn no_such_group(key: &[u8], name: &[u8]) -> Refusal {
    let (key, name) = (text_of(key), text_of(name));
    Refusal(format!("NOGROUP No such consumer group '{name}' for key name '{key}'").into())
}

fn in_group(
    call: &mut Call<'_>,
    arguments: &[Bytes],
    change: impl FnOnce(&mut ConsumerGroup),
) -> Result<(), Refusal> {
    call.change_unnoticed(&arguments[2], |stream: &mut Stream| {
        stream.groups.within(&arguments[3]).map(change);
    })
}
