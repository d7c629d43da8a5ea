//! What a simulated process may do.

use std::{
    any::Any,
    error, fmt,
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
    time::Duration,
};

use leasehold_core::{
    Clock, ConfigError,
    debounce::{Debounce, DebounceConfig, DebounceOptions},
    lock::{Lock, LockConfig, LockOptions},
};

use super::{
    SimClock, SimRedis, SimStore,
    ask::ask,
    clock::Sleep,
    runtime::{Answer, Order, with},
};
use crate::{history::Client, story::record::Seen, words::client};

/// How long a remote call waits for its answer.
const REMOTE_TIMEOUT: Duration = Duration::from_millis(500);

/// A process of a simulated cluster, as its own code sees it.
///
/// It is a number, so it is cheap to clone, `Send`, and of no use outside of its simulation.
#[derive(Clone, Debug)]
pub struct Process {
    pub(super) client: Client,
    life: u32,
}

/// A remote call that did not come back. What it does may have happened, or may yet happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RemoteError {
    /// The connection broke.
    Broken,
    /// There was no answer within half a second of the process's clock.
    TimedOut,
}

impl fmt::Display for RemoteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Broken => "the connection broke: the call may have happened, or may yet happen",
            Self::TimedOut => "no answer in time: the call may have happened, or may yet happen",
        })
    }
}

impl error::Error for RemoteError {}

/// The time of [`Process::timeout`] is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimedOut;

impl fmt::Display for TimedOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it took longer than its limit by the process's clock")
    }
}

impl error::Error for TimedOut {}

impl Process {
    pub(super) fn new(client: Client, life: u32) -> Self {
        Self { client, life }
    }

    /// Its name in stories: A, B, C…
    #[must_use]
    pub fn name(&self) -> String {
        client(self.client).to_string()
    }

    /// Its place among the processes, in the order in which they were declared, from 0.
    #[must_use]
    pub fn index(&self) -> usize {
        self.client.into()
    }

    /// How many times it has crashed.
    #[must_use]
    pub fn life(&self) -> u32 {
        self.life
    }

    /// The cluster's Redis, over this process's link.
    #[must_use]
    pub fn store(&self) -> SimStore {
        self.store_of(0)
    }

    /// The same of server number `server`, from 0, of several: see
    /// [`Cluster::topology`](super::Cluster::topology).
    ///
    /// # Panics
    ///
    /// When it is used, if there is no such server.
    #[must_use]
    pub fn store_of(&self, server: u8) -> SimStore {
        SimStore { client: self.client, node: server }
    }

    /// This process's clock.
    #[must_use]
    pub fn clock(&self) -> SimClock {
        SimClock { client: self.client }
    }

    /// The lock called `id`, with the default options.
    ///
    /// # Errors
    ///
    /// [`ConfigError::EmptyId`].
    pub fn lock(&self, id: &str) -> Result<Lock, ConfigError> {
        self.lock_with(id, &LockOptions::new())
    }

    /// The lock called `id`, with settings of its own.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] names the first setting that cannot work.
    ///
    /// # Panics
    ///
    /// Outside of its simulation.
    pub fn lock_with(&self, id: &str, options: &LockOptions) -> Result<Lock, ConfigError> {
        let config = LockConfig::new(id, options)?;
        let (store, clock) = (self.store(), self.clock());
        let tokens = store.tokens();
        Ok(Lock::from_config(store, clock, config, tokens))
    }

    /// The debounced call named `id`, with the default options.
    ///
    /// # Errors
    ///
    /// [`ConfigError::EmptyId`].
    pub fn debounce(&self, id: &str) -> Result<Debounce, ConfigError> {
        let config = DebounceConfig::new(id, &DebounceOptions::new())?;
        let (store, clock) = (self.store(), self.clock());
        let tokens = store.tokens();
        Ok(Debounce::from_config(store, clock, config, tokens))
    }

