//! How much memory the data take, by an estimate that is the same on every machine; and which keys
//! give way if that is too much.
//!
//! The estimate: [`BASE`] for the server; for each key 56 bytes, its length and its value. A
//! collection counts the mean of its first five elements for each, and 16 to 64 bytes more.

use bytes::Bytes;

use super::{Classes, Redis};
use crate::{Entry, Value, random::Random};

/// What a server without keys takes.
pub(crate) const BASE: u64 = 1 << 20;
/// What a key takes beside its name and its value.
const KEY: usize = 56;
/// How many elements of a collection are looked at.
const SAMPLES: usize = 5;
/// Up to so many keys, all are compared; of more, [`DRAWN`].
const COMPARED: usize = 1_000;
const DRAWN: usize = 64;

/// The limit, and what is known of the memory.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Memory {
    /// 0 for none.
    pub(crate) limit: u64,
    pub(crate) policy: Policy,
    pub(crate) lfu_log_factor: u32,
    pub(crate) lfu_decay_minutes: u32,
    /// What the keys take, kept up to date while there is a limit; `None` if it has to be counted.
    keys: Option<u64>,
    peak: u64,
    random: Random,
}

/// `maxmemory-policy`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Policy {
    /// What the first keys to go have in common; `None` evicts nothing.
    pub(crate) order: Option<Order>,
    /// Whether only keys that expire may go.
    volatile: bool,
}

/// Which key goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Order {
    LeastRecent,
    LeastFrequent,
    Random,
    SoonestExpiry,
}

impl Policy {
    pub(crate) fn parse(name: &[u8]) -> Self {
        let order = match name {
            b"volatile-ttl" => Some(Order::SoonestExpiry),
            name if name.ends_with(b"-lru") => Some(Order::LeastRecent),
            name if name.ends_with(b"-lfu") => Some(Order::LeastFrequent),
            name if name.ends_with(b"-random") => Some(Order::Random),
            _ => None,
        };
        Self { order, volatile: name.starts_with(b"volatile-") }
    }
}

/// About how many bytes a key takes with its value.
pub(crate) fn size_of(key: &[u8], entry: &Entry) -> u64 {
    (KEY + key.len() + size_of_value(&entry.value)) as u64
}

fn size_of_value(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len() + 16,
        Value::List(items) => elements(items.len(), 16, items.iter().map(Bytes::len)),
        Value::Set(members) => elements(members.len(), 40, members.iter().map(Bytes::len)),
        Value::Hash(fields) => {
            elements(fields.len(), 56, fields.iter().map(|(name, value)| name.len() + value.len()))
        }
        Value::SortedSet(set) => elements(set.len(), 64, set.iter().map(|(_, name)| name.len())),
        Value::Stream(stream) => {
            let sizes = stream.entries.values();
            let sizes = sizes.map(|fields| fields.iter().map(Bytes::len).sum());
            let groups = stream.groups.values();
            let pending: usize = groups.map(|group| 256 + group.pending.len() * 64).sum();
            elements(stream.entries.len(), 32, sizes) + pending
        }
    }
}

fn elements(number: usize, each: usize, sizes: impl Iterator<Item = usize>) -> usize {
    let (sum, seen) = sizes.take(SAMPLES).fold((0, 0), |(sum, seen), size| (sum + size, seen + 1));
    64 + number * (each + sum / std::cmp::max(seen, 1))
}

impl Memory {
    /// Whether it is kept up to date with each write.
    pub(crate) fn is_counted(&self) -> bool {
        self.keys.is_some()
    }

    /// Lets the keys be counted anew when that is asked for.
    pub(crate) fn forget(&mut self) {
        self.keys = None;
    }

    pub(super) fn subtract(&mut self, bytes: u64) {
        self.keys = self.keys.map(|keys| keys.saturating_sub(bytes));
    }

    /// After a key that took `before` bytes takes `after`.
    pub(super) fn change(&mut self, before: u64, after: u64) {
        self.keys = self.keys.map(|keys| (keys + after).saturating_sub(before));
    }

    /// What the server takes, if that is `keys`; and the most that it ever took, as far as was seen.
    pub(crate) fn used(&self, keys: u64) -> (u64, u64) {
        (BASE + keys, self.peak.max(BASE + keys))
    }

    /// How often a key is used, after it was used once more `idle_minutes` after the last time.
    pub(super) fn more_frequent(&mut self, uses: u8, idle_minutes: u64) -> u8 {
        let uses = self.decayed(uses, idle_minutes);
        let above = u64::from(uses.saturating_sub(NEW_KEY));
        let odds = above * u64::from(self.lfu_log_factor) + 1;
        let more = uses < u8::MAX && self.random.next().is_multiple_of(odds);
        uses + u8::from(more)
    }

