//! Work under a lease that is renewed as long as the work takes.

use core::{
    future::{Future, poll_fn},
    pin::{Pin, pin},
    task::{Context, Poll},
};

use super::{
    AcquireOptions, Held, HoldError, Lock, LockMachine, LockOutcome, LockRequest, LossReason,
    NotAcquired, lease,
};
use crate::{drive::drive_observed, store::Store, telemetry, time::Clock};

/// What a panic carries.
#[cfg(feature = "std")]
type Panic = std::boxed::Box<dyn core::any::Any + Send>;
/// Without std no panic is caught.
#[cfg(not(feature = "std"))]
type Panic = core::convert::Infallible;

/// How the work under a lease ended.
enum Ended<T> {
    ByItself(Result<T, Panic>),
    Lost(LossReason),
}

impl<S: Store + Clone, C: Clock + Clone> Lock<S, C> {
    /// Takes the lock, runs `work` under it, and releases it. The lease is renewed at each third of
    /// it for as long as the work takes, or as often as
    /// [`LockOptions::max_renewals`](super::LockOptions::max_renewals) allows. Nothing is spawned:
    /// dropping the returned future drops the work.
    ///
    /// `Ok` means that the work ended while the lease was ours. What the release finds does not
    /// change that: if it fails, the key's time to live ends the lease.
    ///
    /// ```
    /// # #[cfg(all(feature = "memory", feature = "tokio"))]
    /// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
    /// use std::sync::Arc;
    /// use leasehold_core::{MemoryStore, lock::Lock};
    ///
    /// let mut lock = Lock::new(Arc::new(MemoryStore::new()), "report")?;
    /// let fence = lock.hold(async |held| {
    ///     // … work, as long as it takes …
    ///     held.fence()
    /// }).await?;
    /// assert!(fence.0 > 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// [`HoldError::NotAcquired`] if the work was not started. [`HoldError::Lost`] if the lease
    /// ended first: the work is dropped at the local deadline, even if the server hangs, and this
    /// returns at once. The next call on the handle cleans up.
    ///
    /// # Panics
    ///
    /// If the work does, after the lock is released. Without the feature `std` a panic passes
    /// through at once, and the next call on the handle, or the key's time to live, ends the lease.
    ///
    /// # Cancellation
    ///
    /// Dropping the future drops the work and forgets nothing: see [`Lock`].
    pub async fn hold<T>(&mut self, work: impl AsyncFnOnce(Held<C>) -> T) -> Result<T, HoldError> {
        self.hold_with(AcquireOptions::default(), work).await
    }

    /// As [`Lock::hold`], with the lock taken as `options` say for this once.
    ///
    /// # Errors
    ///
    /// As [`Lock::hold`].
    ///
    /// # Panics
    ///
    /// As [`Lock::hold`].
    pub async fn hold_with<T>(
        &mut self,
        options: AcquireOptions,
        work: impl AsyncFnOnce(Held<C>) -> T,
    ) -> Result<T, HoldError> {
        let terms = self.machine.config().terms(&options).map_err(NotAcquired::from)?;
        let held = Held::new(&self.grant(terms, &mut None, |_| ()).await?, self.clock.clone());
        let ended = self.run(held.clone(), work).await;
        held.follow(None);
        let result = match ended {
            Ended::ByItself(result) => result,
            Ended::Lost(reason) => {
                telemetry::lost(self.id(), reason);
                return Err(HoldError::Lost(reason));
            }
        };
        // What it finds is no matter of the work's. The machine remembers what is left to do.
        let _ = lease::release(&mut self.machine, &self.store, &self.clock).await;
        result.map_err(|panic| resume(panic))
    }

    /// Runs `work` and the renewals side by side. The work is gone when this returns.
    async fn run<T>(&mut self, held: Held<C>, work: impl AsyncFnOnce(Held<C>) -> T) -> Ended<T> {
        let (machine, clock) = (&mut self.machine, &self.clock);
        let view = held.clone();
        let follow = |machine: &LockMachine| {
            if let Some(grant) = machine.grant() {
                let id = machine.config().keys().lock();
                telemetry::renewed(id, held.deadline(), clock.now(), grant);
            }
            held.follow(machine.grant());
        };
        let (request, unwatched) = (LockRequest::Keep, &mut None);
        let mut keep =
            pin!(drive_observed(machine, &self.store, clock, request, unwatched, follow));
        let mut work = pin!(async move { work(view).await });
        poll_fn(|context| {
            // The keeper first: work that would begin to act after the deadline never does.
            if let Poll::Ready(outcome) = keep.as_mut().poll(context) {
                return Poll::Ready(Ended::Lost(reason(&outcome)));
            }
            poll_caught(work.as_mut(), context).map(|result| {
                // A poll can take long: the work may have gone on after the deadline.
                let late = clock.now() >= held.deadline() && result.is_ok();
                if late { Ended::Lost(LossReason::Expired) } else { Ended::ByItself(result) }
            })
        })
        .await
    }
}

fn reason(outcome: &LockOutcome) -> LossReason {
    match outcome {
        LockOutcome::Lost(reason) => *reason,
        outcome => unreachable!("renewing never ends in {outcome:?}"),
    }
}

#[cfg(feature = "std")]
fn poll_caught<T>(
    work: Pin<&mut impl Future<Output = T>>,
    context: &mut Context<'_>,
) -> Poll<Result<T, Panic>> {
    // The work is dropped after a panic, so nobody sees what it left half-done in itself.
    let polled = std::panic::AssertUnwindSafe(|| work.poll(context));
    match std::panic::catch_unwind(polled) {
        Ok(poll) => poll.map(Ok),
        Err(panic) => Poll::Ready(Err(panic)),
    }
}

#[cfg(not(feature = "std"))]
fn poll_caught<T>(
    work: Pin<&mut impl Future<Output = T>>,
    context: &mut Context<'_>,
) -> Poll<Result<T, Panic>> {
    work.poll(context).map(Ok)
}

#[cfg(feature = "std")]
fn resume(panic: Panic) -> ! {
    std::panic::resume_unwind(panic)
}

#[cfg(not(feature = "std"))]
fn resume(never: Panic) -> ! {
    match never {}
}