    /// A connection to the cluster's Redis for commands of your own, as client libraries have one.
    /// Each is a session of its own.
    ///
    /// # Panics
    ///
    /// Outside of its simulation.
    #[must_use]
    pub fn redis(&self) -> SimRedis {
        self.redis_of(0)
    }

    /// The same to server number `server`, from 0, of several: see
    /// [`Cluster::topology`](super::Cluster::topology).
    ///
    /// # Panics
    ///
    /// Outside of its simulation.
    #[must_use]
    pub fn redis_of(&self, server: u8) -> SimRedis {
        SimRedis::new(self.clone(), server)
    }

    /// What `future` comes to, unless it takes longer than `limit` by this process's clock; then it
    /// is dropped.
    ///
    /// # Errors
    ///
    /// [`TimedOut`]: what it has sent may have been executed, or may yet be.
    pub async fn timeout<F: Future>(
        &self,
        limit: Duration,
        future: F,
    ) -> Result<F::Output, TimedOut> {
        let (mut future, mut over) = (pin!(future), pin!(self.sleep(limit)));
        poll_fn(|context| match future.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Ok(output)),
            Poll::Pending => over.as_mut().poll(context).map(|()| Err(TimedOut)),
        })
        .await
    }

    /// Sleeps for `length` by this process's clock.
    pub async fn sleep(&self, length: Duration) {
        let clock = self.clock();
        clock.sleep_until(clock.now() + length).await;
    }

    /// Calls something that is not in this process: a database, a queue, another service. `remote_call` is
    /// carried out when the call arrives there, which can be long after the process thinks so: the
    /// network may delay it, lose it, or deliver it twice, and the process may stand still between
    /// asking for it and sending it.
    ///
    /// It waits for half a second by the process's clock.
    ///
    /// # Errors
    ///
    /// [`RemoteError`]: `remote_call` may have been carried out, or may yet be.
    ///
    /// # Cancellation
    ///
    /// Dropping the future does not take back a call that was sent.
    ///
    /// # Panics
    ///
    /// Outside of its simulation.
    pub async fn remote<T: Send + 'static>(
        &self,
        mut remote_call: impl FnMut() -> T + Send + 'static,
    ) -> Result<T, RemoteError> {
        Sleep::turn(self.client).await;
        let remote_call = Box::new(move || Box::new(remote_call()) as Box<dyn Any + Send>);
        let call = ask(self.client, |wait| Order::Remote { wait, remote_call });
        match self.timeout(REMOTE_TIMEOUT, call).await {
            Ok(Answer::Remote(result)) => result
                .map(|value| *value.downcast().expect("a call returns what it is made of returns")),
            Ok(_) => unreachable!("a call is answered as such"),
            Err(TimedOut) => Err(RemoteError::TimedOut),
        }
    }

    /// One of `0..options`, left to chance: how a workload varies. 0 is what shrinking prefers.
    ///
    /// # Panics
    ///
    /// If `options` is 0.
    pub async fn choose(&self, options: u32) -> u32 {
        assert!(options > 0, "a choice needs at least one option");
        match ask(self.client, |wait| Order::Choose { wait, options }).await {
            Answer::Choice(choice) => choice,
            _ => unreachable!("a choice is answered as such"),
        }
    }

    /// Runs `task` beside the others of this process, until it ends or the process does. Which of
    /// several tasks that are ready goes on first is left to chance.
    pub fn spawn(&self, task: impl Future<Output = ()> + 'static) {
        with(|runtime| {
            runtime.burn(self.client);
            let place = runtime.place(self.client);
            place.tasks.push(Some(Box::pin(task)));
            place.ready.push(place.tasks.len() - 1);
        });
    }

    /// Adds a line to the story that is told of a failing run.
    pub fn note(&self, text: impl fmt::Display) {
        with(|runtime| {
            runtime.note(|| format!("  {}: {text}", client(self.client)));
            runtime.mark(|| Seen::Did(self.client, text.to_string()));
        });
    }
}
