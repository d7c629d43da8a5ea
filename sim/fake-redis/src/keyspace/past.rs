//! What the data was a while ago: each change is kept as what takes it back, so that the present is
//! copied and undone step by step. What is too old, or too much, is just forgotten.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;

use super::{Entry, Keyspace};
use crate::{Redis, value::Steps};

/// What a change takes beside its bytes, about.
const RECORD: usize = 256;

/// Databases by their numbers.
type Databases = BTreeMap<usize, Keyspace>;

/// The past of a server's databases, as far as it is kept.
#[derive(Debug)]
pub(crate) struct Past {
    records: VecDeque<Record>,
    batches: VecDeque<Batch>,
    /// How many records there are of the command that runs.
    open: usize,
    /// Whether the command that runs changes more than is kept: nothing before it can be known.
    too_much: bool,
    bytes: usize,
    most_bytes: usize,
    /// The number of the database that is changed now.
    database: usize,
    added: u64,
}

/// One change of one key.
#[derive(Debug)]
struct Record {
    database: usize,
    key: Bytes,
    was: Was,
    bytes: usize,
}

/// What a key was before a change.
#[derive(Debug)]
enum Was {
    Absent,
    Whole(Entry),
    Changed(Option<u64>, Steps),
}

/// What one command changed: so many records.
#[derive(Clone, Copy, Debug)]
struct Batch {
    at_us: u64,
    write: u64,
    records: usize,
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
        Self {
            records: VecDeque::new(),
            batches: VecDeque::new(),
            open: 0,
            too_much: false,
            bytes: 0,
            most_bytes,
            database,
            added: 0,
        }
    }

    /// Changes are of this database from now on.
    pub(crate) fn select(&mut self, database: usize) {
        self.database = database;
    }

    pub(super) fn note_absent(&mut self, key: &Bytes) {
        self.add(key, Was::Absent, 0);
    }

    pub(super) fn note_whole(&mut self, key: &Bytes, was: Entry) {
        let bytes = was.value.bytes();
        self.add(key, Was::Whole(was), bytes);
    }

    pub(super) fn note_changed(&mut self, key: &Bytes, expires_at_ms: Option<u64>, steps: Steps) {
        let bytes = steps.bytes();
        self.add(key, Was::Changed(expires_at_ms, steps), bytes);
    }

    fn add(&mut self, key: &Bytes, was: Was, bytes: usize) {
        self.added += 1;
        if self.too_much {
            return;
        }
        let bytes = RECORD + key.len() + bytes;
        self.bytes += bytes;
        self.open += 1;
        self.records.push_back(Record { database: self.database, key: key.clone(), was, bytes });
        while self.bytes > self.most_bytes {
            if !self.forget_batch() {
                self.too_much = true;
                (self.open, self.bytes, self.records) = (0, 0, VecDeque::new());
            }
        }
    }

    fn forget_batch(&mut self) -> bool {
        let Some(batch) = self.batches.pop_front() else { return false };
        let forgotten = self.records.drain(..batch.records);
        self.bytes -= forgotten.map(|record| record.bytes).sum::<usize>();
        true
    }

    fn is_written(&self) -> bool {
        self.open > 0 || self.too_much
    }

    fn end_batch(&mut self, at_us: u64, write: u64, since_us: u64) {
        if !std::mem::take(&mut self.too_much) && self.open > 0 {
            let records = std::mem::take(&mut self.open);
            self.batches.push_back(Batch { at_us, write, records });
        }
        while self.batches.front().is_some_and(|batch| batch.at_us < since_us) {
            self.forget_batch();
        }
    }

    /// A place in what the running command has changed so far.
    pub(crate) fn place(&self) -> u64 {
        self.added
    }

    /// Forgets what was changed since, as it was taken back.
    pub(crate) fn forget_since(&mut self, place: u64) {
        let since = usize::try_from(self.added - place).unwrap_or(usize::MAX);
        for _ in 0..since.min(self.open) {
            self.open -= 1;
            self.bytes -= self.records.pop_back().map_or(0, |record| record.bytes);
        }
    }

    fn at(&self, redis: &Redis, reached: Reached) -> (Databases, usize) {
        let has = |batch: &&Batch| {
            reached.at_us.is_some_and(|at_us| batch.at_us <= at_us) || batch.write <= reached.write
        };
        let kept = self.batches.iter().take_while(has).count();
        let records: usize = self.batches.range(kept..).map(|batch| batch.records).sum();
        let mut databases = copy(redis);
        for record in self.records.iter().rev().skip(self.open).take(records) {
            let keys = databases.entry(record.database).or_default();
            keys.undo(&record.key, &record.was);
        }
        (databases, self.batches.len() - kept)
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
        self.keyspace.past.0.as_ref().map_or(0, |past| past.bytes)
    }

    /// Whether anything has changed since the last [`Self::end_write`], if the past is kept.
    #[must_use]
    pub fn is_written(&self) -> bool {
        self.keyspace.past.0.as_ref().is_some_and(|past| past.is_written())
    }

    /// What has changed since the last call is write number `write`, which happened at `at_us`:
    /// microseconds on a clock that does not go back. Forgets the past before `since_us`.
    pub fn end_write(&mut self, at_us: u64, write: u64, since_us: u64) {
        if let Some(past) = &mut self.keyspace.past.0 {
            past.end_batch(at_us, write, since_us);
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

    fn undo(&mut self, key: &Bytes, was: &Was) {
        match was {
            Was::Absent => self.set_entry(key.clone(), None),
            Was::Whole(entry) => self.set_entry(key.clone(), Some(entry.clone())),
            Was::Changed(expires_at_ms, steps) => {
                let Some(mut entry) = self.take(key) else { return };
                entry.expires_at_ms = *expires_at_ms;
                entry.value.undo(steps);
                self.set_entry(key.clone(), Some(entry));
            }
        }
    }

    /// Notes that the keys of `other` take the place of these.
    pub(crate) fn note_exchange(&self, past: &mut Past, other: &Self) {
        for slot in other.slots.iter().filter(|slot| !super::contains(&self.slots, &slot.key)) {
            past.note_absent(&slot.key);
        }
        self.slots.iter().for_each(|slot| past.note_whole(&slot.key, slot.entry.clone()));
    }
}
