//! A lock as a handle: its settings, and what its machines need to run.

use alloc::sync::Arc;
use core::{fmt, time::Duration};

#[cfg(feature = "tokio")]
use super::LockOptions;
use super::{
    Acquire, Holder, Lease, LockConfig, LockMachine, NotAcquired, ReleaseError, lease::Origin,
    options::AcquireOptions, pool::Shared, queue::LocalQueue, requests,
};
use crate::{
    settings::ConfigError,
    store::{DynStore, Store, StoreError},
    time::{Clock, DynClock},
    token::{Fence, Token, Tokens},
};

/// A lock in a store, by its id.
///
/// A handle is cheap to clone and to share: clones are one handle, and any number of tasks may
/// acquire by it at the same time. Handles on one id exclude one another, wherever they are.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use leasehold_core::{MemoryStore, lock::{Lock, NotAcquired}};
///
/// let lock = Lock::new(MemoryStore::new(), "job")?;
/// let mut lease = match lock.acquire().within(Duration::from_secs(5)).await {
///     Ok(lease) => lease,
///     Err(NotAcquired::Busy { .. }) => return Ok(()), // another process does it
///     Err(error) => return Err(error.into()),         // the store is down: a different matter
/// };
/// lease.ensure(Duration::from_secs(1))?;
/// // … work, and send lease.fence() with every write …
/// lease.release().await?;
/// # Ok(())
/// # }
/// ```
///
/// # Cancellation
///
/// Every future of a handle may be dropped at any point. What was in flight is cleaned up in the
/// background, if the clock belongs to a runtime (as [`TokioClock`](crate::TokioClock) does). Until
/// then, and where no runtime is, it stays in the handle: [`Lock::in_flight`] says so, and the next
/// call begins by cleaning it up. Without either, the key's time to live does it. A call that ended
/// in doubt ([`NotAcquired::Unknown`]) leaves it to the next call, or to the drop of the last clone.
#[derive(Clone)]
pub struct Lock {
    shared: Arc<Shared>,
}

impl Lock {
    /// The lock called `id` in `store`, with the default [`LockOptions`], on tokio's clock.
    ///
    /// # Errors
    ///
    /// [`ConfigError::EmptyId`].
    #[cfg(feature = "tokio")]
    pub fn new(store: impl Store + Send + Sync + 'static, id: &str) -> Result<Self, ConfigError> {
        Self::with_options(store, id, &LockOptions::new())
    }

    /// The lock called `id` in `store`, with settings of its own, on tokio's clock.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] names the first setting that cannot work.
    #[cfg(feature = "tokio")]
    pub fn with_options(
        store: impl Store + Send + Sync + 'static,
        id: &str,
        options: &LockOptions,
    ) -> Result<Self, ConfigError> {
        let config = LockConfig::new(id, options)?;
        Ok(Self::from_config(store, crate::time::TokioClock::new(), config, Tokens::from_os()))
    }

    /// A lock from all of its parts: another clock, or tokens of one's own. No two handles may have
    /// tokens of one owner.
    ///
    /// ```
    /// # use leasehold_core::{Clock, Store};
    /// use std::time::Duration;
    /// use leasehold_core::{Tokens, lock::{Lock, LockConfig, LockOptions}};
    ///
    /// # fn lock(
    /// #     store: impl Store + Send + Sync + 'static,
    /// #     clock: impl Clock + Send + Sync + 'static,
    /// # ) -> Result<Lock, leasehold_core::ConfigError> {
    /// let options = LockOptions::new().lease(Duration::from_secs(30));
    /// let config = LockConfig::new("job", &options)?;
    /// let lock = Lock::from_config(store, clock, config, Tokens::from_os());
    /// # Ok(lock) }
    /// ```
    #[must_use]
    pub fn from_config(
        store: impl Store + Send + Sync + 'static,
        clock: impl Clock + Send + Sync + 'static,
        config: LockConfig,
        tokens: Tokens,
    ) -> Self {
        let queue = Arc::new(LocalQueue::default());
        Self::in_queue(store.into_dyn(), DynClock::new(clock), config, tokens, queue)
    }

