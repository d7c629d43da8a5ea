//! What a server does around a command: it counts, notes the use of keys, and publishes events.

use bytes::Bytes;

use super::{
    Classes, Service,
    effects::{self, Change, Shape},
    memory::{NEW_KEY, Order},
    size_of,
};
use crate::{
    Redis,
    command::{Answer, Call, Flags, Function, Group, Spec},
};

/// Commands that look at a key without using it.
const NO_USE: &[&str] = &["exists", "expiretime", "pexpiretime", "pttl", "ttl", "type"];
/// Commands that write, though what they look for counts as read: the number of keys in front that
/// they only write.
const READ_FIRST: &[(&str, usize)] = &[
    ("copy", 0),
    ("getdel", 0),
    ("getex", 0),
    ("getset", 0),
    ("sdiffstore", 1),
    ("sinterstore", 1),
    ("sort", 0),
    ("sunionstore", 1),
    ("xreadgroup", 0),
    ("zdiffstore", 1),
    ("zinterstore", 1),
    ("zrangestore", 1),
    ("zunionstore", 1),
];

/// Runs a command on the data, and does what the server does around it.
pub(crate) fn perform(
    call: &mut Call<'_>,
    (spec, function): (&Spec, Function),
    arguments: &[Bytes],
) -> Answer {
    // A script's commands are seen one by one.
    if call.redis.service.is_none() || spec.group == Group::Scripting {
        return function(call, arguments);
    }
    let (keys, now_us) = (spec.keys.of(arguments), call.now_us);
    let expects = Expects::new(call.redis, now_us, spec, arguments, &keys);
    let answer = function(call, arguments);
    expects.settle(call.redis, now_us, spec, arguments, &keys, &answer);
    answer
}

/// What was there before a command.
struct Expects {
    shapes: Option<Vec<(Shape, u64)>>,
    sizes: Option<Vec<u64>>,
}

impl Expects {
    fn new(
        redis: &mut Redis,
        now_us: u64,
        spec: &Spec,
        arguments: &[Bytes],
        keys: &[&Bytes],
    ) -> Self {
        let Some(service) = &redis.service else { return Self { shapes: None, sizes: None } };
        let writes = spec.flags.contains(Flags::WRITE);
        let (lazy, events) = (service.lazy_expiry, service.classes.any());
        let sizes = (writes && service.memory.is_counted()).then_some(());
        if lazy {
            redis.expire_asked(now_us, keys);
        }
        note_reads(redis, now_us, spec, arguments, keys);
        let shapes = (writes && events).then(|| {
            let shape = |key: &&Bytes| {
                let shape = Shape::of(redis.keyspace.peek(now_us / 1_000, key));
                (shape, redis.keyspace.watch(now_us / 1_000, key))
            };
            keys.iter().map(shape).collect()
        });
        let sizes = sizes.map(|()| distinct(keys).map(|key| size(redis, key)).collect());
        Self { shapes, sizes }
    }

    fn settle(
        self,
        redis: &mut Redis,
        now_us: u64,
        spec: &Spec,
        arguments: &[Bytes],
        keys: &[&Bytes],
        answer: &Answer,
    ) {
        let now_ms = now_us / 1_000;
        if spec.flags.contains(Flags::WRITE) {
            keys.iter().for_each(|key| {
                note_use(redis, now_us, key);
            });
            if elsewhere(spec, arguments)
                && let Some(service) = &mut redis.service
            {
                service.memory.forget();
            }
        }
        for (key, before) in distinct(keys).zip(self.sizes.into_iter().flatten()) {
            let after = size(redis, key);
            if let Some(service) = &mut redis.service {
                service.memory.change(before, after);
            }
        }
        let Some(shapes) = self.shapes else { return };
        let change = |(key, (before, count)): (&&Bytes, (Shape, u64))| {
            let touched = redis.keyspace.is_touched(now_ms, key, count);
            redis.keyspace.unwatch(key);
            let after = Shape::of(redis.keyspace.peek(now_ms, key));
            Change { key: (*key).clone(), before, after, touched }
        };
        let changes: Vec<_> = keys.iter().zip(shapes).map(change).collect();
        if let Ok(reply) = answer {
            for effect in effects::of(spec, arguments, &changes, reply, redis.selected()) {
                redis.notify(effect.class, effect.event, &effect.key, effect.database);
            }
        }
    }
}

/// Whether a command changes keys that its arguments do not name, or of another database.
fn elsewhere(spec: &Spec, arguments: &[Bytes]) -> bool {
    let copies = spec.name == "copy" && arguments.len() > 3;
    copies || matches!(spec.name, "flushall" | "flushdb" | "move" | "swapdb")
}

fn distinct<'a>(keys: &'a [&'a Bytes]) -> impl Iterator<Item = &'a Bytes> {
    let first = |index: usize| !keys[..index].contains(&keys[index]);
    keys.iter().enumerate().filter(move |(index, _)| first(*index)).map(|(_, key)| *key)
}

fn size(redis: &Redis, key: &Bytes) -> u64 {
    redis.keyspace.held(key).map_or(0, |entry| size_of(key, entry))
}

/// Counts hits and misses, and notes that keys are used.
fn note_reads(redis: &mut Redis, now_us: u64, spec: &Spec, arguments: &[Bytes], keys: &[&Bytes]) {
    let from = if spec.flags.contains(Flags::READONLY) {
        if spec.group == Group::Server { None } else { Some(0) }
    } else if spec.name == "set" && arguments[3..].iter().any(|it| it.eq_ignore_ascii_case(b"get"))
    {
        Some(0)
    } else {
        READ_FIRST.iter().find(|(name, _)| *name == spec.name).map(|(_, from)| *from)
    };
    let Some(from) = from else { return };
    let of_object = arguments[0].eq_ignore_ascii_case(b"object");
    let uses = !of_object && !NO_USE.contains(&spec.name);
    // The last key of these is only written.
    let number = if matches!(spec.name, "copy" | "sort") { 1 } else { usize::MAX };
    for key in keys.iter().skip(from).take(number) {
        let found = if uses {
            note_use(redis, now_us, key)
        } else {
            redis.keyspace.peek(now_us / 1_000, key).is_some()
        };
        if let Some(service) = &mut redis.service {
            service.statistics.hits += u64::from(found);
            service.statistics.misses += u64::from(!found);
        }
        if !found && !of_object {
            let database = redis.selected();
            redis.notify(Classes::MISS, "keymiss", key, database);
        }
    }
}

/// Notes that a key is used; whether it is there.
fn note_use(redis: &mut Redis, now_us: u64, key: &[u8]) -> bool {
    let Some(service) = &mut redis.service else { return false };
    let Some(usage) = redis.keyspace.usage_mut(now_us / 1_000, key) else { return false };
    let now_s = u32::try_from(now_us / 1_000_000).unwrap_or(u32::MAX);
    let is_new = usage.used_s == 0;
    if is_new {
        usage.uses = NEW_KEY;
    } else if Service::counts_uses(service) {
        let idle_minutes = now_s.saturating_sub(usage.used_s) / 60;
        usage.uses = service.memory.more_frequent(usage.uses, idle_minutes.into());
    }
    usage.used_s = now_s;
    true
}

impl Service {
    /// Whether it is counted how often a key is used, and not only when.
    pub(crate) fn counts_uses(&self) -> bool {
        self.memory.policy.order == Some(Order::LeastFrequent)
    }
}
