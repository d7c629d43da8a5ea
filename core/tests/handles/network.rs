//! A store at the end of a network in virtual time: requests travel on when their caller is gone.

#![allow(dead_code, reason = "each test program uses a part")]
#![allow(clippy::unwrap_used, reason = "for tests only")]

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use leasehold_core::{
    Cause, Clock, Command, MemoryStore, Rejection, RejectionKind, ReleaseSource, Reply, Store,
    StoreError, Subscription, Tokens, TokioClock,
    lock::{Holder, Lease, Lock, LockCommand, LockConfig, LockKeys, LockOptions, LockReply, Locks},
};
use tokio::sync::mpsc;

/// How long a message travels, one way.
pub(crate) const TRAVEL: Duration = Duration::from_millis(5);

/// What happens to one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    /// Certainly not sent.
    NotSent,
    /// Refused by the server.
    Refused,
    LoseRequest,
    LoseReply,
    /// Applied this much later than it should be; its reply is lost.
    Late(Duration),
}

type Time = Box<dyn Fn() -> leasehold_core::Instant + Send + Sync>;

/// A handle on the network. Clones share it.
#[derive(Clone)]
pub(crate) struct Network {
    pub(crate) clock: TokioClock,
    store: Arc<MemoryStore<Time>>,
    faults: Arc<Mutex<VecDeque<Fault>>>,
    sent: Arc<Mutex<Vec<LockCommand>>>,
    notifications: Arc<AtomicBool>,
}

impl Network {
    /// Call within a runtime whose time is paused.
    pub(crate) fn new() -> Self {
        let clock = TokioClock::new();
        let time: Time = Box::new(move || clock.now());
        let store = Arc::new(MemoryStore::with_time(time));
        let (faults, sent) = (Arc::default(), Arc::default());
        Self { clock, store, faults, sent, notifications: Arc::new(AtomicBool::new(true)) }
    }

    /// And a lock over it.
    pub(crate) fn with_lock() -> (Self, Lock) {
        let network = Self::new();
        let lock = network.lock("me");
        (network, lock)
    }

    /// And a lease of a lock over it.
    pub(crate) async fn with_lease() -> (Self, Lease) {
        let (network, lock) = Self::with_lock();
        (network, lock.acquire().await.unwrap())
    }

    /// And locks over it whose waiters stand in line.
    pub(crate) fn with_locks() -> (Self, Locks) {
        let network = Self::new();
        let locks = network.locks();
        (network, locks)
    }

    /// What happens to the next requests, in order.
    pub(crate) fn faults(&self, faults: impl IntoIterator<Item = Fault>) {
        *self.faults.lock().unwrap() = faults.into_iter().collect();
    }

    pub(crate) fn heal(&self) {
        self.faults([]);
    }

    /// The commands sent so far.
    pub(crate) fn sent(&self) -> Vec<LockCommand> {
        self.sent.lock().unwrap().clone()
    }

    /// A lock of 3 s leases whose calls time out after 50 ms.
    pub(crate) fn lock(&self, owner: &str) -> Lock {
        self.lock_with(owner, |options| options)
    }

    pub(crate) fn lock_with(
        &self,
        owner: &str,
        change: impl FnOnce(LockOptions) -> LockOptions,
    ) -> Lock {
        let options = LockOptions::new()
            .lease(Duration::from_secs(3))
            .call_timeout(Duration::from_millis(50));
        let options = change(options);
        let config = LockConfig::new("job", &options).unwrap();
        Lock::from_config(self.clone(), self.clock, config, Tokens::of_owner(owner))
    }

    /// A lock of 3 s leases on another clock.
    pub(crate) fn lock_on(&self, owner: &str, clock: impl Clock + Send + Sync + 'static) -> Lock {
        let options = LockOptions::new().lease(Duration::from_secs(3));
        let config = LockConfig::new("job", &options).unwrap();
        Lock::from_config(self.clone(), clock, config, Tokens::of_owner(owner))
    }

    /// Locks over this network whose waiters stand in line. Tokens begin with the owner's name.
    pub(crate) fn locks(&self) -> Locks {
        Locks::with_clock(self.clone(), self.clock)
    }

    /// Whether notifications arrive.
    pub(crate) fn notifications(&self, arrive: bool) {
        self.notifications.store(arrive, Ordering::Relaxed);
    }

    /// Who holds the lock, asked at the server itself.
    pub(crate) async fn holder(&self, token: Option<&str>) -> Holder {
        let token = token.map(|text| leasehold_core::Token::new(text).unwrap());
        let keys = Arc::new(LockKeys::of("job"));
        let command = Command::Lock(LockCommand::Inspect { keys, token });
        match self.store.execute(command).await {
            Ok(Reply::Lock(LockReply::Holder(holder))) => holder,
            other => panic!("{other:?}"),
        }
    }

    /// Waits until every message has arrived.
    pub(crate) async fn settle(&self) {
        tokio::time::sleep(TRAVEL * 4).await;
    }
}

impl Store for Network {
    async fn execute(&self, command: Command) -> Result<Reply, StoreError> {
        if let Command::Lock(command) = &command {
            self.sent.lock().unwrap().push(command.clone());
        }
        let fault = self.faults.lock().unwrap().pop_front().unwrap_or(Fault::None);
        let late = match fault {
            Fault::NotSent => {
                return Err(StoreError::NotSent(Cause::Unreachable("refused".into())));
            }
            Fault::Refused => {
                let (kind, message) = (RejectionKind::OutOfMemory, "OOM".into());
                return Err(StoreError::Rejected(Rejection { kind, message }));
            }
            Fault::LoseRequest => return std::future::pending().await,
            Fault::Late(late) => late,
            Fault::LoseReply | Fault::None => Duration::ZERO,
        };
        let store = self.store.clone();
        // A task of its own: dropping the caller does not recall the request.
        let arrival = tokio::spawn(async move {
            tokio::time::sleep(TRAVEL + late).await;
            store.execute(command).await
        });
        let reply = arrival.await.expect("the server does not panic");
        if fault != Fault::None {
            return std::future::pending().await;
        }
        tokio::time::sleep(TRAVEL).await;
        reply
    }

    /// A subscription takes a round trip, and a notification travels one way.
    async fn subscribe(&self, keys: &LockKeys) -> Option<Subscription> {
        tokio::time::sleep(TRAVEL).await;
        let mut subscription = self.store.subscribe(keys).await?;
        tokio::time::sleep(TRAVEL).await;
        let (sender, notifications) = mpsc::unbounded_channel();
        let arrive = self.notifications.clone();
        tokio::spawn(async move {
            while !sender.is_closed() {
                subscription.released().await;
                tokio::time::sleep(TRAVEL).await;
                if arrive.load(Ordering::Relaxed) {
                    let _ = sender.send(());
                }
            }
        });
        Some(Subscription::new(Arriving(notifications)))
    }
}

struct Arriving(mpsc::UnboundedReceiver<()>);

impl ReleaseSource for Arriving {
    fn poll_released(&mut self, context: &mut Context<'_>) -> Poll<bool> {
        self.0.poll_recv(context).map(|notification| notification.is_some())
    }
}
