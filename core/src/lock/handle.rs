//! A lock as a handle: the machine, and what it needs to run.

#[cfg(feature = "std")]
use alloc::sync::Arc;
use core::{fmt, time::Duration};

use super::{
    AcquireOptions, ConfigError, Grant, Holder, Lease, LockConfig, LockMachine, LockOutcome,
    LockRequest, NotAcquired, ReleaseError, Terms, series::Series,
};
#[cfg(feature = "std")]
use super::{LockOptions, room::Room};
use crate::{
    drive::{drive, drive_observed},
    store::{Store, StoreError},
    telemetry,
    time::Clock,
    token::{Fence, Token, Tokens},
    watch::Watch,
};

/// A lock in a store, by its id.
///
/// One handle makes one attempt at a time; it is cheap, so make one per task. Handles on one id
/// exclude one another, wherever they are.
///
/// ```
/// # #[cfg(all(feature = "memory", feature = "tokio"))]
/// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
/// use std::{sync::Arc, time::Duration};
/// use leasehold_core::{MemoryStore, lock::{Lock, NotAcquired}};
///
/// let store = Arc::new(MemoryStore::new());
/// let mut lock = Lock::new(store, "job")?;
/// let mut lease = match lock.acquire().await {
///     Ok(lease) => lease,
///     Err(NotAcquired::Busy { .. }) => return Ok(()), // another process does it
///     Err(error) => return Err(error.into()),         // the store is down: a different matter
/// };
/// lease.ensure(Duration::from_secs(1))?;
/// // … work, and send lease.fence() with every write …
/// lease.release().await?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
///
/// # Cancellation
///
/// Every future of a handle may be dropped at any point. What was in flight stays in the handle:
/// [`Lock::in_flight`] says so, the next call begins by cleaning it up, and without a next call the
/// key's time to live does.
pub struct Lock<S, C> {
    pub(super) machine: LockMachine,
    pub(super) store: S,
    pub(super) clock: C,
    pub(super) series: Series,
    /// Where its waiters stand in line, if they do.
    #[cfg(feature = "std")]
    pub(super) room: Option<Arc<Room>>,
}

#[cfg(feature = "tokio")]
impl<S: Store + Clone> Lock<S, crate::time::TokioClock> {
    /// The lock called `id`, with the default [`LockOptions`] and tokens from the operating system.
    ///
    /// # Errors
    ///
    /// [`ConfigError::EmptyId`].
    pub fn new(store: S, id: &str) -> Result<Self, ConfigError> {
        Self::with_options(store, id, &LockOptions::default())
    }

    /// The lock called `id`, with settings of its own.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] names the first setting that cannot work.
    pub fn with_options(store: S, id: &str, options: &LockOptions) -> Result<Self, ConfigError> {
        let config = LockConfig::new(id, options)?;
        let tokens = Tokens::for_handle(&store);
        Ok(Self::from_config(store, crate::time::TokioClock::new(), config, tokens))
    }
}

impl<S: Store + Clone, C: Clock + Clone> Lock<S, C> {
    /// The lock called `id` on a clock of the caller's, with the default [`LockOptions`].
    ///
    /// # Errors
    ///
    /// [`ConfigError::EmptyId`].
    #[cfg(feature = "std")]
    pub fn with_clock(store: S, clock: C, id: &str) -> Result<Self, ConfigError> {
        let config = LockConfig::new(id, &LockOptions::default())?;
        let tokens = Tokens::for_handle(&store);
        Ok(Self::from_config(store, clock, config, tokens))
    }

    /// A lock from all of its parts: what the other constructors call, and all that is there
    /// without the feature `std`.
    ///
    /// ```
    /// # use leasehold_core::{Clock, Store};
    /// use leasehold_core::{Tokens, lock::{Lock, LockConfig, LockOptions}};
    /// use std::time::Duration;
    ///
    /// # fn lock<S: Store + Clone, C: Clock + Clone>(store: S, clock: C, random: [u8; 16])
    /// # -> Result<Lock<S, C>, leasehold_core::lock::ConfigError> {
    /// let options = LockOptions { lease: Duration::from_secs(30), ..LockOptions::default() };
    /// let config = LockConfig::new("job", &options)?;
    /// let lock = Lock::from_config(store, clock, config, Tokens::from_random(random));
    /// # Ok(lock) }
    /// ```
    pub fn from_config(store: S, clock: C, config: LockConfig, tokens: Tokens) -> Self {
        let seed = tokens.seed();
        Self {
            machine: LockMachine::new(config, tokens, seed),
            store,
            clock,
            series: Series::default(),
            #[cfg(feature = "std")]
            room: None,
        }
    }

    /// The name of what is protected.
    #[must_use]
    pub fn id(&self) -> &str {
        self.machine.config().keys().lock()
    }

    /// Takes the lock, as the handle's settings say.
    ///
    /// # Errors
    ///
    /// [`NotAcquired`] says whether the lock is held, the store is down, or nobody knows.
    ///
    /// # Cancellation
    ///
    /// See [`Lock`].
    pub async fn acquire(&mut self) -> Result<Lease<S, C>, NotAcquired> {
        self.acquire_with(AcquireOptions::default()).await
    }

