//! What the data was a while ago: what a replica that lags would answer, or have after a failover.

use std::collections::VecDeque;

use crate::redis::{Change, Keyspace};

/// For how long it is known, in microseconds of the server's clock.
const REACH_US: u64 = 600_000_000;

/// How many changes it holds at most.
const MOST_CHANGES: usize = 1_000_000;

/// The data as it was at a time, and each change since.
#[derive(Clone, Debug)]
pub(super) struct History {
    oldest: Keyspace,
    batches: VecDeque<Batch>,
    changes: usize,
}

/// What one command changed.
#[derive(Clone, Debug)]
struct Batch {
    at_us: u64,
    write: u64,
    changes: Vec<Change>,
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
    pub(super) fn new(keys: &mut Keyspace) -> Self {
        let oldest = keys.clone();
        keys.watch_changes(true);
        Self { oldest, batches: VecDeque::new(), changes: 0 }
    }

    /// Adds what write number `write` changed.
    pub(super) fn add(&mut self, at_us: u64, write: u64, changes: Vec<Change>) {
        self.changes += changes.len();
        self.batches.push_back(Batch { at_us, write, changes });
        let since_us = at_us.saturating_sub(REACH_US);
        while self.changes > MOST_CHANGES
            || self.batches.front().is_some_and(|batch| batch.at_us < since_us)
        {
            let Some(batch) = self.batches.pop_front() else { break };
            self.changes -= batch.changes.len();
            apply(&mut self.oldest, batch.changes);
        }
    }

    /// The data of a replica that has got so far, and how many writes it lacks.
    pub(super) fn at(&self, reached: Reached) -> (Keyspace, usize) {
        let mut keys = self.oldest.clone();
        let has = |batch: &&Batch| {
            reached.at_us.is_some_and(|at_us| batch.at_us <= at_us) || batch.write <= reached.write
        };
        let count = self.batches.iter().take_while(has).count();
        for batch in self.batches.iter().take(count) {
            apply(&mut keys, batch.changes.clone());
        }
        (keys, self.batches.len() - count)
    }
}

fn apply(keys: &mut Keyspace, changes: Vec<Change>) {
    for (key, entry) in changes {
        keys.set_entry(key, entry);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redis::{Entry, Value};

    fn set(keys: &mut Keyspace, text: &'static str) -> Vec<Change> {
        keys.set_entry("key".into(), Some(Entry::string(text)));
        keys.take_changes()
    }

    fn seen(history: &History, at_us: u64, write: u64) -> (Option<Value>, usize) {
        let (keys, missing) = history.at(Reached { at_us: Some(at_us), write });
        (keys.peek(0, b"key").map(|entry| entry.value.clone()), missing)
    }

    #[test]
    fn a_replica_has_what_is_old_enough_or_asked_for() {
        let mut keys = Keyspace::default();
        let mut history = History::new(&mut keys);
        history.add(10, 1, set(&mut keys, "a"));
        history.add(20, 2, set(&mut keys, "b"));
        let text = |text: &'static str| Some(Value::String(text.into()));
        assert_eq!(seen(&history, 9, 0), (None, 2));
        assert_eq!(seen(&history, 10, 0), (text("a"), 1));
        assert_eq!(seen(&history, 9, 1), (text("a"), 1));
        assert_eq!(seen(&history, 9, 2), (text("b"), 0));
    }

    #[test]
    fn what_is_too_old_is_kept_as_one_state() {
        let mut keys = Keyspace::default();
        let mut history = History::new(&mut keys);
        history.add(0, 1, set(&mut keys, "a"));
        history.add(REACH_US + 1, 2, set(&mut keys, "b"));
        assert_eq!(history.batches.len(), 1);
        assert_eq!(seen(&history, 0, 0).0, Some(Value::String("a".into())));
    }
}
