//! Work under a lease that is renewed as long as the work takes.

use alloc::{boxed::Box, sync::Arc};
use core::{
    any::Any,
    future::{Future, poll_fn},
    pin::{Pin, pin},
    task::{Context, Poll},
};

use super::{Acquire, HoldError, Lease, LeaseView, LossReason};
use crate::telemetry;

/// What a panic carries.
type Panic = Box<dyn Any + Send>;

/// How the work under a lease ended.
enum Ended<T> {
    ByItself(Result<T, Panic>),
    Lost(LossReason),
}

impl Acquire {
    /// Takes the lock, as the request says (waiting for it, if it says so), runs `work` under it,
    /// and releases it. The lease is renewed at each third of it for as long as the work takes, or
    /// as often as [`LockOptions::max_renewals`](super::LockOptions::max_renewals) allows. Nothing
    /// is spawned: dropping the returned future drops the work.
    ///
    /// `Ok` means that the work succeeded while the lease was ours. What the release finds does not
    /// change that: if it fails, the key's time to live ends the lease.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use std::{io, time::Duration};
    /// use leasehold_core::{MemoryStore, lock::Lock};
    ///
    /// let lock = Lock::new(MemoryStore::new(), "report")?;
    /// let fence = lock.acquire().within(Duration::from_secs(5)).hold(async |lease| {
    ///     // … work, as long as it takes …
    ///     Ok::<_, io::Error>(lease.fence())
    /// }).await?;
    /// assert!(fence.0 > 0);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`HoldError::NotAcquired`] if the work was not started. [`HoldError::Failed`] with the error
    /// of the work. [`HoldError::Lost`] if the lease ended first: the work is dropped at the local
    /// deadline, even if the server hangs, and this returns at once.
    ///
    /// # Panics
    ///
    /// If the work does, at once; the lock is then released in the background, as if the future was
    /// dropped.
    ///
    /// # Cancellation
    ///
    /// Dropping the future drops the work and gives the lease up: in the background, if the clock
    /// belongs to a runtime, else by the next call on the [`Lock`](super::Lock).
    pub async fn hold<T, E>(
        self,
        work: impl AsyncFnOnce(LeaseView) -> Result<T, E>,
    ) -> Result<T, HoldError<E>> {
        let shared = self.shared.clone();
        let mut lease = self.run().await.map_err(HoldError::NotAcquired)?;
        lease.left_to(Arc::downgrade(&shared));
        match run(&mut lease, work).await {
            Ended::ByItself(Ok(result)) => {
                // What it finds is no matter of the work's.
                let _ = lease.release().await;
                result.map_err(HoldError::Failed)
            }
            Ended::ByItself(Err(panic)) => {
                drop(lease);
                std::panic::resume_unwind(panic)
            }
            Ended::Lost(reason) => {
                telemetry::lost(shared.id(), reason);
                Err(HoldError::Lost(reason))
            }
        }
    }
}

/// Runs `work` and the renewals side by side. The work is gone when this returns.
async fn run<T>(lease: &mut Lease, work: impl AsyncFnOnce(LeaseView) -> T) -> Ended<T> {
    let (view, of_work) = (lease.view(), lease.view());
    let mut keep = pin!(lease.keep());
    let mut work = pin!(async move { work(of_work).await });
    poll_fn(|context| {
        // The keeper first: work that would begin to act after the deadline never does.
        if let Poll::Ready(reason) = keep.as_mut().poll(context) {
            return Poll::Ready(Ended::Lost(reason));
        }
        poll_caught(work.as_mut(), context).map(|result| {
            // A poll can take long: the work may have gone on after the deadline.
            let late = view.remaining().is_zero() && result.is_ok();
            if late { Ended::Lost(LossReason::Expired) } else { Ended::ByItself(result) }
        })
    })
    .await
}

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
