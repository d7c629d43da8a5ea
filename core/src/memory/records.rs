//! Records by id. The dead are swept out as others come, a few at a time.

use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use dashmap::{DashMap, Entry};

use crate::time::Instant;

/// How many records are looked at for each new one, if their time may have come. More than one, so
/// that the dead do not pile up behind records that are used again and again.
const LOOKS: usize = 4;

/// What is forgotten when its time is up.
pub(super) trait Expires: Default {
    /// When the last of its keys expires.
    fn expires(&self) -> Instant;

    /// How many of its keys are alive at `now`.
    fn live_keys(&self, now: Instant) -> usize;
}

/// The soonest first.
type Queue = BinaryHeap<Reverse<(Instant, Arc<str>)>>;

/// Each record is in the queue once, under the time at which it was to expire when it was last
/// looked at. If it lives longer by then, it is put back. So no call costs more than a few steps in
/// a queue, and the dead are never more than a part of what was alive at the same time.
pub(super) struct Records<R> {
    by_id: DashMap<Arc<str>, R>,
    queue: Mutex<Queue>,
}

impl<R: Expires> Records<R> {
    pub(super) fn new() -> Self {
        Self { by_id: DashMap::new(), queue: Mutex::default() }
    }

    /// Applies something to the record of `id`, which is made if there is none.
    pub(super) fn apply<T>(&self, now: Instant, id: &str, apply: impl FnOnce(&mut R) -> T) -> T {
        if let Some(mut record) = self.by_id.get_mut(id) {
            return apply(&mut record);
        }
        self.sweep(now);
        let id: Arc<str> = id.into();
        match self.by_id.entry(id.clone()) {
            // Another thread has made it meanwhile, and put it into the queue.
            Entry::Occupied(mut record) => apply(record.get_mut()),
            Entry::Vacant(vacant) => {
                let mut record = vacant.insert(R::default());
                let result = apply(&mut record);
                let expires = record.expires();
                // The queue is never waited for under the lock of a shard, nor the other way round.
                drop(record);
                self.queue().push(Reverse((expires, id)));
                result
            }
        }
    }

    pub(super) fn live_keys(&self, now: Instant) -> usize {
        self.by_id.iter().map(|record| record.live_keys(now)).sum()
    }

    /// How many records are there, dead or alive.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.by_id.len()
    }

    fn sweep(&self, now: Instant) {
        for _ in 0..LOOKS {
            let Some(id) = self.due(now) else { return };
            if self.by_id.remove_if(&*id, |_, record| record.expires() <= now).is_some() {
                continue;
            }
            let expires = self.by_id.get(&*id).map(|record| record.expires());
            debug_assert!(expires.is_some(), "only who took it from the queue removes a record");
            self.queue().extend(expires.map(|expires| Reverse((expires, id))));
        }
    }

    /// Takes a record from the queue whose time may have come.
    fn due(&self, now: Instant) -> Option<Arc<str>> {
        let mut queue = self.queue();
        match queue.peek() {
            Some(Reverse((expires, _))) if *expires <= now => queue.pop().map(|next| next.0.1),
            _ => None,
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::format;

    use super::*;

    /// Alive until then.
    #[derive(Default)]
    struct Until(Instant);

    impl Expires for Until {
        fn expires(&self) -> Instant {
            self.0
        }

        fn live_keys(&self, now: Instant) -> usize {
            usize::from(now < self.0)
        }
    }

    fn at(micros: u64) -> Instant {
        Instant::from_micros(micros)
    }

    fn touch(records: &Records<Until>, now: u64, id: &str, until: u64) {
        records.apply(at(now), id, |record| record.0 = at(until));
    }

    #[test]
    fn no_call_looks_at_more_than_a_few_however_many_are_dead() {
        let records = Records::<Until>::new();
        (0..10_000).for_each(|number| touch(&records, 0, &format!("{number}"), 1));
        touch(&records, 1, "one", 2);
        assert_eq!(records.len(), 10_000 - LOOKS + 1);
        (0..10_000 / (LOOKS - 1)).for_each(|number| touch(&records, 1, &format!("x{number}"), 1));
        assert!(records.len() <= 10_000 / (LOOKS - 1) + 2, "{}", records.len());
    }

    #[test]
    fn what_lives_longer_than_it_was_to_is_kept_and_looked_at_again() {
        let records = Records::<Until>::new();
        touch(&records, 0, "kept", 1);
        touch(&records, 0, "kept", 9);
        touch(&records, 1, "another", 2);
        assert_eq!(records.len(), 2);
        touch(&records, 9, "a third", 10);
        assert_eq!(records.len(), 1, "both are dead by now");
    }

    #[test]
    fn the_dead_do_not_pile_up_behind_records_that_are_used_again_and_again() {
        let records = Records::<Until>::new();
        for now in 0..1_000u64 {
            (0..100).for_each(|number| touch(&records, now, &format!("used {number}"), now + 2));
            touch(&records, now, &format!("once {now}"), now + 1);
        }
        assert!(records.len() < 2 * 100, "{}", records.len());
    }

    #[test]
    fn what_is_made_again_is_in_the_queue_once() {
        let records = Records::<Until>::new();
        for now in 0..100 {
            touch(&records, now, "job", now);
            touch(&records, now, &format!("{now}"), now);
        }
        assert_eq!(records.queue().len(), records.len());
    }
}
