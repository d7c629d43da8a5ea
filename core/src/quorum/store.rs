//! A quorum as a store.

use alloc::{boxed::Box, sync::Arc, vec::Vec};
use core::{
    error, fmt,
    future::{Future, poll_fn},
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use super::{
    machine::{Progress, QuorumMachine},
    tally::{majority, only_full},
};
use crate::{
    drive::{before, race},
    lock::{LockCommand, LockKeys, LockReply},
    store::{Command, Rejection, RejectionKind, Reply, Store, StoreError},
    subscription::{ReleaseSource, Subscription},
    time::Clock,
};

/// How a quorum treats its nodes.
///
/// ```
/// use std::time::Duration;
/// use leasehold_core::quorum::QuorumOptions;
///
/// let options = QuorumOptions::new().node_timeout(Duration::from_millis(50));
/// # let _ = options;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuorumOptions {
    pub(crate) node_timeout: Duration,
}

impl QuorumOptions {
    /// The defaults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How long to wait for one node in one round, before it counts as not answering. Default
    /// 250 ms. An acquire takes up to two rounds, so the lock's
    /// [`call_timeout`](crate::lock::LockOptions::call_timeout) should be more than twice that, and
    /// its lease much more.
    #[must_use]
    pub fn node_timeout(mut self, node_timeout: Duration) -> Self {
        self.node_timeout = node_timeout;
        self
    }
}

impl Default for QuorumOptions {
    fn default() -> Self {
        Self { node_timeout: Duration::from_millis(250) }
    }
}

/// Several independent stores, of which a majority decides. See the [module](crate::quorum).
///
/// The nodes must share nothing: not replicas of one another, not two names of one server.
///
/// ```
/// # #[cfg(all(feature = "memory", feature = "tokio"))]
/// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
/// use std::sync::Arc;
/// use leasehold_core::{MemoryStore, TokioClock, lock::Lock, quorum::{Quorum, QuorumOptions}};
///
/// let nodes = (0..3).map(|_| Arc::new(MemoryStore::new()));
/// let quorum = Quorum::new(nodes, TokioClock::new(), &QuorumOptions::default())?;
/// let mut lock = Lock::new(quorum, "job")?;
/// let mut lease = lock.acquire().await?;
/// lease.release().await?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
pub struct Quorum<S, C> {
    nodes: Arc<[S]>,
    clock: C,
    node_timeout: Duration,
}

impl<S, C> Quorum<S, C> {
    /// A quorum of `nodes`. Its clock times their answers.
    ///
    /// # Errors
    ///
    /// [`QuorumError`] if there is no node, or no time to wait for one.
    pub fn new(
        nodes: impl IntoIterator<Item = S>,
        clock: C,
        options: &QuorumOptions,
    ) -> Result<Self, QuorumError> {
        let (nodes, node_timeout): (Arc<[S]>, _) =
            (nodes.into_iter().collect(), options.node_timeout);
        if nodes.is_empty() {
            return Err(QuorumError::NoNodes);
        }
        if node_timeout.is_zero() {
            return Err(QuorumError::NoTime);
        }
        Ok(Self { nodes, clock, node_timeout })
    }
}

impl<S: Store + Send + Sync, C: Clock + Send + Sync> Quorum<S, C> {
    async fn decide(&self, command: LockCommand) -> Result<LockReply, StoreError> {
        let mut machine = QuorumMachine::new(self.nodes.len(), command);
        loop {
            let mut asked = self.ask(machine.requests());
            let mut progress = Progress::Waiting;
            while progress == Progress::Waiting {
                let (node, result) = asked.next().await;
                progress = machine.answered(node, result);
            }
            if let Progress::Done(answer) = progress {
                self.tell(machine.requests()).await;
                return answer;
            }
        }
    }

    /// Sends what a round asks for, and waits for no answer.
    async fn tell(&self, requests: Vec<(usize, Command)>) {
        let tell = |(node, command): (usize, Command)| self.nodes[node].send(command);
        Asked::new(requests.into_iter().map(tell)).send().await;
    }

    /// Sends what a round asks for.
    fn ask(
        &self,
        requests: Vec<(usize, Command)>,
    ) -> Asked<impl Future<Output = (usize, Result<Reply, StoreError>)>> {
        let deadline = self.clock.now() + self.node_timeout;
        Asked::new(requests.into_iter().map(move |(node, command)| async move {
            let call = self.nodes[node].execute(command);
            (node, before(deadline, &self.clock, call).await)
        }))
    }
}

