//! Tasks that take and give locks as fast as they can, over any store and over a bare `DashMap`.

use std::{
    fmt,
    future::Future,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use dashmap::{DashMap, Entry};
use hdrhistogram::Histogram;
use leasehold_core::{
    ConfigError, Store,
    lock::{Lease, Lock, LockOptions, NotAcquired},
};
use tokio::{task::JoinSet, task::yield_now};

/// One task's access to one key.
pub trait Contender: Send + 'static {
    /// Tries once to take the key.
    fn take(&mut self) -> impl Future<Output = bool> + Send;
    /// Gives the key back. It is held.
    fn give(&mut self) -> impl Future<Output = ()> + Send;
}

/// What a contest showed.
#[derive(Clone, Debug)]
pub struct Contest {
    /// Keys taken, all tasks together.
    pub acquisitions: u64,
    /// Tries, also those that found the key taken.
    pub tries: u64,
    /// Wall time.
    pub elapsed: Duration,
    /// Nanoseconds from when one task began to give the key back until another had it.
    pub hand_off: Histogram<u64>,
}

/// Lets each contender take its key `acquisitions` times in all, on the current runtime.
/// Contender `n` has key `n % keys`.
///
/// Where a key is shared, a holder lets others run while it holds, and one that finds the key taken
/// lets others run before it tries again: this measures the lock, not the length of a delay.
///
/// # Panics
///
/// If a task panics.
pub async fn contend<C: Contender>(contenders: Vec<C>, keys: usize, acquisitions: u64) -> Contest {
    let (tasks, shared) = (contenders.len(), keys < contenders.len());
    let last: Vec<LastHolder> = (0..keys).map(|_| LastHolder::default()).collect();
    let mut running = JoinSet::new();
    let start = Instant::now();
    for (number, contender) in contenders.into_iter().enumerate() {
        let share =
            acquisitions / tasks as u64 + u64::from(number == 0) * (acquisitions % tasks as u64);
        let task = Task { number, contender, shared, last: last[number % keys].clone() };
        running.spawn(task.run(share));
    }
    let mut contest = Contest::default();
    while let Some(part) = running.join_next().await {
        contest.add(&part.expect("no task panics"));
    }
    contest.elapsed = start.elapsed();
    contest
}

/// Who gave a key back last, and when. Only the holder touches it, so it is never waited for.
type LastHolder = Arc<Mutex<Option<(usize, Instant)>>>;

struct Task<C> {
    number: usize,
    contender: C,
    shared: bool,
    last: LastHolder,
}

impl<C: Contender> Task<C> {
    async fn run(mut self, acquisitions: u64) -> Contest {
        let mut contest = Contest::default();
        for _ in 0..acquisitions {
            contest.tries += 1;
            while !self.contender.take().await {
                contest.tries += 1;
                yield_now().await;
            }
            contest.acquisitions += 1;
            if self.shared {
                self.note_hand_off(&mut contest);
                yield_now().await;
                *self.last.lock().unwrap_or_else(PoisonError::into_inner) =
                    Some((self.number, Instant::now()));
            }
            self.contender.give().await;
            if self.shared {
                yield_now().await;
            }
        }
        contest
    }

    fn note_hand_off(&self, contest: &mut Contest) {
        let last = *self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((holder, since)) = last
            && holder != self.number
        {
            let nanos = u64::try_from(since.elapsed().as_nanos()).unwrap_or(u64::MAX);
            contest.hand_off.saturating_record(nanos);
        }
    }
}

impl Contest {
    /// Adds the counts and times of `other`.
    ///
    /// # Panics
    ///
    /// If the two histograms have different bounds.
    pub fn add(&mut self, other: &Self) {
        self.acquisitions += other.acquisitions;
        self.tries += other.tries;
        self.elapsed += other.elapsed;
        self.hand_off.add(&other.hand_off).expect("all histograms have one shape");
    }

    /// Acquisitions per second.
    #[must_use]
    pub fn rate(&self) -> f64 {
        self.acquisitions as f64 / self.elapsed.as_secs_f64()
    }
}

impl Default for Contest {
    fn default() -> Self {
        let hand_off = Histogram::new_with_bounds(1, 60_000_000_000, 3)
            .expect("from a nanosecond to a minute with three digits is a legal shape");
        Self { acquisitions: 0, tries: 0, elapsed: Duration::ZERO, hand_off }
    }
}

