//! A lease: what its holder knows and can do.

use core::{fmt, mem, time::Duration};

use super::{
    ConfigError, ExtendError, Grant, Held, Holder, LockMachine, LockOutcome, LockRequest, Lost,
    MAX_LEASE, ReleaseError, Released, handle::status, series::Lent, tenure::Tenure,
};
use crate::{
    drive::drive,
    machine::{Action, Event, Machine},
    store::{Store, StoreError},
    telemetry,
    time::{Clock, Instant},
    token::{Fence, Token},
};

/// The right to act under a lock until [`Lease::deadline`].
///
/// **Dropping a lease does not release it**: a drop cannot wait for a server. Call
/// [`Lease::release`], or let its time run out, or use [`Lock::hold`](super::Lock::hold), which
/// releases at the end.
///
/// # Cancellation
///
/// Every future of a lease may be dropped at any point, and the call made again.
#[must_use = "an unused lease keeps others out until its time is up"]
pub struct Lease<S, C> {
    machine: LockMachine,
    store: S,
    clock: C,
    token: Token,
    held: Held<C>,
    released: Option<Released>,
    /// None if it came from another process.
    lent: Option<Lent>,
    tenure: Tenure,
}

impl<S: Store, C: Clock + Clone> Lease<S, C> {
    /// `machine` must have a grant.
    pub(super) fn new(machine: LockMachine, store: S, clock: C, lent: Option<Lent>) -> Self {
        let grant = machine.grant().expect("a lease is made of a grant");
        let (token, held) = (grant.token().clone(), Held::new(grant, clock.clone()));
        let tenure = Tenure::default();
        Self { machine, store, clock, token, held, released: None, lent, tenure }
    }

    /// The same, which keeps its place in line until it is given back or over.
    pub(super) fn in_line(self, tenure: Tenure) -> Self {
        Self { tenure, ..self }
    }

    /// What is stored under the key. Whoever knows it may extend and release the lease: hand it to
    /// another process with [`Lease::fence`] and [`Lease::remaining`], to
    /// [`Lock::adopt`](super::Lock::adopt) there, and drop this lease, behind which others of this
    /// process may [stand in line](super::Lock::acquire_within).
    #[must_use]
    pub fn token(&self) -> &Token {
        &self.token
    }

    /// The number to send with every write to the protected resource. Extending keeps it.
    #[must_use]
    pub fn fence(&self) -> Fence {
        self.held.fence()
    }

    /// How many replicas have acknowledged the lease or its last extension; 0 if none was asked.
    /// See [`Durability`](super::Durability).
    #[must_use]
    pub fn replicas(&self) -> u32 {
        self.machine.grant().map_or(0, Grant::replicas)
    }

    /// When the lease is over, on the local clock: counted from before the request was sent, less
    /// the margin. [`Instant::ORIGIN`] if it was taken or released.
    #[must_use]
    pub fn deadline(&self) -> Instant {
        self.held.deadline()
    }

    /// The time left, zero once the lease is over.
    #[must_use]
    pub fn remaining(&self) -> Duration {
        self.held.remaining()
    }

    /// A view for the code that works under the lease.
    #[must_use]
    pub fn held(&self) -> Held<C> {
        self.held.clone()
    }

    /// Checks that more than `min_left` is left: a local question, no round trip.
    ///
    /// # Errors
    ///
    /// [`Lost`] if it is not.
    pub fn ensure(&self, min_left: Duration) -> Result<(), Lost> {
        self.held.ensure(min_left)
    }

    /// Completes when the lease is over by the local clock, even if the server hangs.
    pub async fn lost(&self) {
        self.held.lost().await;
    }

