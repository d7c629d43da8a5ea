//! A quorum as a store: it passes the suite, hung nodes cost nothing, dead ones little.

#![allow(clippy::unwrap_used, reason = "for tests only")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicU8, AtomicU64, Ordering},
    },
    task::{Context, Waker},
    time::Duration,
};

use leasehold_core::{
    Cause, Clock, Command, Instant, MemoryStore, Reply, Store, StoreError, Subscription, Tokens,
    TokioClock,
    conformance::Fixture,
    lock::{Holder, Lock, LockConfig, LockKeys, LockOptions, NotAcquired, Released},
    quorum::{Quorum, QuorumError, QuorumOptions},
};

type Time = Box<dyn Fn() -> Instant + Send + Sync>;

/// How a node behaves.
#[derive(Clone, Copy)]
enum Mood {
    Well,
    Hung,
    Down,
}

/// A node behind a network that takes two polls each way.
#[derive(Clone)]
struct Node {
    store: Arc<MemoryStore<Time>>,
    mood: Arc<AtomicU8>,
}

impl Node {
    fn new(time: impl Fn() -> Instant + Send + Sync + 'static) -> Self {
        let time: Time = Box::new(time);
        Self { store: Arc::new(MemoryStore::with_time(time)), mood: Arc::default() }
    }

    fn set(&self, mood: Mood) {
        self.mood.store(mood as u8, Ordering::Relaxed);
    }
}

impl Store for Node {
    async fn execute(&self, command: Command) -> Result<Reply, StoreError> {
        tokio::task::yield_now().await;
        tokio::task::yield_now().await;
        match self.mood.load(Ordering::Relaxed) {
            hung if hung == Mood::Hung as u8 => std::future::pending().await,
            down if down == Mood::Down as u8 => {
                Err(StoreError::NotSent(Cause::Unreachable("refused".into())))
            }
            _ => {
                let reply = self.store.execute(command).await;
                tokio::task::yield_now().await;
                reply
            }
        }
    }

    async fn subscribe(&self, keys: &LockKeys) -> Option<Subscription> {
        self.store.subscribe(keys).await
    }
}

/// A clock that only a test moves, and on which nothing ever times out.
#[derive(Clone, Default)]
struct Still(Arc<AtomicU64>);

impl Clock for Still {
    fn now(&self) -> Instant {
        Instant::from_micros(1 + self.0.load(Ordering::Relaxed))
    }

    async fn sleep_until(&self, deadline: Instant) {
        if self.now() < deadline {
            std::future::pending().await
        }
    }
}

struct Several {
    quorum: Quorum<Node, Still>,
    clock: Still,
}

impl Several {
    fn new(nodes: usize) -> Self {
        let clock = Still::default();
        let node = |_| {
            let clock = clock.clone();
            Node::new(move || clock.now())
        };
        let nodes = (0..nodes).map(node);
        let quorum = Quorum::new(nodes, clock.clone(), &QuorumOptions::default()).unwrap();
        Self { quorum, clock }
    }
}

impl Fixture for Several {
    type Store = Quorum<Node, Still>;

    fn store(&self) -> Self::Store {
        self.quorum.clone()
    }

    async fn pass(&self, time: Duration) {
        let micros = u64::try_from(time.as_micros()).unwrap();
        self.clock.0.fetch_add(micros, Ordering::Relaxed);
    }

    fn is_exact(&self) -> bool {
        true
    }

    fn takes_lean_locks(&self) -> bool {
        false
    }

    fn keeps_debounced_calls(&self) -> bool {
        false
    }
}

fn run(case: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(case);
}

mod of_three {
    use super::*;

    leasehold_core::store_conformance! {
        run: run,
        fixture: async { Some(Several::new(3)) },
    }
}

mod of_four {
    use super::*;

    leasehold_core::store_conformance! {
        run: run,
        fixture: async { Some(Several::new(4)) },
    }
}

/// Nodes in the runtime's time.
fn nodes(count: usize) -> (Vec<Node>, Quorum<Node, TokioClock>) {
    let clock = TokioClock::new();
    let nodes: Vec<_> = (0..count).map(|_| Node::new(move || clock.now())).collect();
    let quorum = Quorum::new(nodes.clone(), clock, &QuorumOptions::default()).unwrap();
    (nodes, quorum)
}

fn lock(quorum: &Quorum<Node, TokioClock>, owner: &str) -> Lock {
    let config = LockConfig::new("job", &LockOptions::default()).unwrap();
    Lock::from_config(quorum.clone(), TokioClock::new(), config, Tokens::of_owner(owner))
}

