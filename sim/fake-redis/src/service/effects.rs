//! The events that a command means, told from what it has left.

use bytes::Bytes;

use super::Classes;
use crate::{
    Entry, Resp, Value,
    command::{Group, Spec, integer_of_32_bits, word},
};

/// An event of a key.
pub(super) struct Effect {
    pub(super) class: Classes,
    pub(super) event: &'static str,
    pub(super) key: Bytes,
    pub(super) database: usize,
}

/// What can be seen of a key, as far as events depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    exists: bool,
    /// How many entries a stream has, and how many consumers.
    entries: usize,
    consumers: usize,
}

/// What became of a key.
pub(super) struct Change {
    pub(super) key: Bytes,
    pub(super) before: Shape,
    pub(super) after: Shape,
    /// Whether whoever watches it would notice.
    pub(super) touched: bool,
}

impl Shape {
    pub(super) fn of(entry: Option<&Entry>) -> Self {
        let stream = entry.and_then(|entry| match &entry.value {
            Value::Stream(stream) => Some(stream),
            _ => None,
        });
        Self {
            exists: entry.is_some(),
            entries: stream.map_or(0, |stream| stream.entries.len()),
            consumers: stream
                .map_or(0, |it| it.groups.values().map(|group| group.consumers.len()).sum()),
        }
    }
}

/// The events of one command so far.
struct Effects {
    list: Vec<Effect>,
    database: usize,
}

impl Effects {
    fn add(&mut self, class: Classes, event: &'static str, key: &Bytes) {
        let database = self.database;
        self.list.push(Effect { class, event, key: key.clone(), database });
    }

    /// A change of one key, which may be new before.
    fn written(&mut self, class: Classes, event: &'static str, change: &Change) {
        if !change.before.exists {
            self.add(Classes::NEW, "new", &change.key);
        }
        self.add(class, event, &change.key);
    }

    /// The same of a key that may be gone behind.
    fn changed(&mut self, class: Classes, event: &'static str, change: &Change) {
        self.written(class, event, change);
        if !change.after.exists {
            self.add(Classes::GENERIC, "del", &change.key);
        }
    }

    /// A key that is put in the place of whatever was there.
    fn stored(&mut self, class: Classes, event: &'static str, change: &Change) {
        if change.after.exists {
            self.changed(class, event, change);
        } else if change.before.exists {
            self.add(Classes::GENERIC, "del", &change.key);
        }
    }
}

/// The events of a command that has changed these keys of `database`, in order.
pub(super) fn of(
    spec: &Spec,
    arguments: &[Bytes],
    changes: &[Change],
    reply: &Resp,
    database: usize,
) -> Vec<Effect> {
    let mut effects = Effects { list: Vec::new(), database };
    match spec.group {
        Group::Generic => of_keys(&mut effects, spec, arguments, changes, reply),
        Group::List => of_lists(&mut effects, spec, arguments, changes),
        Group::Stream => of_streams(&mut effects, spec, arguments, changes, reply),
        _ => of_values(&mut effects, spec, arguments, changes),
    }
    effects.list
}

fn of_keys(
    effects: &mut Effects,
    spec: &Spec,
    arguments: &[Bytes],
    changes: &[Change],
    reply: &Resp,
) {
    let done = matches!(reply, Resp::Integer(1) | Resp::Simple(_));
    match (spec.name, changes) {
        ("del" | "unlink", changes) => {
            for (index, change) in changes.iter().enumerate() {
                let again = changes[..index].iter().any(|other| other.key == change.key);
                if change.before.exists && !again {
                    effects.add(Classes::GENERIC, "del", &change.key);
                }
            }
        }
        ("expire" | "expireat" | "pexpire" | "pexpireat", [change]) if done => {
            let event = if change.after.exists { "expire" } else { "del" };
            effects.add(Classes::GENERIC, event, &change.key);
        }
        ("persist", [change]) if done => {
            effects.add(Classes::GENERIC, "persist", &change.key);
        }
        ("rename" | "renamenx", [old, new]) if done && old.key != new.key => {
            effects.add(Classes::NEW, "new", &new.key);
            effects.add(Classes::GENERIC, "rename_from", &old.key);
            effects.add(Classes::GENERIC, "rename_to", &new.key);
        }
        ("copy", [_, new]) if done => {
            let to = arguments[3..].windows(2).rfind(|pair| &*word(&pair[0]) == b"DB");
            effects.database = to.map_or(effects.database, |pair| database(&pair[1]));
            effects.add(Classes::NEW, "new", &new.key);
            effects.add(Classes::GENERIC, "copy_to", &new.key);
        }
        ("move", [change]) if done => {
            let (from, to) = (effects.database, database(&arguments[2]));
            effects.database = to;
            effects.add(Classes::NEW, "new", &change.key);
            effects.database = from;
            effects.add(Classes::GENERIC, "move_from", &change.key);
            effects.database = to;
            effects.add(Classes::GENERIC, "move_to", &change.key);
        }
        ("sort", [_, target]) if target.touched => {
            effects.stored(Classes::LIST, "sortstore", target);
        }
        _ => {}
    }
}

fn database(number: &[u8]) -> usize {
    integer_of_32_bits(number).ok().and_then(|number| usize::try_from(number).ok()).unwrap_or(0)
}