    /// Moves the end of the lease by `by`, and returns the new deadline. Never shortens it, never
    /// takes a lock that was lost, and a copy of the command in the network adds nothing.
    ///
    /// # Errors
    ///
    /// [`ExtendError::Lost`] if the lease is over; after any other error the old deadline stands.
    pub async fn extend(&mut self, by: Duration) -> Result<Instant, ExtendError> {
        let by_ms = self.machine.config().extension(by)?;
        if self.remaining() > MAX_LEASE - by {
            return Err(ConfigError::TooLong { what: "extension" }.into());
        }
        let request = LockRequest::Extend { by_ms };
        let outcome = drive(&mut self.machine, &self.store, &self.clock, request).await;
        self.held.follow(self.machine.grant());
        self.tenure.follow(self.machine.grant().map(Grant::deadline));
        match outcome {
            LockOutcome::Extended(grant) => Ok(grant.deadline()),
            LockOutcome::Lost(reason) => {
                telemetry::lost(self.machine.config().keys().lock(), reason);
                Err(ExtendError::Lost(reason))
            }
            LockOutcome::Unavailable(error) => Err(ExtendError::Unavailable(error)),
            LockOutcome::Unknown(error) => Err(ExtendError::Unknown(error)),
            LockOutcome::Rejected(rejection) => Err(ExtendError::Rejected(rejection)),
            outcome => unreachable!("an extend never ends in {outcome:?}"),
        }
    }

    /// Gives the lock up. From the first call on, the lease counts as over. Calling again is safe:
    /// it retries what failed, and repeats the answer of what did not.
    ///
    /// # Errors
    ///
    /// [`ReleaseError`] if it is not certain that the lock is free.
    pub async fn release(&mut self) -> Result<Released, ReleaseError> {
        if let Some(released) = self.released {
            return Ok(released);
        }
        self.held.follow(None);
        // Whatever the answer, and whether or not it is awaited to the end, the next one may try.
        let _until_answered = mem::take(&mut self.tenure);
        let released = release(&mut self.machine, &self.store, &self.clock).await?;
        self.released = Some(released);
        if let Some(lent) = &self.lent {
            lent.give_back();
        }
        Ok(released)
    }

    /// Gives the lock up and does not wait for the answer: the lease counts as over, and its release
    /// is on its way in order with what is sent after it over the same connection. What becomes of
    /// it is not told; if it is lost, the key's time to live ends the lease. [`Lease::release`] may
    /// be called afterwards, and says.
    ///
    /// Whether it is sent when this completes is the store's to say: see [`Store::send`].
    ///
    /// ```
    /// # #[cfg(all(feature = "memory", feature = "tokio"))]
    /// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
    /// use std::sync::Arc;
    /// use leasehold_core::{MemoryStore, lock::{Lock, Released}};
    ///
    /// let mut lock = Lock::new(Arc::new(MemoryStore::new()), "job")?;
    /// let mut lease = lock.acquire().await?;
    /// lease.release_detached().await;
    /// assert!(lease.remaining().is_zero());
    /// assert_eq!(lease.release().await?, Released::Released);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    pub async fn release_detached(&mut self) {
        if self.released.is_some() {
            return;
        }
        self.held.follow(None);
        let _until_sent = mem::take(&mut self.tenure);
        let release = Event::Start(LockRequest::Release);
        if let Action::Call { command, .. } = self.machine.step(self.clock.now(), release) {
            if let Some(lent) = &mut self.lent {
                lent.leave_unattended();
            }
            self.store.send(command).await;
        }
    }

    /// Asks the store who holds the lock. It may have changed since.
    ///
    /// # Errors
    ///
    /// What the store answered instead.
    pub async fn status(&mut self) -> Result<Holder, StoreError> {
        status(&mut self.machine, &self.store, &self.clock).await
    }

    /// The token, if it may be under the key although the lease was given up.
    #[must_use]
    pub fn in_flight(&self) -> Option<&Token> {
        let unwanted = self.released.is_none() && self.deadline() == Instant::ORIGIN;
        let held = || self.machine.grant().map(Grant::token).filter(|_| unwanted);
        self.machine.in_flight().or_else(held)
    }
}

/// Gives up what `machine` holds or owes.
pub(super) async fn release(
    machine: &mut LockMachine,
    store: &impl Store,
    clock: &impl Clock,
) -> Result<Released, ReleaseError> {
    match drive(machine, store, clock, LockRequest::Release).await {
        LockOutcome::Released => Ok(Released::Released),
        LockOutcome::NotHeld => Ok(Released::NotHeld),
        LockOutcome::Unavailable(error) => Err(ReleaseError::Unavailable(error)),
        LockOutcome::Unknown(error) => Err(ReleaseError::Unknown(error)),
        LockOutcome::Rejected(rejection) => Err(ReleaseError::Rejected(rejection)),
        outcome => unreachable!("a release never ends in {outcome:?}"),
    }
}

impl<S, C> fmt::Debug for Lease<S, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease").field("held", &self.held).finish_non_exhaustive()
    }
}
