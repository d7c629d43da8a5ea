//! What the work under a lease sees of it.

use alloc::sync::Arc;
use core::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use super::{Grant, Lost};
use crate::{
    time::{Clock, Instant},
    token::Fence,
};

/// A view of a lease, cheap to clone and to send. It follows the renewals and extensions, and shows
/// the lease as over from the moment that its holder knows.
#[derive(Clone)]
pub struct Held<C> {
    fence: Fence,
    /// Microseconds on the local clock.
    deadline: Arc<AtomicU64>,
    clock: C,
}

impl<C: Clock> Held<C> {
    pub(super) fn new(grant: &Grant, clock: C) -> Self {
        let deadline = Arc::new(AtomicU64::new(grant.deadline().as_micros()));
        Self { fence: grant.fence(), deadline, clock }
    }

    /// Shows the deadline of `grant`, or that the lease is over.
    pub(super) fn follow(&self, grant: Option<&Grant>) {
        let deadline = grant.map_or(Instant::ORIGIN, Grant::deadline);
        self.deadline.store(deadline.as_micros(), Ordering::Release);
    }

    /// The number to send with every write to the protected resource.
    #[must_use]
    pub fn fence(&self) -> Fence {
        self.fence
    }

    /// When the lease is over, on the local clock: [`Instant::ORIGIN`] if it was taken or released.
    #[must_use]
    pub fn deadline(&self) -> Instant {
        Instant::from_micros(self.deadline.load(Ordering::Acquire))
    }

    /// The time left, zero once the lease is over.
    #[must_use]
    pub fn remaining(&self) -> Duration {
        self.deadline().since(self.clock.now())
    }

    /// Checks that more than `min_left` is left: a local question, no round trip.
    ///
    /// # Errors
    ///
    /// [`Lost`] if it is not.
    pub fn ensure(&self, min_left: Duration) -> Result<(), Lost> {
        let remaining = self.remaining();
        if remaining > min_left { Ok(()) } else { Err(Lost { remaining }) }
    }

    /// Completes when the lease is over by the local clock, even if the server hangs. Waits longer
    /// if the lease is renewed or extended meanwhile.
    pub async fn lost(&self) {
        loop {
            let deadline = self.deadline();
            if self.clock.now() >= deadline {
                return;
            }
            self.clock.sleep_until(deadline).await;
        }
    }
}

impl<C> fmt::Debug for Held<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let deadline = Instant::from_micros(self.deadline.load(Ordering::Acquire));
        f.debug_struct("Held")
            .field("fence", &self.fence)
            .field("deadline", &deadline)
            .finish_non_exhaustive()
    }
}
