//! Waiting for a lock.

use core::time::Duration;

#[cfg(feature = "std")]
use super::room::{First, Turn};
use super::{AcquireOptions, Lease, Lock, NotAcquired, Terms, tenure::Tenure};
#[cfg(feature = "std")]
use crate::telemetry;
use crate::{store::Store, time::Clock};

impl<S: Store + Clone, C: Clock + Clone> Lock<S, C> {
    /// Waits for the lock, at most for `timeout`.
    ///
    /// A try that finds it held asks the store for a [watch](Store::watch), tries again (a release
    /// may have come before the watch did), and then waits until the holder's lease is over, until
    /// a hint says that it was released, or for a while: about ten times
    /// [`LockOptions::delay`](super::LockOptions::delay) with a watch and once without. Handles
    /// from [`Locks`](super::Locks) stand in line first.
    ///
    /// ```
    /// # #[cfg(all(feature = "memory", feature = "tokio"))]
    /// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
    /// use std::{sync::Arc, time::Duration};
    /// use leasehold_core::{MemoryStore, lock::{Lock, NotAcquired}};
    ///
    /// let mut lock = Lock::new(Arc::new(MemoryStore::new()), "job")?;
    /// match lock.acquire_within(Duration::from_secs(5)).await {
    ///     Ok(mut lease) => drop(lease.release().await?),
    ///     Err(NotAcquired::Busy { .. }) => {} // held all the time, by one or by many
    ///     Err(error) => return Err(error.into()),
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Lock::acquire`], for the last try: by the deadline, whatever the store does. A try that
    /// was not answered then is [`NotAcquired::Unknown`] and stays [`Lock::in_flight`], to be
    /// cleaned up by the next call or by [`Lock::clear`]. If others of this process were before it
    /// to the end, the store was not asked: [`NotAcquired::Busy`] if the first of them has the lock,
    /// until the end of its lease unless it is released or extended, else [`NotAcquired::Queued`].
    ///
    /// # Cancellation
    ///
    /// See [`Lock`]. Dropping the future leaves the line.
    pub async fn acquire_within(&mut self, timeout: Duration) -> Result<Lease<S, C>, NotAcquired> {
        self.acquire_within_with(timeout, AcquireOptions::default()).await
    }

    /// As [`Lock::acquire_within`], as `options` say for this once. Its number of attempts counts
    /// for nothing.
    ///
    /// # Errors
    ///
    /// As [`Lock::acquire_within`]; and [`NotAcquired::Config`] if `options` cannot work.
    ///
    /// # Cancellation
    ///
    /// See [`Lock`].
    pub async fn acquire_within_with(
        &mut self,
        timeout: Duration,
        options: AcquireOptions,
    ) -> Result<Lease<S, C>, NotAcquired> {
        let until = self.clock.now() + timeout;
        let terms = self.machine.config().terms(&options)?.until(until, false);
        let tenure = self.grant_in_turn(terms).await?;
        Ok(self.lease().in_line(tenure))
    }

    #[cfg(feature = "std")]
    async fn grant_in_turn(&mut self, terms: Terms) -> Result<Tenure, NotAcquired> {
        let Some(room) = self.room.clone() else {
            return self.grant(terms, &mut None, |_| ()).await.map(|_| Tenure::default());
        };
        let until = terms.deadline();
        let turn = match Turn::wait(room, self.clock.clone(), until).await {
            Ok(turn) => turn,
            Err(first) => {
                let missed = Err(self.not_served(first));
                telemetry::acquired(self.id(), &missed);
                return missed;
            }
        };
        let mut watch = turn.take_watch();
        if let Some(watch) = &mut watch {
            // They tell of releases before this try.
            watch.forget_hints();
        }
        let step_us = self.machine.config().longest_step_us(&terms);
        let terms = terms.until(until, watch.is_some());
        let granted = self.grant(terms, &mut watch, |_| turn.is_alive_for(step_us)).await;
        turn.leave_watch(watch);
        let deadline = granted?.deadline();
        let mut tenure = Tenure::of(turn.into_place());
        tenure.follow(Some(deadline));
        Ok(tenure)
    }

    /// What a waiter is told that never came to ask the store.
    #[cfg(feature = "std")]
    fn not_served(&self, first: First) -> NotAcquired {
        match first {
            First::Holder(deadline) => {
                NotAcquired::Busy { remaining: Some(deadline.since(self.clock.now())) }
            }
            First::Waiter => NotAcquired::Queued,
        }
    }

    #[cfg(not(feature = "std"))]
    async fn grant_in_turn(&mut self, terms: Terms) -> Result<Tenure, NotAcquired> {
        self.grant(terms, &mut None, |_| ()).await.map(|_| Tenure::default())
    }
}
