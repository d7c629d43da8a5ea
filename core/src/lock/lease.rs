//! A lease: what its holder knows and can do.

use alloc::{boxed::Box, sync::Weak};
use core::{fmt, mem, ops::Deref, time::Duration};

use super::{
    ExtendError, Grant, Holder, LeaseView, LockMachine, LockRequest, NoRuntime, ReleaseError,
    Released,
    keeper::{Keeper, keep},
    pool::Shared,
    queue::Ticket,
    requests,
    token_series::Receipt,
};
use crate::{
    machine::{Action, Event, Machine},
    settings::{ConfigError, MAX_LEASE},
    store::{DynStore, Store, StoreError},
    telemetry,
    time::{Clock, DynClock, Instant},
    token::Token,
};

/// The right to act under a lock until its [deadline](LeaseView::deadline).
///
/// It shows what its [`LeaseView`] does: the fence, the time left, and that the lease is lost.
///
/// Call [`Lease::release`] at the end: it says what it found. A lease that is **dropped** is
/// released in the background, if its clock belongs to a runtime (as
/// [`TokioClock`](crate::TokioClock) does within one), and nobody is told how that went. Without a
/// runtime, and when the runtime shuts down first, the key's time to live ends it. To leave the
/// lock held, see [`Lease::forget`].
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use leasehold_core::{MemoryStore, lock::Lock};
///
/// let lock = Lock::new(MemoryStore::new(), "job")?;
/// let mut lease = lock.acquire().await?;
/// lease.keep_alive()?; // renewed in the background from here on
/// tokio::select! {
///     () = lease.lost() => return Err("another has the lock".into()),
///     () = tokio::time::sleep(Duration::from_millis(1)) => {} // … work …
/// }
/// lease.release().await?;
/// # Ok(())
/// # }
/// ```
///
/// # Cancellation
///
/// Every future of a lease may be dropped at any point, and the call made again.
#[must_use = "dropping a lease gives it up"]
pub struct Lease {
    keeper: Option<Keeper>,
    store: DynStore,
    clock: DynClock,
    token: Token,
    view: LeaseView,
    released: Option<Released>,
    kept_alive: bool,
    /// The release was sent, and nobody asked how it ended.
    detached: bool,
    origin: Origin,
}

/// What a lease has of the handle that it came from.
#[derive(Default)]
pub(super) struct Origin {
    /// None if the lease came from another process.
    pub(super) receipt: Option<Receipt>,
    /// While it is the head of the local queue. Dropping it lets the next waiter try.
    pub(super) ticket: Option<Ticket>,
    /// The handle that cleans up if nothing else does.
    pub(super) handle: Weak<Shared>,
}

impl Lease {
    /// `machine` must have a grant.
    pub(super) fn new(
        machine: LockMachine,
        store: DynStore,
        clock: DynClock,
        origin: Origin,
    ) -> Self {
        let grant = machine.grant().expect("a lease is made of a grant");
        let (token, view) = (grant.token().clone(), LeaseView::new(grant, clock.clone()));
        let keeper = Some(Keeper::Here(machine));
        let (released, kept_alive, detached) = (None, false, false);
        Self { keeper, store, clock, token, view, released, kept_alive, detached, origin }
    }

    /// What is stored under the key. Whoever knows it may extend and release the lease: hand it to
    /// another process with [`LeaseView::fence`] and [`LeaseView::remaining`], to
    /// [`Lock::adopt`](super::Lock::adopt) there, and [`forget`](Lease::forget) this lease.
    #[must_use]
    pub fn token(&self) -> &Token {
        &self.token
    }

    /// A view for the code that works under the lease.
    #[must_use]
    pub fn view(&self) -> LeaseView {
        self.view.clone()
    }

    /// Renews the lease in the background, at each third of it, until it is released, dropped or
    /// lost, or as often as [`LockOptions::max_renewals`](super::LockOptions::max_renewals) allows.
    /// [`LeaseView::lost`] tells of a loss. Calling it again changes nothing.
    ///
    /// # Errors
    ///
    /// [`NoRuntime`] if the clock cannot [spawn](Clock::spawn). Then see
    /// [`Acquire::hold`](super::Acquire::hold), which needs no task of its own.
    pub fn keep_alive(&mut self) -> Result<(), NoRuntime> {
        self.kept_alive = true;
        if self.renew() {
            return Ok(());
        }
        self.kept_alive = false;
        Err(NoRuntime)
    }

    fn renew(&mut self) -> bool {
        let Some(keeper) = self.keeper.take() else { return false };
        let (keeper, started) = keeper.start(&self.store, &self.clock, self.view.clone());
        self.keeper = Some(keeper);
        started
    }

    /// Moves the end of the lease by `by`, and returns the new deadline. Never shortens it, never
    /// takes a lock that was lost, and a copy of the command in the network adds nothing.
    ///
    /// # Errors
    ///
    /// [`ExtendError::Lost`] if the lease is over; after any other error the old deadline stands.
    pub async fn extend(&mut self, by: Duration) -> Result<Instant, ExtendError> {
        // However this ends, a lease that is kept alive stays so.
        let paused = Paused(self);
        let lease = &mut *paused.0;
        let (store, clock) = (lease.store.clone(), lease.clock.clone());
        let left = lease.remaining();
        let machine = stopped(&mut lease.keeper).await;
        let by_ms = machine.config().extension(by)?;
        if left > MAX_LEASE - by {
            return Err(ConfigError::TooLong { what: "extension" }.into());
        }
        let result = requests::extend(machine, &store, &clock, by_ms).await;
        let deadline = machine.grant().map(Grant::deadline);
        lease.view.follow(machine.grant());
        match (&lease.origin.ticket, deadline) {
            (Some(ticket), Some(deadline)) => ticket.holds_until(deadline),
            _ => lease.origin.ticket = None,
        }
        if let Err(ExtendError::Lost(reason)) = &result {
            telemetry::lost(machine.config().keys().lock(), *reason);
        }
        Ok(result?.deadline())
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
        (self.kept_alive, self.detached) = (false, false);
        self.view.follow(None);
        // Whatever the answer, and whether or not it is awaited to the end, the next one may try.
        let _until_answered = self.origin.ticket.take();
        let machine = stopped(&mut self.keeper).await;
        let result = requests::release(machine, &self.store, &self.clock).await;
        telemetry::released(machine.config().keys().lock(), &result);
        self.released = Some(result.clone()?);
        if let Some(receipt) = &self.origin.receipt {
            receipt.settle();
        }
        result
    }