    /// Takes the lock, as `options` say for this once.
    ///
    /// # Errors
    ///
    /// As [`Lock::acquire`]; and [`NotAcquired::Config`] if `options` cannot work.
    ///
    /// # Cancellation
    ///
    /// See [`Lock`].
    pub async fn acquire_with(
        &mut self,
        options: AcquireOptions,
    ) -> Result<Lease<S, C>, NotAcquired> {
        let terms = self.machine.config().terms(&options)?;
        self.grant(terms, &mut None, |_| ()).await?;
        Ok(self.lease())
    }

    /// Takes over a lease from another process: its token, its fence, and how much of it is certain
    /// to be left. Count that from before the other process last sent for it; the margin is taken
    /// off here. Asks nobody: extend it to learn whether it is still alive.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if `remaining` is zero, too long, or used up by the margin.
    pub fn adopt(
        &mut self,
        token: Token,
        fence: Fence,
        remaining: Duration,
    ) -> Result<Lease<S, C>, ConfigError> {
        let options = AcquireOptions { lease: Some(remaining), ..AcquireOptions::default() };
        let lease_ms = self.machine.config().terms(&options)?.lease_ms;
        let config = self.machine.config().clone();
        // The lease's machine makes no tokens, so it needs no owner.
        let mut machine = LockMachine::new(config, Tokens::of_owner(""), lease_ms);
        machine.adopt(self.clock.now(), token, fence, lease_ms);
        Ok(Lease::new(machine, self.store.clone(), self.clock.clone(), None))
    }

    /// Asks the store who holds the lock. It may have changed since. A lease that came from this
    /// handle is [`Holder::Other`] here: [`Lease::status`] knows it as its own.
    ///
    /// # Errors
    ///
    /// What the store answered instead, also while it does not confirm the clean-up of
    /// [`Lock::in_flight`].
    pub async fn status(&mut self) -> Result<Holder, StoreError> {
        status(&mut self.machine, &self.store, &self.clock).await
    }

    /// The token that may be under the key although nobody has its lease: of a call that was
    /// dropped or never answered. The next call begins by cleaning it up.
    #[must_use]
    pub fn in_flight(&self) -> Option<&Token> {
        let held = || self.machine.grant().map(Grant::token);
        self.machine.in_flight().or_else(held)
    }

    /// Cleans up what is [`Lock::in_flight`]. Does nothing if nothing is.
    ///
    /// # Errors
    ///
    /// [`ReleaseError`] if it is not certain that it is gone. It stays in flight.
    pub async fn clear(&mut self) -> Result<(), ReleaseError> {
        super::lease::release(&mut self.machine, &self.store, &self.clock).await.map(|_| ())
    }

    /// A lease of its own, of the grant that the machine has.
    pub(super) fn lease(&mut self) -> Lease<S, C> {
        let (machine, lent) = (self.machine.hand_over(), self.series.lend());
        Lease::new(machine, self.store.clone(), self.clock.clone(), Some(lent))
    }

    /// Runs the machine until it holds the lock.
    pub(super) async fn grant(
        &mut self,
        terms: Terms,
        watch: &mut Option<Watch>,
        observe: impl Fn(&LockMachine),
    ) -> Result<Grant, NotAcquired> {
        if self.series.is_back() {
            self.machine.resume_series();
        }
        let keys = self.machine.config().keys().clone();
        let granting = self.grant_untold(terms, watch, observe);
        let result = telemetry::in_span("acquire", keys.lock(), granting).await;
        telemetry::acquired(keys.lock(), &result);
        result
    }

    async fn grant_untold(
        &mut self,
        terms: Terms,
        watch: &mut Option<Watch>,
        observe: impl Fn(&LockMachine),
    ) -> Result<Grant, NotAcquired> {
        let request = LockRequest::Acquire(terms);
        let (machine, store, clock) = (&mut self.machine, &self.store, &self.clock);
        match drive_observed(machine, store, clock, request, watch, observe).await {
            LockOutcome::Acquired(grant) => Ok(grant),
            LockOutcome::Busy { remaining_ms } => {
                Err(NotAcquired::Busy { remaining: remaining_ms.map(Duration::from_millis) })
            }
            LockOutcome::NotDurable { wanted, got } => Err(NotAcquired::NotDurable { wanted, got }),
            LockOutcome::Spent => Err(NotAcquired::Spent),
            LockOutcome::Unavailable(error) => Err(NotAcquired::Unavailable(error)),
            LockOutcome::Unknown(error) => Err(NotAcquired::Unknown(error)),
            LockOutcome::Rejected(rejection) => Err(NotAcquired::Rejected(rejection)),
            outcome => unreachable!("an acquire never ends in {outcome:?}"),
        }
    }
}

/// Asks who holds the lock of `machine`.
pub(super) async fn status(
    machine: &mut LockMachine,
    store: &impl Store,
    clock: &impl Clock,
) -> Result<Holder, StoreError> {
    match drive(machine, store, clock, LockRequest::Status).await {
        LockOutcome::Status(holder) => Ok(holder),
        LockOutcome::Unavailable(error) | LockOutcome::Unknown(error) => Err(error),
        LockOutcome::Rejected(rejection) => Err(StoreError::Rejected(rejection)),
        outcome => unreachable!("a status never ends in {outcome:?}"),
    }
}

impl<S, C> fmt::Debug for Lock<S, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lock").field("machine", &self.machine).finish_non_exhaustive()
    }
}
