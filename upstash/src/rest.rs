//! The store over the REST protocol of Upstash.

mod builder;
mod endpoint;
mod exchange;
mod flight;
mod sse;
mod sync;
mod wire;

use std::{fmt, sync::Arc, time::Duration};

use leasehold_core::{
    Command, Reply, Store, StoreError, Subscription,
    lock::{LockCommand, LockKeys},
    redis,
};
use secrecy::SecretString;

pub use self::builder::UpstashBuilder;
use self::flight::Dispatch;
use crate::{
    error::SetupError,
    notifications::{Channels, Notifications, subscribe},
    retry::{Attempts, Budget},
    send::begin,
};

/// A database at Upstash, or at anything that speaks its REST protocol.
///
/// Cloning it is cheap; the clones share the pool of connections and the requests. It must be used
/// inside a tokio runtime with its drivers enabled, as its HTTP client needs one.
///
/// # How commands travel
///
/// A command that finds few requests under way is a `POST` of its own, at once. What is asked while
/// [that many](UpstashBuilder::requests_in_flight) are under way is collected, and goes out as one
/// pipeline when one of them ends. Each command keeps its own outcome. A pipeline is carried by a
/// task of its own, so that nobody's command hangs on anybody else's future; the task ends when
/// nothing waits any more.
///
/// # Cancellation
///
/// A command whose future is dropped before it left is not sent. After that it may still be
/// applied; it is not sent again.
///
/// ```no_run
/// use leasehold_core::lock::Lock;
/// use leasehold_upstash::Upstash;
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let mut lock = Lock::new(Upstash::from_env()?, "nightly-report")?;
/// let mut lease = lock.acquire().await?;
/// lease.release().await?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Upstash {
    dispatch: Arc<Dispatch>,
    channels: Arc<Channels>,
    budget: Budget,
}

impl Upstash {
    /// The database at `url`, opened by its standard token, with the defaults of the
    /// [`UpstashBuilder`].
    ///
    /// # Errors
    ///
    /// [`SetupError`] says what to change. Nothing is sent.
    pub fn new(url: &str, token: impl Into<SecretString>) -> Result<Self, SetupError> {
        Self::builder(url, token).build()
    }

    /// The database that the environment names as the JavaScript client has it: by
    /// `UPSTASH_REDIS_REST_URL` and `UPSTASH_REDIS_REST_TOKEN`, or else by `KV_REST_API_URL` and
    /// `KV_REST_API_TOKEN`. Unlike there, the URL of one pair is never used with the token of the
    /// other.
    ///
    /// # Errors
    ///
    /// [`SetupError::Unset`] names the variable that is missing; else as [`Upstash::new`].
    pub fn from_env() -> Result<Self, SetupError> {
        Self::builder_from_env()?.build()
    }

    /// Sets up the database at `url`, opened by its standard token.
    pub fn builder(url: &str, token: impl Into<SecretString>) -> UpstashBuilder {
        UpstashBuilder::new(url, token.into())
    }

    /// Sets up the database that the environment names. See [`Upstash::from_env`].
    ///
    /// # Errors
    ///
    /// [`SetupError::Unset`] names the variable that is missing.
    pub fn builder_from_env() -> Result<UpstashBuilder, SetupError> {
        UpstashBuilder::from_env()
    }

    /// The newest `upstash-sync-token` that an answer carried. Another process that takes it
    /// ([`Upstash::set_sync_token`]) sees what this one has written, whichever replica it asks.
    #[must_use]
    pub fn sync_token(&self) -> Option<String> {
        self.dispatch.exchange.sync.get()
    }

    /// Takes another process's token: what it had written is seen from now on, by all clones.
    ///
    /// The scripts of a lock run on the primary, which needs no such token.
    pub fn set_sync_token(&self, token: impl Into<String>) {
        self.dispatch.exchange.sync.set(token.into());
    }

    /// What is published in `channel` from now on.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    #[must_use]
    pub fn notifications(&self, channel: &str) -> Notifications {
        sse::listen(&self.channels, &self.dispatch, self.budget.total, channel)
    }
}

impl Store for Upstash {
    async fn execute(&self, command: Command) -> Result<Reply, StoreError> {
        let request = redis::encode(&command);
        let value = match &command {
            // At Upstash, it covers every write that came before it, over whichever connection.
            Command::Lock(LockCommand::Confirm { timeout_ms, .. }) => {
                let pause = Duration::from_millis(*timeout_ms);
                let attempts = Attempts::within(&command, self.budget.and(pause));
                self.dispatch.run_aside(&request, attempts).await?
            }
            _ => {
                let attempts = Attempts::within(&command, self.budget);
                self.dispatch.run(request, attempts).await?
            }
        };
        redis::decode(&command, value)
    }

    async fn send(&self, command: Command) {
        let store = self.clone();
        begin(async move { store.execute(command).await }).await;
    }

    async fn subscribe(&self, keys: &LockKeys) -> Option<Subscription> {
        subscribe(self.notifications(&keys.channel()), self.budget.total).await
    }
}

impl fmt::Debug for Upstash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upstash")
            .field("endpoint", self.dispatch.exchange.endpoint())
            .finish_non_exhaustive()
    }
}
