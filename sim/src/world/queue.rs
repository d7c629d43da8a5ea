//! What is due when. Ties are broken by the order of insertion.

use super::{Message, System};
use crate::history::Client;

/// Something that is going to happen.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum What<S: System> {
    Request(Box<Message<S>>),
    Reply(Box<Message<S>>),
    /// A `WAIT` is over: this is the reply.
    Waited(Box<Message<S>>),
    Write {
        client: Client,
        write: S::Write,
    },
    Cancel {
        client: Client,
        awaiting: u32,
    },
    Heal,
    End,
    /// A client learns that the lock was released.
    Hint {
        client: Client,
        /// The number of its subscription, if it has several.
        subscription: u32,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Entry<S: System> {
    pub(super) due: u64,
    number: u64,
    pub(super) what: What<S>,
}

/// A sorted vector: a cluster has few messages in flight, and a heap can be neither compared nor
/// hashed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Queue<S: System> {
    /// The latest first.
    entries: Vec<Entry<S>>,
    pushed: u64,
}

impl<S: System> Default for Queue<S> {
    fn default() -> Self {
        Self { entries: Vec::new(), pushed: 0 }
    }
}

impl<S: System> Queue<S> {
    #[inline]
    pub(crate) fn push(&mut self, due: u64, what: What<S>) {
        self.pushed += 1;
        let place = self.entries.partition_point(|entry| entry.due > due);
        self.entries.insert(place, Entry { due, number: self.pushed, what });
        let neighbours =
            &self.entries[place.saturating_sub(1)..(place + 2).min(self.entries.len())];
        debug_assert!(
            neighbours.is_sorted_by_key(|entry| std::cmp::Reverse((entry.due, entry.number))),
            "the latest comes first, and of two at once the one that was pushed last"
        );
    }

    #[inline]
    pub(crate) fn next_due(&self) -> u64 {
        self.entries.last().map_or(u64::MAX, |entry| entry.due)
    }

    /// The earliest entry. The run's end is always in the queue.
    #[inline]
    pub(crate) fn pop(&mut self) -> (u64, What<S>) {
        let entry = self.entries.pop().expect("the end of the run is in the queue");
        (entry.due, entry.what)
    }

    /// The entry that comes after `place` earlier ones, which must be there.
    pub(super) fn take(&mut self, place: usize) -> (u64, What<S>) {
        let entry = self.entries.remove(self.entries.len() - 1 - place);
        (entry.due, entry.what)
    }

    /// The latest first; of two at once, the one that was pushed first comes last.
    #[inline]
    pub(super) fn entries(&self) -> &[Entry<S>] {
        &self.entries
    }
}

#[cfg(test)]
mod tests {
    use super::{super::idle::Idle, *};

    #[test]
    fn earlier_comes_first_and_of_two_at_once_the_one_pushed_first() {
        let cancel = |client| What::Cancel { client, awaiting: 0 };
        let mut queue = Queue::<Idle>::default();
        for (due, client) in [(5, 0), (3, 1), (5, 2), (3, 3), (9, 4)] {
            queue.push(due, cancel(client));
        }
        let order: Vec<_> = (0..5).map(|_| queue.pop()).collect();
        let expected = [(3, 1), (3, 3), (5, 0), (5, 2), (9, 4)];
        assert_eq!(order, expected.map(|(due, client)| (due, cancel(client))));
        assert_eq!(queue.next_due(), u64::MAX);
    }
}