impl fmt::Display for Contest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.0} acquisitions/s", self.rate())?;
        if self.hand_off.is_empty() {
            return Ok(());
        }
        let micros = |quantile| self.hand_off.value_at_quantile(quantile) as f64 / 1e3;
        let tries = self.tries as f64 / self.acquisitions as f64;
        write!(f, ", {tries:.1} tries each, ")?;
        write!(f, "hand-off p50 {:.1} µs, p99 {:.1} µs", micros(0.5), micros(0.99))
    }
}

/// A lock and its lease.
#[derive(Debug)]
pub struct Locker {
    lock: Lock,
    lease: Option<Lease>,
}

/// `tasks` lockers on `keys` ids in `store`.
///
/// # Errors
///
/// [`ConfigError`] if the options were unusable.
pub fn lockers<S: Store + Clone + Send + Sync + 'static>(
    store: &S,
    tasks: usize,
    keys: usize,
) -> Result<Vec<Locker>, ConfigError> {
    let options = LockOptions::new().attempts(1);
    (0..tasks)
        .map(|number| {
            let lock = Lock::with_options(store.clone(), &key(number % keys), &options)?;
            Ok(Locker { lock, lease: None })
        })
        .collect()
}

impl Contender for Locker {
    async fn take(&mut self) -> bool {
        match self.lock.acquire().await {
            Ok(lease) => self.lease = Some(lease),
            Err(NotAcquired::Busy { .. }) => {}
            Err(error) => panic!("the store fails: {error}"),
        }
        self.lease.is_some()
    }

    async fn give(&mut self) {
        let mut lease = self.lease.take().expect("it is held");
        if let Err(error) = lease.release().await {
            panic!("the store fails: {error}");
        }
    }
}

/// The floor: a key in a `DashMap`, without leases, fences or tombstones.
#[derive(Debug)]
pub struct Bare {
    map: Arc<DashMap<String, usize>>,
    key: String,
    number: usize,
}

/// `tasks` contenders on `keys` keys of one map.
#[must_use]
pub fn bare(tasks: usize, keys: usize) -> Vec<Bare> {
    let map = Arc::new(DashMap::new());
    (0..tasks).map(|number| Bare { map: map.clone(), key: key(number % keys), number }).collect()
}

impl Contender for Bare {
    async fn take(&mut self) -> bool {
        match self.map.entry(self.key.clone()) {
            Entry::Occupied(_) => false,
            Entry::Vacant(entry) => {
                entry.insert(self.number);
                true
            }
        }
    }

    async fn give(&mut self) {
        self.map.remove_if(&self.key, |_, holder| *holder == self.number).expect("it is held");
    }
}

fn key(number: usize) -> String {
    format!("job {number}")
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use leasehold_core::MemoryStore;
    use leasehold_fake_redis::Engine;

    use super::*;
    use crate::fake::Fake;

    /// Says so if it holds the key while another does.
    struct Watched<C> {
        inner: C,
        held: Arc<AtomicBool>,
    }

    impl<C: Contender> Contender for Watched<C> {
        async fn take(&mut self) -> bool {
            let taken = self.inner.take().await;
            assert!(!(taken && self.held.swap(true, Ordering::SeqCst)), "two hold the key");
            taken
        }

        async fn give(&mut self) {
            self.held.store(false, Ordering::SeqCst);
            self.inner.give().await;
        }
    }

    fn on_threads<C: Contender>(contenders: Vec<C>, keys: usize) -> Contest {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_time().build().unwrap();
        runtime.block_on(contend(contenders, keys, 1_003))
    }

    fn watched<C>(contenders: Vec<C>) -> Vec<Watched<C>> {
        let held = Arc::new(AtomicBool::new(false));
        contenders.into_iter().map(|inner| Watched { inner, held: held.clone() }).collect()
    }

    #[test]
    fn every_acquisition_is_made_and_none_overlap() {
        let memory = lockers(&Arc::new(MemoryStore::new()), 16, 1).unwrap();
        let native = lockers(&Arc::new(Fake::new(Engine::Native)), 16, 1).unwrap();
        let contests = [
            on_threads(watched(memory), 1),
            on_threads(watched(native), 1),
            on_threads(watched(bare(16, 1)), 1),
        ];
        for contest in contests {
            assert_eq!(contest.acquisitions, 1_003);
            assert!(contest.tries >= 1_003);
            assert!(!contest.hand_off.is_empty());
        }
    }

    #[test]
    fn tasks_with_keys_of_their_own_never_wait() {
        let contest = on_threads(lockers(&Arc::new(MemoryStore::new()), 4, 4).unwrap(), 4);
        assert_eq!((contest.acquisitions, contest.tries), (1_003, 1_003));
        assert!(contest.hand_off.is_empty());
    }
}