fn of_lists(effects: &mut Effects, spec: &Spec, arguments: &[Bytes], changes: &[Change]) {
    let is = |index: usize, name: &[u8]| {
        arguments.get(index).is_some_and(|argument| argument.eq_ignore_ascii_case(name))
    };
    let popped = |left: bool| if left { "lpop" } else { "rpop" };
    let pushed = |left: bool| if left { "lpush" } else { "rpush" };
    let ends = match spec.name {
        "lmove" | "blmove" => Some((is(3, b"left"), is(4, b"left"))),
        "rpoplpush" | "brpoplpush" => Some((false, true)),
        _ => None,
    };
    if let (Some((from_left, to_left)), [source, target]) = (ends, changes) {
        if source.touched {
            if !target.before.exists {
                effects.add(Classes::NEW, "new", &target.key);
            }
            effects.add(Classes::LIST, pushed(to_left), &target.key);
            effects.add(Classes::LIST, popped(from_left), &source.key);
            if !source.after.exists {
                effects.add(Classes::GENERIC, "del", &source.key);
            }
        }
        return;
    }
    let event = match spec.name {
        "blpop" | "lpop" => "lpop",
        "brpop" | "rpop" => "rpop",
        "lmpop" | "blmpop" => popped(arguments.iter().any(|it| it.eq_ignore_ascii_case(b"left"))),
        "lpush" | "lpushx" => "lpush",
        "rpush" | "rpushx" => "rpush",
        name => name,
    };
    // One event, also if a key is named twice.
    if let Some(change) = changes.iter().find(|change| change.touched) {
        effects.changed(Classes::LIST, event, change);
    }
}

fn of_streams(
    effects: &mut Effects,
    spec: &Spec,
    arguments: &[Bytes],
    changes: &[Change],
    reply: &Resp,
) {
    let is_xgroup = arguments[0].eq_ignore_ascii_case(b"xgroup");
    for (index, change) in changes.iter().enumerate() {
        if changes[..index].iter().any(|other| other.key == change.key) {
            continue;
        }
        let made_consumer = change.after.consumers > change.before.consumers;
        let event = match spec.name {
            "create" if is_xgroup => Some("xgroup-create"),
            "destroy" if *reply == Resp::Integer(1) => Some("xgroup-destroy"),
            "setid" if is_xgroup => Some("xgroup-setid"),
            "delconsumer" if change.after.consumers < change.before.consumers => {
                Some("xgroup-delconsumer")
            }
            "createconsumer" | "xreadgroup" | "xclaim" | "xautoclaim" if made_consumer => {
                Some("xgroup-createconsumer")
            }
            "xsetid" => Some("xsetid"),
            "xadd" | "xdel" | "xtrim" if change.touched => Some(spec.name),
            _ => None,
        };
        let Some(event) = event else { continue };
        effects.changed(Classes::STREAM, event, change);
        if event == "xadd" && change.after.entries <= change.before.entries {
            effects.add(Classes::STREAM, "xtrim", &change.key);
        }
    }
}

/// Strings, hashes, sets and sorted sets.
fn of_values(effects: &mut Effects, spec: &Spec, arguments: &[Bytes], changes: &[Change]) {
    let has = |name: &[u8]| arguments.iter().skip(2).any(|it| it.eq_ignore_ascii_case(name));
    let stores = spec.name.ends_with("store");
    let class = match spec.group {
        Group::Hash => Classes::HASH,
        Group::Set => Classes::SET,
        Group::SortedSet => Classes::SORTED_SET,
        _ => Classes::STRING,
    };
    if let ("smove", [source, target]) = (spec.name, changes) {
        if source.touched {
            effects.changed(class, "srem", source);
        }
        if target.touched && target.key != source.key {
            effects.changed(class, "sadd", target);
        }
        return;
    }
    // What is stored is stored under the first key.
    let number = if stores { 1 } else { changes.len() };
    let touched = changes.iter().take(number).enumerate().filter(|(_, change)| change.touched);
    for (index, change) in touched {
        if changes[..index].iter().any(|other| other.key == change.key) {
            // Named twice, it is written twice by these alone.
            if matches!(spec.name, "mset" | "msetnx") {
                effects.add(class, "set", &change.key);
            }
            continue;
        }
        let event = match spec.name {
            "decr" | "decrby" | "incr" | "incrby" => "incrby",
            "getset" | "mset" | "msetnx" | "psetex" | "setex" | "setnx" => "set",
            "getdel" => "del",
            "getex" if !change.after.exists => "del",
            "getex" if has(b"persist") => "persist",
            "getex" => "expire",
            "hmset" | "hsetnx" => "hset",
            "zincrby" => "zincr",
            "zadd" if arguments[2..].iter().take(6).any(|it| it.eq_ignore_ascii_case(b"incr")) => {
                "zincr"
            }
            "bzmpop" | "zmpop" if has(b"min") => "zpopmin",
            "bzmpop" | "zmpop" => "zpopmax",
            "bzpopmax" => "zpopmax",
            "bzpopmin" => "zpopmin",
            name => name,
        };
        match event {
            "del" | "expire" | "persist" => effects.add(Classes::GENERIC, event, &change.key),
            // It is there, if only to expire at once.
            "set" => effects.written(class, event, change),
            _ if stores => effects.stored(class, event, change),
            _ => effects.changed(class, event, change),
        }
        let expires = matches!(spec.name, "setex" | "psetex")
            || spec.name == "set"
                && ["ex", "px", "exat", "pxat"].iter().any(|unit| {
                    arguments[3..].iter().any(|it| it.eq_ignore_ascii_case(unit.as_bytes()))
                });
        if expires {
            effects.add(Classes::GENERIC, "expire", &change.key);
        }
    }
}
