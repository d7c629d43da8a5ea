//! Locks for programs without async: each call blocks its thread.
//!
//! No runtime is needed. What goes on in the background ([`Lease::keep_alive`], the release of a
//! lease that is dropped) runs on a thread of its own. A store whose connection needs a runtime, as
//! those of `leasehold-upstash` do, needs one here, too: enter a multi-threaded one first.
//!
//! ```
//! use std::{io, time::Duration};
//! use leasehold_core::{MemoryStore, blocking::Lock};
//!
//! let lock = Lock::new(MemoryStore::new(), "report")?;
//! let mut lease = lock.acquire().within(Duration::from_secs(5)).wait()?;
//! // … work, and send lease.fence() with every write …
//! lease.release()?;
//!
//! // Or renewed while the work takes, and released at the end:
//! lock.acquire().hold(|lease| Ok::<_, io::Error>(lease.fence()))?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod thread;

use core::{fmt, time::Duration};

pub use self::thread::{ThreadClock, block_on};
use crate::{
    lock::{
        self, ExtendError, HoldError, Holder, LeaseView, LockConfig, LockOptions, LossReason, Lost,
        NotAcquired, ReleaseError, Released,
    },
    settings::ConfigError,
    store::{Store, StoreError},
    time::Instant,
    token::{Fence, Token, Tokens},
};

/// [`lock::Lock`], for a thread that blocks. See the [module](self).
#[derive(Clone, Debug)]
pub struct Lock(lock::Lock);

/// [`lock::Acquire`], for a thread that blocks.
///
/// ```
/// use leasehold_core::{MemoryStore, blocking::Lock};
///
/// let lock = Lock::new(MemoryStore::new(), "job")?;
/// let mut lease = lock.acquire().attempts(1).wait()?;
/// lease.release()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "nothing is asked until it is waited for"]
pub struct Acquire(lock::Acquire);

/// [`lock::Lease`], for a thread that blocks.
///
/// ```
/// use std::time::Duration;
/// use leasehold_core::{MemoryStore, blocking::Lock};
///
/// let mut lease = Lock::new(MemoryStore::new(), "job")?.acquire().wait()?;
/// lease.extend(Duration::from_secs(5))?;
/// lease.ensure(Duration::from_secs(10))?;
/// lease.release()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "dropping a lease gives it up"]
pub struct Lease(lock::Lease);

impl Lock {
    /// The lock called `id` in `store`, with the default [`LockOptions`].
    ///
    /// # Errors
    ///
    /// [`ConfigError::EmptyId`].
    pub fn new(store: impl Store + Send + Sync + 'static, id: &str) -> Result<Self, ConfigError> {
        Self::with_options(store, id, &LockOptions::new())
    }

    /// The lock called `id` in `store`, with settings of its own.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] names the first setting that cannot work.
    pub fn with_options(
        store: impl Store + Send + Sync + 'static,
        id: &str,
        options: &LockOptions,
    ) -> Result<Self, ConfigError> {
        let config = LockConfig::new(id, options)?;
        Ok(Self(lock::Lock::from_config(store, ThreadClock::new(), config, Tokens::from_os())))
    }

    /// Asks for the lock: say how, then [`wait`](Acquire::wait) or [`hold`](Acquire::hold).
    pub fn acquire(&self) -> Acquire {
        Acquire(self.0.acquire())
    }

    /// Takes the lock if it is free, with one try. `None` if another holds it.
    ///
    /// # Errors
    ///
    /// As [`lock::Lock::try_acquire`].
    pub fn try_acquire(&self) -> Result<Option<Lease>, NotAcquired> {
        block_on(self.0.try_acquire()).map(|lease| lease.map(Lease))
    }

    /// Asks the store who holds the lock. It may have changed since.
    ///
    /// # Errors
    ///
    /// What the store answered instead.
    pub fn status(&self) -> Result<Holder, StoreError> {
        block_on(self.0.status())
    }
}

impl Acquire {
    /// See [`lock::Acquire::lease`].
    pub fn lease(self, lease: Duration) -> Self {
        Self(self.0.lease(lease))
    }

    /// See [`lock::Acquire::within`].
    pub fn within(self, longest: Duration) -> Self {
        Self(self.0.within(longest))
    }

    /// See [`lock::Acquire::attempts`].
    pub fn attempts(self, attempts: u32) -> Self {
        Self(self.0.attempts(attempts))
    }

    /// See [`lock::Acquire::token`].
    pub fn token(self, token: Token) -> Self {
        Self(self.0.token(token))
    }

    /// Blocks until the lock is acquired or cannot be.
    ///
    /// # Errors
    ///
    /// As [`lock::Acquire`].
    pub fn wait(self) -> Result<Lease, NotAcquired> {
        block_on(self.0).map(Lease)
    }

    /// Takes the lock, runs `work` under it, and releases it. A thread renews the lease for as long
    /// as the work takes. The work is not stopped if the lease is lost: it asks
    /// [`LeaseView::ensure`] before it acts.
    ///
    /// # Errors
    ///
    /// As [`lock::Acquire::hold`]; [`HoldError::Lost`] once the work is done.
    ///
    /// # Panics
    ///
    /// If `work` does; the lock is then released in the background.
    pub fn hold<T, E>(
        self,
        work: impl FnOnce(LeaseView) -> Result<T, E>,
    ) -> Result<T, HoldError<E>> {
        let mut lease = self.wait().map_err(HoldError::NotAcquired)?;
        // Without a thread, the work has one lease of time, and whether that was enough is told.
        let _ = lease.keep_alive();
        let result = work(lease.view());
        let over = lease.remaining().is_zero();
        // What it finds is no matter of the work's.
        let _ = lease.release();
        match result {
            Ok(_) if over => Err(HoldError::Lost(LossReason::Expired)),
            result => result.map_err(HoldError::Failed),
        }
    }
}

impl Lease {
    /// See [`lock::Lease::token`].
    #[must_use]
    pub fn token(&self) -> &Token {
        self.0.token()
    }

    /// See [`lock::Lease::fence`].
    #[must_use]
    pub fn fence(&self) -> Fence {
        self.0.fence()
    }

    /// See [`lock::Lease::remaining`].
    #[must_use]
    pub fn remaining(&self) -> Duration {
        self.0.remaining()
    }

    /// See [`lock::Lease::view`].
    #[must_use]
    pub fn view(&self) -> LeaseView {
        self.0.view()
    }

    /// See [`lock::Lease::ensure`].
    ///
    /// # Errors
    ///
    /// [`Lost`] if not more than `min_left` is left.
    pub fn ensure(&self, min_left: Duration) -> Result<(), Lost> {
        self.0.ensure(min_left)
    }

    /// Renews the lease on a thread of its own: see [`lock::Lease::keep_alive`].
    ///
    /// # Errors
    ///
    /// [`lock::NoRuntime`] if no thread can be started.
    pub fn keep_alive(&mut self) -> Result<(), lock::NoRuntime> {
        self.0.keep_alive()
    }

    /// See [`lock::Lease::extend`].
    ///
    /// # Errors
    ///
    /// As [`lock::Lease::extend`].
    pub fn extend(&mut self, by: Duration) -> Result<Instant, ExtendError> {
        block_on(self.0.extend(by))
    }

    /// See [`lock::Lease::release`].
    ///
    /// # Errors
    ///
    /// As [`lock::Lease::release`].
    pub fn release(&mut self) -> Result<Released, ReleaseError> {
        block_on(self.0.release())
    }

    /// See [`lock::Lease::forget`].
    pub fn forget(self) {
        self.0.forget();
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