#[tokio::test(start_paused = true)]
async fn hung_nodes_cost_nothing_while_a_majority_answers() {
    let (nodes, quorum) = nodes(5);
    nodes[0].set(Mood::Hung);
    nodes[3].set(Mood::Hung);
    let start = tokio::time::Instant::now();
    let mut lease = lock(&quorum, "me").acquire().await.unwrap();
    lease.extend(Duration::from_secs(1)).await.unwrap();
    assert_eq!(lease.release().await, Ok(Released::Released));
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn without_a_majority_nothing_is_held_and_nothing_is_left() {
    for mood in [Mood::Hung, Mood::Down] {
        let (nodes, quorum) = nodes(4);
        nodes[1].set(mood);
        nodes[2].set(mood);
        let lock = lock(&quorum, "me");
        let start = tokio::time::Instant::now();
        let error = lock.acquire().attempts(1).await.unwrap_err();
        let expected = match mood {
            Mood::Hung => matches!(error, NotAcquired::Unknown(_)),
            _ => matches!(error, NotAcquired::Unavailable(_)),
        };
        assert!(expected, "{error:?}");
        assert!(start.elapsed() <= Duration::from_secs(2), "{:?}", start.elapsed());
        assert_eq!(nodes[0].store.live_keys(), 2, "a fence and a tombstone, and no lock");
        nodes[1].set(Mood::Well);
        nodes[2].set(Mood::Well);
        drop(lock.acquire().await.unwrap());
    }
}

#[tokio::test(start_paused = true)]
async fn a_second_caller_is_told_busy_until_the_first_releases() {
    let (nodes, quorum) = nodes(3);
    nodes[2].set(Mood::Down);
    let mut first = lock(&quorum, "a").acquire().await.unwrap();
    nodes[2].set(Mood::Well);
    nodes[0].set(Mood::Down);
    let second = lock(&quorum, "b");
    let error = second.acquire().attempts(1).await.unwrap_err();
    assert!(matches!(error, NotAcquired::Busy { .. }), "{error:?}");
    nodes[0].set(Mood::Well);
    assert_eq!(second.status().await.map(|holder| holder != Holder::Free), Ok(true));
    first.release().await.unwrap();
    let second = second.acquire().await.unwrap();
    assert!(second.fence() > first.fence());
}

#[tokio::test(start_paused = true)]
async fn a_release_at_the_nodes_wakes_who_waits() {
    let (_, quorum) = nodes(3);
    let mut first = lock(&quorum, "a").acquire().await.unwrap();
    let second = lock(&quorum, "b");
    let waiting =
        tokio::spawn(
            async move { second.acquire().within(Duration::from_secs(60)).await.map(|_| ()) },
        );
    tokio::time::sleep(Duration::from_millis(3_333)).await;
    let start = tokio::time::Instant::now();
    first.release().await.unwrap();
    waiting.await.unwrap().unwrap();
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[test]
fn a_quorum_of_nothing_or_without_time_is_refused() {
    let none: [Node; 0] = [];
    let refused = Quorum::new(none, Still::default(), &QuorumOptions::default());
    assert_eq!(refused.err(), Some(QuorumError::NoNodes));
    let options = QuorumOptions::new().node_timeout(Duration::ZERO);
    let one = [Node::new(|| Instant::ORIGIN)];
    let refused = Quorum::new(one, Still::default(), &options);
    assert_eq!(refused.err(), Some(QuorumError::NoTime));
}

/// A store that sends no notifications.
struct Silent(MemoryStore);

impl Store for Silent {
    async fn execute(&self, command: Command) -> Result<Reply, StoreError> {
        self.0.execute(command).await
    }
}

#[tokio::test(start_paused = true)]
async fn nodes_that_send_no_notifications_make_no_subscription() {
    let nodes = [(); 3].map(|()| Silent(MemoryStore::new()));
    let quorum = Quorum::new(nodes, TokioClock::new(), &QuorumOptions::default()).unwrap();
    assert!(quorum.subscribe(&LockKeys::of("job")).await.is_none());
}

/// Nodes that answer at once.
fn near() -> ([Arc<MemoryStore>; 3], Quorum<Arc<MemoryStore>, TokioClock>) {
    let nodes = [(); 3].map(|()| Arc::new(MemoryStore::new()));
    let quorum = Quorum::new(nodes.clone(), TokioClock::new(), &QuorumOptions::default()).unwrap();
    (nodes, quorum)
}

#[tokio::test(start_paused = true)]
async fn a_detached_release_reaches_every_node() {
    let (nodes, quorum) = near();
    let mut lease = Lock::new(quorum, "job").unwrap().acquire().await.unwrap();
    lease.release_detached().await;
    for node in nodes {
        assert_eq!(Lock::new(node, "job").unwrap().status().await, Ok(Holder::Free));
    }
}

#[tokio::test(start_paused = true)]
async fn a_notification_takes_a_majority_and_no_more() {
    let (nodes, quorum) = near();
    let mut subscription = quorum.subscribe(&LockKeys::of("job")).await.unwrap();
    let mut context = Context::from_waker(Waker::noop());
    for (node, notified) in nodes.into_iter().zip([false, true, false]) {
        let mut lease = Lock::new(node, "job").unwrap().acquire().await.unwrap();
        lease.release().await.unwrap();
        assert_eq!(subscription.poll_released(&mut context).is_ready(), notified);
    }
}
