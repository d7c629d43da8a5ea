//! One lock that many tasks want: how soon it changes hands, and for whom.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use leasehold_core::{
    Store,
    lock::{Guarantee, Lease, Lock, LockOptions, Locks},
};
use tokio::task::JoinSet;

use super::{cycles::Sample, others::Rslock};

const PATIENCE: Duration = Duration::from_secs(10);
const HOLD: Duration = Duration::from_millis(1);

/// One task's way to the lock.
pub trait Waiter: Send + 'static {
    /// Waits until it holds the lock.
    fn take(&mut self) -> impl Future<Output = ()> + Send;
    /// Frees it.
    fn give(&mut self) -> impl Future<Output = ()> + Send;
}

/// Lets the waiters take the lock so many times in all, each after 8 to 24 ms in which it does
/// something else, so that who has just freed the lock is not the first to want it again. Holds it
/// for 1 ms. The latencies are how long they waited. How such times pass is `pause`'s to say.
///
/// # Panics
///
/// If a task panics.
pub async fn contest<W: Waiter, P>(
    waiters: Vec<W>,
    acquisitions: u64,
    pause: impl Fn(Duration) -> P + Copy + Send + 'static,
) -> Sample
where
    P: Future<Output = ()> + Send + 'static,
{
    let left = Arc::new(AtomicU64::new(acquisitions));
    let mut running = JoinSet::new();
    let start = Instant::now();
    for (number, waiter) in waiters.into_iter().enumerate() {
        running.spawn(wait(waiter, number as u64, left.clone(), pause));
    }
    let mut whole = Sample::default();
    while let Some(part) = running.join_next().await {
        whole.add(&part.expect("no task panics"));
    }
    whole.elapsed = start.elapsed();
    whole
}

async fn wait<P: Future<Output = ()>>(
    mut waiter: impl Waiter,
    number: u64,
    left: Arc<AtomicU64>,
    pause: impl Fn(Duration) -> P,
) -> Sample {
    let mut sample = Sample::default();
    let one_less = |left: u64| left.checked_sub(1);
    while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less).is_ok() {
        // As good as random, and the same for every side.
        let thought = 8 + (7 * sample.cycles + 5 * number) % 17;
        pause(Duration::from_millis(thought)).await;
        let asked = Instant::now();
        waiter.take().await;
        sample.note(asked.elapsed());
        pause(HOLD).await;
        waiter.give().await;
    }
    sample
}

/// A lock of ours.
pub struct Ours {
    lock: Lock,
    lease: Option<Lease>,
}

impl Ours {
    /// So many tasks in each of several processes, of which each has one of `stores`.
    ///
    /// # Panics
    ///
    /// If `id` is empty.
    #[must_use]
    pub fn in_processes<S>(stores: &[S], id: &str, tasks: usize, guarantee: Guarantee) -> Vec<Self>
    where
        S: Store + Clone + Send + Sync + 'static,
    {
        let options = LockOptions::new().guarantee(guarantee);
        let process = |store: &S| {
            let locks = Locks::new(store.clone());
            let task = |_| {
                let lock = locks.lock_with_options(id, &options);
                let lock = lock.expect("the defaults are usable, and the id is not empty");
                Self { lock, lease: None }
            };
            (0..tasks).map(task).collect::<Vec<_>>()
        };
        stores.iter().flat_map(process).collect()
    }
}

impl Waiter for Ours {
    async fn take(&mut self) {
        let lease = self.lock.acquire().within(PATIENCE).await;
        self.lease = Some(lease.expect("it is free before long"));
    }

    async fn give(&mut self) {
        let mut lease = self.lease.take().expect("it was taken");
        lease.release().await.expect("the server is there");
    }
}

impl fmt::Debug for Ours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ours").finish_non_exhaustive()
    }
}

/// The lock of the crate `rslock`, which polls.
#[derive(Debug)]
pub struct Polled {
    rslock: Rslock,
    lock: Option<rslock::Lock>,
}

impl Polled {
    /// As many tasks on one connection. If the crate gives up, they ask again at once.
    #[must_use]
    pub fn many(rslock: &Rslock, count: usize) -> Vec<Self> {
        (0..count).map(|_| Self { rslock: rslock.clone(), lock: None }).collect()
    }
}

impl Waiter for Polled {
    async fn take(&mut self) {
        while self.lock.is_none() {
            self.lock = self.rslock.take().await.ok();
        }
    }

    async fn give(&mut self) {
        self.rslock.give(&self.lock.take().expect("it was taken")).await;
    }
}

#[cfg(test)]
mod tests {
    use leasehold_core::MemoryStore;
    use leasehold_fake_redis::serve::{Host, HostOptions, resp};
    use leasehold_upstash::Tcp;
    use tokio::net::TcpListener;

    use super::*;

    fn no_pause(_: Duration) -> std::future::Ready<()> {
        std::future::ready(())
    }

    #[tokio::test]
    async fn the_waiters_share_the_acquisitions() {
        let waiters =
            Ours::in_processes(&[Arc::new(MemoryStore::new())], "job", 4, Guarantee::Full);
        let sample = contest(waiters, 10, no_pause).await;
        assert_eq!((sample.cycles, sample.latencies.len()), (10, 10));
    }

    #[tokio::test]
    async fn each_side_takes_the_lock_of_a_server() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("redis://{}", listener.local_addr().unwrap());
        tokio::spawn(resp::listen(Host::new(HostOptions::default()), listener));

        let stores = [(); 2].map(|()| Tcp::new(&url).unwrap());
        for guarantee in [Guarantee::Full, Guarantee::Lean] {
            let ours = Ours::in_processes(&stores, "ours", 2, guarantee);
            assert_eq!(contest(ours, 6, no_pause).await.cycles, 6);
        }
        // More than one would wait for a timer of the crate.
        let theirs = Polled::many(&Rslock::at(&url, "theirs"), 1);
        assert_eq!(contest(theirs, 6, no_pause).await.cycles, 6);
    }
}