    /// The same, without a use.
    pub(crate) fn decayed(&self, uses: u8, idle_minutes: u64) -> u8 {
        let decay = u64::from(self.lfu_decay_minutes);
        let lost = idle_minutes.checked_div(decay).unwrap_or(0);
        uses.saturating_sub(u8::try_from(lost).unwrap_or(u8::MAX))
    }
}

/// How often a new key counts as used.
pub(crate) const NEW_KEY: u8 = 5;

/// What all keys take.
pub(crate) fn count(redis: &Redis) -> u64 {
    redis.databases().map(|(_, keys)| keys.sum_of(size_of)).sum()
}

impl Redis {
    /// Lets keys go until there is room; whether there is none even so.
    pub(crate) fn is_out_of_memory(&mut self, now_us: u64) -> bool {
        let Some(service) = &self.service else { return false };
        let (limit, policy) = (service.memory.limit, service.memory.policy);
        if self.memory != crate::Memory::Free {
            return true;
        }
        if limit == 0 {
            return false;
        }
        loop {
            let keys = self.service.as_ref().and_then(|service| service.memory.keys);
            let keys = keys.unwrap_or_else(|| count(self));
            if let Some(service) = &mut self.service {
                service.memory.keys = Some(keys);
                service.memory.peak = service.memory.peak.max(BASE + keys);
            }
            if BASE + keys <= limit {
                return false;
            }
            let Some(order) = policy.order else { return true };
            let Some((database, key)) = self.first_to_go(now_us, order, policy.volatile) else {
                return true;
            };
            self.evict(database, &key);
        }
    }

    fn evict(&mut self, database: usize, key: &Bytes) {
        let gone = self.with_database(database, |redis| redis.keyspace.take(key)).flatten();
        if let Some(service) = &mut self.service {
            service.memory.subtract(gone.map_or(0, |entry| size_of(key, &entry)));
            service.statistics.evicted += 1;
        }
        self.notify(Classes::EVICTED, "evicted", key, database);
    }

    /// The key that is to go first, with its database. Among equal ones the first by name.
    fn first_to_go(&mut self, now_us: u64, order: Order, volatile: bool) -> Option<(usize, Bytes)> {
        let mut random = self.service.as_ref()?.memory.random.clone();
        let databases: Vec<_> = self.databases().map(|(number, _)| number).collect();
        let mut best: Option<((u64, usize, Bytes), usize)> = None;
        for database in databases {
            let of_database = self.with_database(database, |redis| {
                redis.candidates(now_us, order, volatile, &mut random)
            });
            for (rank, key) in of_database.into_iter().flatten() {
                let place = (rank, database, key);
                if best.as_ref().is_none_or(|(other, _)| place < *other) {
                    best = Some((place, database));
                }
            }
        }
        self.service.as_mut()?.memory.random = random;
        best.map(|((_, _, key), database)| (database, key))
    }

    /// Keys of the selected database that may go, with their ranks: the least goes first.
    fn candidates(
        &mut self,
        now_us: u64,
        order: Order,
        volatile: bool,
        random: &mut Random,
    ) -> Vec<(u64, Bytes)> {
        let service = self.service.take();
        let rank = |used_s: u32, uses: u8, entry: &Entry| {
            let idle_minutes = (now_us / 1_000_000).saturating_sub(used_s.into()) / 60;
            let uses = service.as_ref().map_or(uses, |it| it.memory.decayed(uses, idle_minutes));
            match order {
                Order::LeastRecent => used_s.into(),
                Order::LeastFrequent => uses.into(),
                Order::SoonestExpiry => entry.expires_at_ms.unwrap_or(u64::MAX),
                Order::Random => 0,
            }
        };
        let drawn = (self.keyspace.len() > COMPARED || order == Order::Random).then_some(DRAWN);
        let mut found = match drawn {
            None => self.keyspace.ranked(volatile, &rank),
            Some(number) => (0..number)
                .filter_map(|_| {
                    let key = self.keyspace.near(random.next())?.clone();
                    self.keyspace.ranked_one(&key, volatile, &rank)
                })
                .collect(),
        };
        if found.is_empty() && drawn.is_some() {
            found = self.keyspace.ranked(volatile, &rank);
        }
        if order == Order::Random {
            found.truncate(1);
        }
        self.service = service;
        found
    }
}
