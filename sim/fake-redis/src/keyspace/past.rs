//! What the data was a while ago: each change is kept as what takes it back, so that the present is
//! copied and undone step by step. What is too old, or too much, is just forgotten.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::{Entry, Keyspace};
use crate::{
    Redis,
    value::{Aside, Before, Log, LoggedChange, Record, Trace, Value, Was},
};

/// Databases by their numbers.
type Databases = BTreeMap<usize, Keyspace>;

/// The past of a server's databases, as far as it is kept.
#[derive(Debug)]
pub(crate) struct Past {
    /// Lent to a value while it changes.
    log: Trace,
    most_bytes: usize,
    /// The number of the database that is changed now.
    database: u8,
}

/// How far a replica has got: see [`Redis::was`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reached {
    /// It has what was written up to this time; `None` is before all.
    pub at_us: Option<u64>,
    /// And every write up to this number.
    pub write: u64,
}

impl Past {
    /// Begins now. Holds about so many bytes at most.
    fn new(database: usize, most_bytes: usize) -> Self {
        let log = Aside(Some(Box::new(Log::new(most_bytes))));
        let mut past = Self { log, most_bytes, database: 0 };
        past.select(database);
        past
    }

    /// Changes are of this database from now on.
    pub(crate) fn select(&mut self, database: usize) {
        self.database = u8::try_from(database).expect("there are 16 databases");
    }

    pub(super) fn note_absent(&mut self, key: &Bytes) {
        if let Some(log) = &mut self.log.0 {
            log.begin();
            log.complete(self.database, key, None, Was::Absent);
        }
    }

    pub(super) fn note_whole(&mut self, key: &Bytes, was: Entry) {
        if let Some(log) = &mut self.log.0 {
            log.begin();
            was.value.write(log);
            log.complete(self.database, key, was.expires_at_ms, Was::Whole);
        }
    }

    /// Begins to note how a value changes.
    pub(super) fn begin(&mut self, value: &mut Value) -> Before {
        if let Some(log) = &mut self.log.0 {
            log.begin();
        }
        value.begin_trace(&mut self.log)
    }

    /// Ends that. The entry expired at `expires_at_ms` before.
    pub(super) fn end(
        &mut self,
        key: &Bytes,
        entry: &mut Entry,
        expires_at_ms: Option<u64>,
        before: Before,
    ) {
        entry.value.end_trace(&mut self.log, before);
        let Some(log) = &mut self.log.0 else {
            // Somebody has put another type of value in its place, and the log went with the old.
            return self.log = Aside(Some(Box::new(Log::lost(self.most_bytes))));
        };
        if log.has_begun_only() && entry.expires_at_ms == expires_at_ms {
            log.abort();
        } else {
            log.complete(self.database, key, expires_at_ms, Was::Changed);
        }
    }

    /// A place in what the running command has changed so far.
    pub(crate) fn place(&self) -> u64 {
        self.log.0.as_ref().map_or(0, |log| log.next())
    }

    /// Forgets what was changed since, as it was taken back.
    pub(crate) fn forget_since(&mut self, place: u64) {
        if let Some(log) = &mut self.log.0 {
            log.forget_since(place);
        }
    }

    fn at(&self, redis: &Redis, reached: Reached) -> (Databases, usize) {
        let mut databases = copy(redis);
        let mut missing = 0;
        for record in self.log.0.iter().flat_map(|log| log.back()) {
            match record {
                Record::End { at_us, write }
                    if reached.at_us.is_some_and(|reached| at_us <= reached)
                        || write <= reached.write =>
                {
                    break;
                }
                Record::End { .. } => missing += 1,
                Record::Change(change) => {
                    databases.entry(change.database).or_default().undo(change);
                }
            }
        }
        (databases, missing)
    }
}

impl Redis {
    /// From now on keeps how its data changes, in about so many bytes at most; `None`: no more. A
    /// copy of the server does not.
    pub fn keep_past(&mut self, most_bytes: Option<usize>) {
        let selected = self.selected();
        let past = most_bytes.map(|most_bytes| Box::new(Past::new(selected, most_bytes)));
        self.keyspace.past.0 = past;
    }

    /// About how many bytes the past takes now.
    #[must_use]
    pub fn past_bytes(&self) -> usize {
        let log = self.keyspace.past.0.as_ref().and_then(|past| past.log.0.as_ref());
        log.map_or(0, |log| log.size())
    }

    /// Whether anything has changed since the last [`Self::end_write`], if the past is kept.
    #[must_use]
    pub fn is_written(&self) -> bool {
        self.keyspace
            .past
            .0
            .as_ref()
            .is_some_and(|past| past.log.0.as_ref().is_some_and(|log| log.is_written()))
    }

    /// What has changed since the last call is write number `write`, which happened at `at_us`:
    /// microseconds on a clock that does not go back. Forgets the past before `since_us`.
    pub fn end_write(&mut self, at_us: u64, write: u64, since_us: u64) {
        if let Some(log) = self.keyspace.past.0.as_mut().and_then(|past| past.log.0.as_mut()) {
            log.end_batch(at_us, write, since_us);
        }
    }

    /// The databases of a replica that has got so far, by their numbers, and how many writes it
    /// lacks. What is not kept is not lacked. `None` if the past is not kept.
    #[must_use]
    pub fn was(&self, reached: Reached) -> Option<(BTreeMap<usize, Keyspace>, usize)> {
        Some(self.keyspace.past.0.as_ref()?.at(self, reached))
    }
}

/// All that a server has.
pub(crate) fn copy(redis: &Redis) -> Databases {
    let copy = |(number, keys): (usize, &Keyspace)| {
        let mut keys = keys.clone();
        keys.watch_changes(false);
        (number, keys)
    };
    redis.databases().map(copy).collect()
}

impl Keyspace {
    /// Puts the keys of another server in the place of these, as a failover does.
    pub(crate) fn replace_keys(&mut self, mut other: Self) {
        if let Some(mut past) = self.past.0.take() {
            self.note_exchange(&mut past, &other);
            self.past.0 = Some(past);
        }
        self.swap_keys(&mut other);
    }

    fn undo(&mut self, change: LoggedChange<'_>) {
        let LoggedChange { key, expires_at_ms, was, steps, database: _ } = change;
        let entry = match was {
            Was::Absent => None,
            Was::Whole => Value::read(steps).map(|value| Entry { value, expires_at_ms }),
            Was::Changed => self.take(&key).map(|mut entry| {
                entry.expires_at_ms = expires_at_ms;
                entry.value.undo(steps);
                entry
            }),
        };
        self.set_entry(key, entry);
    }

    /// Notes that the keys of `other` take the place of these.
    pub(crate) fn note_exchange(&self, past: &mut Past, other: &Self) {
        for slot in other.slots.iter().filter(|slot| !super::contains(&self.slots, &slot.key)) {
            past.note_absent(&slot.key);
        }
        self.slots.iter().for_each(|slot| past.note_whole(&slot.key, slot.entry.clone()));
    }
}
