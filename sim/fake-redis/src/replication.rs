//! Replicas: what they have of a primary's data, and since when.

use std::collections::{BTreeMap, VecDeque};

use super::{Change, Keyspace, Redis};

/// One database of a replica that lags behind its primary.
///
/// ```
/// use leasehold_fake_redis::{Entry, Keyspace, Replica};
///
/// let mut primary = Keyspace::default();
/// primary.watch_changes(true);
/// primary.set_entry("job".into(), Some(Entry::string("token")));
/// let mut replica = Replica::default();
/// replica.note(1_000, primary.take_changes());
/// replica.catch_up(1_000);
/// assert!(replica.keyspace.is_empty());
/// replica.catch_up(1_001);
/// assert_eq!(replica.keyspace, primary);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Replica {
    /// What it is certain to have.
    pub keyspace: Keyspace,
    /// Writes that it may not have yet, with their times.
    log: VecDeque<(u64, Vec<Change>)>,
}

impl Replica {
    /// Takes note of what was written at `at_us`, a time of any clock that does not go back.
    pub fn note(&mut self, at_us: u64, changes: Vec<Change>) {
        if !changes.is_empty() {
            self.log.push_back((at_us, changes));
        }
    }

    /// Applies what was written before `until_us`.
    pub fn catch_up(&mut self, until_us: u64) {
        while self.log.front().is_some_and(|&(at_us, _)| at_us < until_us) {
            let Some((_, changes)) = self.log.pop_front() else { return };
            for (key, entry) in changes {
                self.keyspace.set_entry(key, entry);
            }
        }
    }

    /// How many writes it does not have yet.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.log.len()
    }

    /// Forgets the writes that it does not have yet, as it takes over; how many there were, a
    /// command or a script being one.
    pub fn forget_pending(&mut self) -> usize {
        std::mem::take(&mut self.log).len()
    }
}

/// The replicas of a served primary. They are all alike, so one value stands for each of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Replication {
    /// How many replicas there are.
    pub(super) replicas: usize,
    /// How long after a write they have it.
    pub(super) lag_us: u64,
    last_write_us: Option<u64>,
    databases: BTreeMap<usize, Replica>,
}

impl Replication {
    /// `replicas` of `redis` that have all that it has now, and will have what comes `lag_us`
    /// after it.
    pub(super) fn begin(redis: &Redis, replicas: usize, lag_us: u64) -> Self {
        let copy = |(number, keys): (usize, &Keyspace)| {
            let mut keyspace = keys.clone();
            keyspace.watch_changes(false);
            (number, Replica { keyspace, ..Replica::default() })
        };
        let databases = match replicas {
            0 => BTreeMap::new(),
            _ => redis.databases().map(copy).collect(),
        };
        Self { replicas, lag_us, last_write_us: None, databases }
    }

    /// Takes note of what was written in which database since the last call.
    pub(super) fn note(&mut self, now_us: u64, written: Vec<(usize, Vec<Change>)>) {
        for (number, changes) in written {
            self.last_write_us = Some(now_us);
            self.databases.entry(number).or_default().note(now_us, changes);
        }
        let until_us = now_us.saturating_sub(self.lag_us);
        self.databases.values_mut().for_each(|replica| replica.catch_up(until_us));
    }

    /// When the replicas have all that was written until now.
    pub(super) fn caught_up_at_us(&self) -> u64 {
        self.last_write_us.map_or(0, |at_us| at_us.saturating_add(self.lag_us))
    }

    /// How many replicas have all that was written until now.
    pub(super) fn caught_up(&self, now_us: u64) -> usize {
        if self.caught_up_at_us() <= now_us { self.replicas } else { 0 }
    }

    /// Lets `redis` have what a replica has of the selected database, as long as `read` runs.
    pub(super) fn on_replica<R>(
        &mut self,
        now_us: u64,
        redis: &mut Redis,
        read: impl FnOnce(&mut Redis) -> R,
    ) -> R {
        let replica = self.databases.entry(redis.selected()).or_default();
        replica.catch_up(now_us.saturating_sub(self.lag_us));
        std::mem::swap(&mut redis.keyspace, &mut replica.keyspace);
        let result = read(redis);
        std::mem::swap(&mut redis.keyspace, &mut replica.keyspace);
        result
    }

    /// Makes a replica the primary: what was written in the last `lost_us`, or in the replicas'
    /// lag if that is shorter, is gone. How many writes are.
    pub(super) fn fail_over(&mut self, now_us: u64, redis: &mut Redis, lost_us: u64) -> usize {
        let selected = redis.selected();
        let until_us = now_us.saturating_sub(lost_us.min(self.lag_us));
        let mut lost = 0;
        for (number, replica) in &mut self.databases {
            replica.catch_up(until_us);
            lost += replica.forget_pending();
            redis.select(*number);
            redis.keyspace.replace_keys(replica.keyspace.clone());
        }
        redis.select(selected);
        redis.take_changes();
        lost
    }
}