impl<S: Store + Send + Sync, C: Clock + Send + Sync> Store for Quorum<S, C> {
    async fn execute(&self, command: Command) -> Result<Reply, StoreError> {
        match command {
            Command::Lock(LockCommand::AcquireLean { .. } | LockCommand::ReleaseLean { .. }) => {
                Err(only_full())
            }
            Command::Lock(command) => self.decide(command).await.map(Reply::Lock),
            Command::Debounce(_) => Err(StoreError::Rejected(Rejection {
                kind: RejectionKind::Other,
                message: "a quorum keeps no debounced calls: keep them in one store".into(),
            })),
        }
    }

    /// Asks every node at once. What an answer would have called for is not done.
    async fn send(&self, command: Command) {
        if let Command::Lock(command) = command {
            let machine = QuorumMachine::new(self.nodes.len(), command);
            self.tell(machine.requests()).await;
        }
    }

    /// Subscribes at every node. It notifies once a majority has, or all nodes that send
    /// notifications.
    async fn subscribe(&self, keys: &LockKeys) -> Option<Subscription> {
        let deadline = self.clock.now() + self.node_timeout;
        let mut asked = Asked::new(self.nodes.iter().map(|node| {
            let give_up = async {
                self.clock.sleep_until(deadline).await;
                None
            };
            race(node.subscribe(keys), give_up)
        }));
        let mut subscriptions = Vec::new();
        for _ in 0..self.nodes.len() {
            subscriptions.extend(asked.next().await);
        }
        let enough = majority(self.nodes.len()).min(subscriptions.len());
        let nodes = subscriptions.into_iter().map(|subscription| (subscription, false)).collect();
        (enough > 0).then(|| Subscription::new(Gathered { nodes, enough }))
    }
}

/// Requests to several nodes, each polled at least once before any answer is looked at, so that
/// all are sent.
struct Asked<F: Future> {
    pending: Vec<Pin<Box<F>>>,
    ready: Vec<F::Output>,
}

impl<F: Future> Asked<F> {
    fn new(futures: impl Iterator<Item = F>) -> Self {
        Self { pending: futures.map(Box::pin).collect(), ready: Vec::new() }
    }

    /// Sends all, and waits for nothing.
    async fn send(mut self) {
        poll_fn(|context| {
            self.pending.retain_mut(|future| future.as_mut().poll(context).is_pending());
            Poll::Ready(())
        })
        .await;
    }

    /// The next answer, in the order in which they are seen.
    async fn next(&mut self) -> F::Output {
        poll_fn(|context| {
            let ready = &mut self.ready;
            self.pending.retain_mut(|future| match future.as_mut().poll(context) {
                Poll::Ready(output) => {
                    ready.push(output);
                    false
                }
                Poll::Pending => true,
            });
            if ready.is_empty() { Poll::Pending } else { Poll::Ready(ready.remove(0)) }
        })
        .await
    }
}

/// The subscriptions at the nodes, and which of them have notified since the last notification.
struct Gathered {
    nodes: Vec<(Subscription, bool)>,
    enough: usize,
}

impl ReleaseSource for Gathered {
    fn poll_released(&mut self, context: &mut Context<'_>) -> Poll<bool> {
        for (subscription, notified) in &mut self.nodes {
            *notified |= subscription.poll_released(context).is_ready();
        }
        if self.nodes.iter().filter(|(_, notified)| *notified).count() < self.enough {
            return Poll::Pending;
        }
        self.nodes.iter_mut().for_each(|(_, notified)| *notified = false);
        Poll::Ready(true)
    }
}

/// Why no quorum came of it.
///
/// ```
/// use leasehold_core::{MemoryStore, TokioClock, quorum::{Quorum, QuorumOptions}};
///
/// let none: [MemoryStore; 0] = [];
/// let refused = Quorum::new(none, TokioClock::new(), &QuorumOptions::new()).err();
/// println!("{}", refused.expect("a quorum has a node"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum QuorumError {
    /// There is no node.
    NoNodes,
    /// [`QuorumOptions::node_timeout`] is zero.
    NoTime,
}

impl fmt::Display for QuorumError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoNodes => "a quorum needs nodes: give three or five",
            Self::NoTime => "node_timeout is zero: give it a few round trips",
        })
    }
}

impl error::Error for QuorumError {}

impl<S, C: Clone> Clone for Quorum<S, C> {
    fn clone(&self) -> Self {
        let (nodes, clock) = (self.nodes.clone(), self.clock.clone());
        Self { nodes, clock, node_timeout: self.node_timeout }
    }
}

impl<S, C> fmt::Debug for Quorum<S, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Quorum").field("nodes", &self.nodes.len()).finish_non_exhaustive()
    }
}
