//! What the data was a while ago: what a replica that lags would answer, or have after a failover.

use std::collections::{BTreeMap, VecDeque};

use crate::{Change, Keyspace, Redis, Value};

/// For how long it is known, in microseconds of the server's clock.
const REACH_US: u64 = 600_000_000;

/// About how many bytes of changes it holds at most.
const MOST_BYTES: usize = 256 << 20;

/// What an element of a collection takes, about: changed collections are kept whole.
const ELEMENT: usize = 64;

/// Databases by their numbers.
pub(super) type Databases = BTreeMap<usize, Keyspace>;

/// What was written, with the numbers of the databases.
pub(super) type Written = Vec<(usize, Vec<Change>)>;

/// The data as it was at a time, and each change since.
#[derive(Clone, Debug)]
pub(super) struct History {
    oldest: Databases,
    batches: VecDeque<Batch>,
    bytes: usize,
}

/// What one command changed.
#[derive(Clone, Debug)]
struct Batch {
    at_us: u64,
    write: u64,
    written: Written,
}

/// How far a replica has got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reached {
    /// It has what was written up to this time, in microseconds of elapsed time; `None` is before
    /// all.
    pub(super) at_us: Option<u64>,
    /// And every write up to this number.
    pub(super) write: u64,
}

impl History {
    /// Begins with what there is.
    pub(super) fn new(redis: &Redis) -> Self {
        Self { oldest: copy(redis), batches: VecDeque::new(), bytes: 0 }
    }

    /// Adds what write number `write` changed.
    pub(super) fn add(&mut self, at_us: u64, write: u64, written: Written) {
        self.bytes += size_of(&written);
        self.batches.push_back(Batch { at_us, write, written });
        let since_us = at_us.saturating_sub(REACH_US);
        while self.bytes > MOST_BYTES
            || self.batches.front().is_some_and(|batch| batch.at_us < since_us)
        {
            let Some(batch) = self.batches.pop_front() else { break };
            self.bytes -= size_of(&batch.written);
            apply(&mut self.oldest, batch.written);
        }
    }

    /// The data of a replica that has got so far, and how many writes it lacks.
    pub(super) fn at(&self, reached: Reached) -> (Databases, usize) {
        let mut databases = self.oldest.clone();
        let has = |batch: &&Batch| {
            reached.at_us.is_some_and(|at_us| batch.at_us <= at_us) || batch.write <= reached.write
        };
        let count = self.batches.iter().take_while(has).count();
        for batch in self.batches.iter().take(count) {
            apply(&mut databases, batch.written.clone());
        }
        (databases, self.batches.len() - count)
    }
}

/// All that a server has.
pub(super) fn copy(redis: &Redis) -> Databases {
    let copy = |(number, keys): (usize, &Keyspace)| {
        let mut keys = keys.clone();
        keys.watch_changes(false);
        (number, keys)
    };
    redis.databases().map(copy).collect()
}

fn size_of(written: &Written) -> usize {
    let of_value = |value: &Value| match value {
        Value::String(text) => text.len(),
        Value::Hash(fields) => fields.len() * ELEMENT,
        Value::List(elements) => elements.len() * ELEMENT,
        Value::Set(members) => members.len() * ELEMENT,
        Value::SortedSet(members) => members.len() * ELEMENT,
        Value::Stream(_) => ELEMENT * ELEMENT,
    };
    let of_change = |(key, entry): &Change| {
        ELEMENT + key.len() + entry.as_ref().map_or(0, |entry| of_value(&entry.value))
    };
    written.iter().flat_map(|(_, changes)| changes).map(of_change).sum()
}

fn apply(databases: &mut Databases, written: Written) {
    for (number, changes) in written {
        let keys = databases.entry(number).or_default();
        changes.into_iter().for_each(|(key, entry)| keys.set_entry(key, entry));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Entry;

    fn set(text: &'static str) -> Written {
        vec![(3, vec![("key".into(), Some(Entry::string(text)))])]
    }

    fn seen(history: &History, at_us: u64, write: u64) -> (Option<Value>, usize) {
        let (databases, missing) = history.at(Reached { at_us: Some(at_us), write });
        let entry = databases.get(&3).and_then(|keys| keys.peek(0, b"key"));
        (entry.map(|entry| entry.value.clone()), missing)
    }

    #[test]
    fn a_replica_has_what_is_old_enough_or_asked_for() {
        let mut history = History::new(&Redis::default());
        history.add(10, 1, set("a"));
        history.add(20, 2, set("b"));
        let text = |text: &'static str| Some(Value::String(text.into()));
        assert_eq!(seen(&history, 9, 0), (None, 2));
        assert_eq!(seen(&history, 10, 0), (text("a"), 1));
        assert_eq!(seen(&history, 9, 1), (text("a"), 1));
        assert_eq!(seen(&history, 9, 2), (text("b"), 0));
    }

    #[test]
    fn large_changes_are_not_hoarded() {
        let mut history = History::new(&Redis::default());
        let large: &'static str = Box::leak("x".repeat(MOST_BYTES / 4).into_boxed_str());
        (1..=8).for_each(|write| history.add(0, write, set(large)));
        assert_eq!(history.batches.len(), 3);
    }

    #[test]
    fn what_is_too_old_is_kept_as_one_state() {
        let mut history = History::new(&Redis::default());
        history.add(0, 1, set("a"));
        history.add(REACH_US + 1, 2, set("b"));
        assert_eq!(history.batches.len(), 1);
        assert_eq!(seen(&history, 0, 0).0, Some(Value::String("a".into())));
    }
}
