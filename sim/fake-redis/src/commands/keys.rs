//! Keys of any type.

mod expiry;
mod lists;
mod moves;
mod object;

pub(super) use object::encoding_of;

use bytes::Bytes;

use super::super::{
    Entry, Resp,
    command::{Answer, Call, Flags, Group, Refusal, Spec, integer, word},
    resp::count,
};

#[rustfmt::skip]
pub(super) const COMMANDS: &[Spec] = &[
    Spec::new(Group::Generic, "copy", -3, moves::copy, Flags::GROW)
        .keys(1, 2, 1).access("RO access, OW update")
        .about("6.2.0", "Copies what is under a key to another one."),
    Spec::new(Group::Generic, "del", -2, del, Flags::WRITE)
        .keys(1, -1, 1).access("RM delete").about("1.0.0", "Removes keys."),
    Spec::new(Group::Generic, "exists", -2, exists, Flags::FAST_READ)
        .keys(1, -1, 1).access("RO").about("1.0.0", "Counts those of the keys that are there."),
    Spec::new(Group::Generic, "expire", -3,
        |call, words| expiry::set_expiry(call, words, "expire", 1_000, true), Flags::FAST_WRITE)
        .key("RW update").about("1.0.0", "Lets a key expire in some seconds."),
    Spec::new(Group::Generic, "expireat", -3,
        |call, words| expiry::set_expiry(call, words, "expireat", 1_000, false), Flags::FAST_WRITE)
        .key("RW update").about("1.2.0", "Lets a key expire at a Unix time in seconds."),
    Spec::new(Group::Generic, "expiretime", 2, expiry::expire_time, Flags::FAST_READ)
        .key("RO access").about("7.0.0", "Tells the Unix time in seconds at which a key expires."),
    Spec::new(Group::Generic, "keys", 2, lists::keys, Flags::READONLY)
        .about("1.0.0", "Lists the keys that match a pattern."),
    Spec::new(Group::Generic, "move", 3, moves::move_key, Flags::FAST_WRITE)
        .key("RW access update").about("1.0.0", "Moves a key to another database."),
    Spec::new(Group::Generic, "persist", 2, expiry::persist, Flags::FAST_WRITE)
        .key("RW update").about("2.2.0", "Takes the time to live off a key."),
    Spec::new(Group::Generic, "pexpire", -3,
        |call, words| expiry::set_expiry(call, words, "pexpire", 1, true), Flags::FAST_WRITE)
        .key("RW update").about("2.6.0", "Lets a key expire in some milliseconds."),
    Spec::new(Group::Generic, "pexpireat", -3,
        |call, words| expiry::set_expiry(call, words, "pexpireat", 1, false), Flags::FAST_WRITE)
        .key("RW update").about("2.6.0", "Lets a key expire at a Unix time in milliseconds."),
    Spec::new(Group::Generic, "pexpiretime", 2, expiry::pexpire_time, Flags::FAST_READ)
        .key("RO access")
        .about("7.0.0", "Tells the Unix time in milliseconds at which a key expires."),
    Spec::new(Group::Generic, "pttl", 2, expiry::pttl, Flags::FAST_READ)
        .key("RO access").about("2.6.0", "Says how many milliseconds a key has to live."),
    Spec::new(Group::Generic, "randomkey", 1, lists::random_key, Flags::READONLY)
        .about("1.0.0", "Draws a key."),
    Spec::new(Group::Generic, "rename", 3, moves::rename, Flags::WRITE)
        .keys(1, 2, 1).access("RW access delete, OW update")
        .about("1.0.0", "Gives a key another name, whatever had that one."),
    Spec::new(Group::Generic, "renamenx", 3, moves::rename_nx, Flags::FAST_WRITE)
        .keys(1, 2, 1).access("RW access delete, OW insert")
        .about("1.0.0", "Gives a key another name that no key has."),
    Spec::new(Group::Generic, "scan", -2, lists::scan, Flags::READONLY)
        .about("2.8.0", "Lists the keys in pages."),
    Spec::new(Group::Generic, "touch", -2, exists, Flags::FAST_READ)
        .keys(1, -1, 1).access("RO").about("3.2.1", "Counts those of the keys that are there."),
    Spec::new(Group::Generic, "ttl", 2, expiry::ttl, Flags::FAST_READ)
        .key("RO access").about("1.0.0", "Says how many seconds a key has to live."),
    Spec::new(Group::Generic, "type", 2, type_of, Flags::FAST_READ)
        .key("RO").about("1.0.0", "Names the type of what is under a key."),
    Spec::new(Group::Generic, "unlink", -2, del, Flags::FAST_WRITE)
        .keys(1, -1, 1).access("RM delete").about("4.0.0", "Removes keys."),
    Spec::container(Group::Generic, "object", object::SUBCOMMANDS)
        .about("2.2.3", "Tells how a value is kept."),
];

fn del(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let now_ms = call.now_ms();
    let keys = call.keys();
    Ok(count(arguments[1..].iter().filter(|key| keys.remove(now_ms, key)).count()))
}

fn exists(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    Ok(count(arguments[1..].iter().filter(|key| call.entry(key).is_some()).count()))
}

fn type_of(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let name = call.entry(&arguments[1]).map_or("none", |entry| entry.value.type_name());
    Ok(Resp::Simple(name.into()))
}