    /// Gives the lock up and does not wait for the answer: the lease counts as over, and its
    /// release is on its way in order with what is sent after it over the same connection. What
    /// becomes of it is not told; if it is lost, the key's time to live ends the lease.
    /// [`Lease::release`] may be called afterwards, and says.
    ///
    /// Whether it is sent when this completes is the store's to say: see [`Store::send`].
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use leasehold_core::{MemoryStore, lock::{Lock, Released}};
    ///
    /// let lock = Lock::new(MemoryStore::new(), "job")?;
    /// let mut lease = lock.acquire().await?;
    /// lease.release_detached().await;
    /// assert!(lease.remaining().is_zero());
    /// assert_eq!(lease.release().await?, Released::Released);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn release_detached(&mut self) {
        if self.released.is_some() {
            return;
        }
        self.kept_alive = false;
        self.view.follow(None);
        let _until_sent = self.origin.ticket.take();
        let machine = stopped(&mut self.keeper).await;
        let release = Event::Start(LockRequest::Release);
        if let Action::Call { command, .. } = machine.step(self.clock.now(), release) {
            if let Some(receipt) = &mut self.origin.receipt {
                receipt.leave_unattended();
            }
            self.store.send(command).await;
            self.detached = true;
        }
    }

    /// Leaves the lock held until its time is up, or until whoever knows the token releases it.
    pub fn forget(mut self) {
        // A task that renews stops with it.
        self.kept_alive = false;
        self.released = Some(Released::NotHeld);
        if let Some(Keeper::Away(_)) = &self.keeper {
            let (keeper, clock) = (self.keeper.take(), self.clock.clone());
            clock.spawn(Box::pin(async move {
                let mut keeper = keeper;
                stopped(&mut keeper).await;
            }));
        }
    }

    /// Asks the store who holds the lock. It may have changed since.
    ///
    /// # Errors
    ///
    /// What the store answered instead.
    pub async fn status(&mut self) -> Result<Holder, StoreError> {
        let paused = Paused(self);
        let lease = &mut *paused.0;
        let (store, clock) = (lease.store.clone(), lease.clock.clone());
        requests::status(stopped(&mut lease.keeper).await, &store, &clock).await
    }

    /// The token, if it may be under the key although the lease was given up.
    #[must_use]
    pub fn in_flight(&self) -> Option<&Token> {
        let unwanted = self.released.is_none() && self.deadline() == Instant::ORIGIN;
        let machine = self.keeper.as_ref().and_then(Keeper::here)?;
        let held = || machine.grant().map(Grant::token).filter(|_| unwanted);
        machine.in_flight().or_else(held)
    }

    /// Renews here, without a task, until the lease is lost.
    pub(super) async fn keep(&mut self) -> super::LossReason {
        let (store, clock) = (&self.store, &self.clock);
        keep(stopped(&mut self.keeper).await, store, clock, &self.view).await
    }

    /// Names the handle that cleans up if no runtime does.
    pub(super) fn left_to(&mut self, handle: Weak<Shared>) {
        self.origin.handle = handle;
    }
}

impl Deref for Lease {
    type Target = LeaseView;

    fn deref(&self) -> &LeaseView {
        &self.view
    }
}

/// The machine, with no task that renews.
async fn stopped(keeper: &mut Option<Keeper>) -> &mut LockMachine {
    let keeper = keeper.as_mut().expect("only a drop takes it for good");
    keeper.stop().await
}

/// A lease whose renewals wait for a call. Dropping it lets them go on.
struct Paused<'a>(&'a mut Lease);

impl Drop for Paused<'_> {
    fn drop(&mut self) {
        if self.0.kept_alive {
            self.0.renew();
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if self.released.is_some() || self.detached {
            return;
        }
        let Some(mut keeper) = self.keeper.take() else { return };
        if keeper
            .here()
            .is_some_and(|machine| machine.grant().is_none() && machine.in_flight().is_none())
        {
            return;
        }
        self.view.follow(None);
        let origin = mem::take(&mut self.origin);
        let (handle, token) = (origin.handle.clone(), self.token.clone());
        let (store, clock) = (self.store.clone(), self.clock.clone());
        let release = async move {
            let machine = keeper.stop().await;
            let result = requests::release(machine, &store, &clock).await;
            telemetry::released(machine.config().keys().lock(), &result);
            match (result, &origin.receipt, origin.handle.upgrade()) {
                (Ok(_), Some(receipt), _) => receipt.settle(),
                (Err(_), _, Some(handle)) => handle.leave_behind(token),
                _ => {}
            }
        };
        if !self.clock.spawn(Box::pin(release))
            && let Some(handle) = handle.upgrade()
        {
            handle.leave_behind(self.token.clone());
        }
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease").field("view", &self.view).finish_non_exhaustive()
    }
}