    pub(super) fn in_queue(
        store: DynStore,
        clock: DynClock,
        config: LockConfig,
        tokens: Tokens,
        queue: Arc<LocalQueue>,
    ) -> Self {
        Self { shared: Arc::new(Shared::new(store, clock, config, tokens, queue)) }
    }

    /// The name of what is protected.
    #[must_use]
    pub fn id(&self) -> &str {
        self.shared.id()
    }

    /// Asks for the lock: say how, then await it, or [`hold`](Acquire::hold) it.
    pub fn acquire(&self) -> Acquire {
        Acquire::new(self.shared.clone())
    }

    /// Takes the lock if it is free, with one try. `None` if another holds it.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use leasehold_core::{MemoryStore, lock::Lock};
    ///
    /// let lock = Lock::new(MemoryStore::new(), "job")?;
    /// if let Some(mut lease) = lock.try_acquire().await? {
    ///     assert!(lock.try_acquire().await?.is_none());
    ///     lease.release().await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`NotAcquired`], but for [`NotAcquired::Busy`].
    ///
    /// # Cancellation
    ///
    /// See [`Lock`].
    pub async fn try_acquire(&self) -> Result<Option<Lease>, NotAcquired> {
        match self.acquire().attempts(1).await {
            Ok(lease) => Ok(Some(lease)),
            Err(NotAcquired::Busy { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Takes over a lease from another process: its token, its fence, and how much of it is certain
    /// to be left. Count that from before the other process last sent for it; the margin is taken
    /// off here. Asks nobody: extend it to learn whether it is still alive.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if `remaining` is zero, too long, or used up by the margin.
    pub fn adopt(
        &self,
        token: Token,
        fence: Fence,
        remaining: Duration,
    ) -> Result<Lease, ConfigError> {
        let (config, clock) = (&self.shared.config, self.shared.clock());
        let options = AcquireOptions { lease: Some(remaining), ..AcquireOptions::default() };
        let lease_ms = config.acquire_with(&options)?.lease_ms;
        // The lease's machine makes no tokens, so it needs no owner.
        let mut machine = LockMachine::new(config.clone(), Tokens::of_owner(""), lease_ms);
        machine.adopt(clock.now(), token, fence, lease_ms);
        Ok(Lease::new(machine, self.shared.store().clone(), clock.clone(), Origin::default()))
    }

    /// Asks the store who holds the lock. It may have changed since. A lease that came from this
    /// handle is [`Holder::Other`] here: [`Lease::status`] knows it as its own.
    ///
    /// # Errors
    ///
    /// What the store answered instead, also while it does not confirm the clean-up of
    /// [`Lock::in_flight`].
    pub async fn status(&self) -> Result<Holder, StoreError> {
        let mut machine = self.shared.borrow();
        requests::status(machine.machine(), self.shared.store(), self.shared.clock()).await
    }

    /// A token that may be under the key although nobody has its lease: of a call that was dropped
    /// or never answered. The next call begins by cleaning it up.
    #[must_use]
    pub fn in_flight(&self) -> Option<Token> {
        self.shared.in_flight()
    }

    /// Cleans up what is [`Lock::in_flight`]. Does nothing if nothing is.
    ///
    /// # Errors
    ///
    /// [`ReleaseError`] if it is not certain that it is gone. It stays in flight.
    pub async fn clear(&self) -> Result<(), ReleaseError> {
        while self.in_flight().is_some() {
            let mut machine = self.shared.borrow();
            requests::release(machine.machine(), self.shared.store(), self.shared.clock()).await?;
        }
        Ok(())
    }
}

impl fmt::Debug for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lock").field("id", &self.id()).finish_non_exhaustive()
    }
}
