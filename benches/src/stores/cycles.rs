//! Locks that are free, taken and given back as fast as it goes.

use std::{
    future::Future,
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;
use leasehold_core::{
    Store,
    lock::{Guarantee, Lock, LockOptions},
};
use tokio::task::JoinSet;

/// How a lock is given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Release {
    /// The answer is awaited.
    Confirmed,
    /// It is sent, and the next acquire follows on the same connection.
    Detached,
}

/// What some cycles took. A cycle is an acquire and a release, or two bare round trips.
#[derive(Clone, Debug)]
pub struct Sample {
    /// How many, all tasks together.
    pub cycles: u64,
    /// Wall time.
    pub elapsed: Duration,
    /// Nanoseconds of each cycle.
    pub latencies: Histogram<u64>,
    /// What the server had of its processor meanwhile, if that was looked at.
    pub server_time: Duration,
}

impl Default for Sample {
    fn default() -> Self {
        // Bounded, since what saturates does not grow.
        let latencies = Histogram::new_with_bounds(1, 60_000_000_000, 3);
        let latencies = latencies.expect("a minute in nanoseconds is more than two");
        Self { cycles: 0, elapsed: Duration::ZERO, latencies, server_time: Duration::ZERO }
    }
}

impl Sample {
    /// The median of a cycle.
    #[must_use]
    pub fn p50(&self) -> Duration {
        Duration::from_nanos(self.latencies.value_at_quantile(0.5))
    }

    /// What all but one of a hundred cycles took at most.
    #[must_use]
    pub fn p99(&self) -> Duration {
        Duration::from_nanos(self.latencies.value_at_quantile(0.99))
    }

    /// Cycles per second, all tasks together.
    #[must_use]
    pub fn rate(&self) -> f64 {
        self.cycles as f64 / self.elapsed.as_secs_f64()
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.cycles += other.cycles;
        self.latencies.add(&other.latencies).expect("their bounds are the same");
    }

    pub(super) fn note(&mut self, latency: Duration) {
        self.cycles += 1;
        self.latencies.saturating_record(u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX));
    }
}

/// Something that one task does over and over.
pub trait Cycle: Send + 'static {
    /// Once.
    fn run(&mut self) -> impl Future<Output = ()> + Send;
}

/// Lets one task run `cycles` of them.
pub async fn solo(mut cycle: impl Cycle, cycles: u64) -> Sample {
    let mut sample = Sample::default();
    let start = Instant::now();
    let mut before = start;
    for _ in 0..cycles {
        cycle.run().await;
        let now = Instant::now();
        sample.note(now - before);
        before = now;
    }
    sample.elapsed = before - start;
    sample
}

/// Lets a task for each of `tasks` run its share of `cycles`, at the same time.
///
/// # Panics
///
/// If a task panics.
pub async fn crowd<C: Cycle>(tasks: Vec<C>, cycles: u64) -> Sample {
    let share = cycles.div_ceil(tasks.len().max(1) as u64);
    let mut running = JoinSet::new();
    let start = Instant::now();
    for task in tasks {
        running.spawn(solo(task, share));
    }
    let mut whole = Sample::default();
    while let Some(part) = running.join_next().await {
        whole.add(&part.expect("no task panics"));
    }
    whole.elapsed = start.elapsed();
    whole
}

/// A lock that nobody else wants.
pub struct Uncontended {
    lock: Lock,
    release: Release,
}

impl Uncontended {
    /// The lock named `id`, with the default settings but for `guarantee`.
    ///
    /// # Panics
    ///
    /// If `id` is empty.
    #[must_use]
    pub fn new(
        store: impl Store + Send + Sync + 'static,
        id: &str,
        guarantee: Guarantee,
        release: Release,
    ) -> Self {
        let lock = Lock::with_options(store, id, &LockOptions::default().guarantee(guarantee));
        Self { lock: lock.expect("the defaults are usable, and the id is not empty"), release }
    }

    /// Locks of so many names, over one store.
    #[must_use]
    pub fn many<S: Store + Clone + Send + Sync + 'static>(
        store: &S,
        count: usize,
        guarantee: Guarantee,
        release: Release,
    ) -> Vec<Self> {
        let lock = |key| Self::new(store.clone(), &format!("bench:{key}"), guarantee, release);
        (0..count).map(lock).collect()
    }
}

impl Cycle for Uncontended {
    async fn run(&mut self) {
        let mut lease = self.lock.acquire().await.expect("nobody else wants it");
        match self.release {
            Release::Confirmed => {
                lease.release().await.expect("the server is there");
            }
            Release::Detached => lease.release_detached().await,
        }
    }
}

impl std::fmt::Debug for Uncontended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Uncontended").field("release", &self.release).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use leasehold_core::MemoryStore;

    use super::*;

    #[tokio::test]
    async fn each_cycle_takes_the_lock_and_gives_it_back() {
        let store = Arc::new(MemoryStore::new());
        for (guarantee, release) in [
            (Guarantee::Full, Release::Confirmed),
            (Guarantee::Full, Release::Detached),
            (Guarantee::Lean, Release::Confirmed),
            (Guarantee::Lean, Release::Detached),
        ] {
            let cycle = Uncontended::new(store.clone(), "job", guarantee, release);
            let sample = solo(cycle, 10).await;
            assert_eq!((sample.cycles, sample.latencies.len()), (10, 10));
            let lock = Lock::new(store.clone(), "job").unwrap();
            assert!(matches!(lock.status().await, Ok(leasehold_core::lock::Holder::Free)));
        }
    }

    #[tokio::test]
    async fn a_crowd_shares_the_cycles() {
        let store = Arc::new(MemoryStore::new());
        let tasks = Uncontended::many(&store, 4, Guarantee::Full, Release::Confirmed);
        let sample = crowd(tasks, 10).await;
        // Three each, rounded up.
        assert_eq!((sample.cycles, sample.latencies.len()), (12, 12));
        // Nothing takes a nanosecond or two.
        assert!(sample.latencies.max() > 100 && sample.p50() > Duration::from_nanos(100));
        assert!(sample.rate() > 0.0);
    }
}
