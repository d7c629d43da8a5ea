//! What the work under a lease sees of it.

use alloc::{sync::Arc, vec::Vec};
use core::{
    fmt,
    future::poll_fn,
    task::{Poll, Waker},
    time::Duration,
};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{Grant, Lost};
use crate::{
    drive::race,
    time::{Clock, DynClock, Instant},
    token::Fence,
};

/// A view of a lease for the code that works under it: cheap to clone and to send.
///
/// It follows renewals and extensions, and shows the lease as over from the moment that its holder
/// knows.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use leasehold_core::{MemoryStore, lock::{LeaseView, Lock}};
///
/// async fn work(lease: LeaseView) -> Result<u64, std::io::Error> {
///     // … send lease.fence() with every write …
///     Ok(lease.fence().0)
/// }
///
/// let lock = Lock::new(MemoryStore::new(), "report")?;
/// let fence = lock.acquire().hold(work).await?;
/// # assert!(fence > 0);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct LeaseView {
    fence: Fence,
    shared: Arc<Shared>,
    clock: DynClock,
}

struct Shared {
    state: Mutex<State>,
}

struct State {
    deadline: Instant,
    replicas: u32,
    /// Those who wait for a change, each under a number of its own.
    waiters: Vec<(u64, Waker)>,
    next_waiter: u64,
}

impl LeaseView {
    pub(super) fn new(grant: &Grant, clock: DynClock) -> Self {
        let (deadline, replicas) = (grant.deadline(), grant.replicas());
        let state = State { deadline, replicas, waiters: Vec::new(), next_waiter: 0 };
        let shared = Arc::new(Shared { state: Mutex::new(state) });
        Self { fence: grant.fence(), shared, clock }
    }

    /// Shows the deadline of `grant`, or that the lease is over.
    pub(super) fn follow(&self, grant: Option<&Grant>) {
        let deadline = grant.map_or(Instant::ORIGIN, Grant::deadline);
        let waiters = {
            let mut state = self.shared.state();
            state.replicas = grant.map_or(0, Grant::replicas);
            if state.deadline == deadline {
                return;
            }
            state.deadline = deadline;
            core::mem::take(&mut state.waiters)
        };
        waiters.into_iter().for_each(|(_, waker)| waker.wake());
    }

    /// The number to send with every write to the protected resource. Extending keeps it.
    #[must_use]
    pub fn fence(&self) -> Fence {
        self.fence
    }

    /// When the lease is over, on the local clock: counted from before the request was sent, less
    /// the margin. [`Instant::ORIGIN`] if it was taken or released.
    #[must_use]
    pub fn deadline(&self) -> Instant {
        self.shared.state().deadline
    }

    /// How many replicas have acknowledged the lease or its last extension; 0 if none was asked.
    /// See [`Durability`](super::Durability).
    #[must_use]
    pub fn replicas(&self) -> u32 {
        self.shared.state().replicas
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

    /// Completes when the lease is over: at its deadline by the local clock, even if the server
    /// hangs, or at once when the holder releases it or learns that it was taken or deleted. Waits
    /// longer if the lease is renewed or extended meanwhile.
    ///
    /// # Cancellation
    ///
    /// Dropping the future changes nothing.
    pub async fn lost(&self) {
        loop {
            let deadline = self.deadline();
            if self.clock.now() >= deadline {
                return;
            }
            race(self.changed(deadline), self.clock.sleep_until(deadline)).await;
        }
    }

    /// Completes once the deadline is not `seen` any more.
    async fn changed(&self, seen: Instant) {
        let mut waiting = Waiting { shared: &self.shared, number: None };
        poll_fn(|context| {
            let mut state = self.shared.state();
            if state.deadline != seen {
                return Poll::Ready(());
            }
            let number = *waiting.number.get_or_insert_with(|| {
                state.next_waiter += 1;
                state.next_waiter
            });
            let waker = context.waker().clone();
            match state.waiters.iter_mut().find(|(waiter, _)| *waiter == number) {
                Some((_, old)) => *old = waker,
                None => state.waiters.push((number, waker)),
            }
            Poll::Pending
        })
        .await;
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One that waits for a change. Dropping it leaves no waker behind.
struct Waiting<'a> {
    shared: &'a Shared,
    number: Option<u64>,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if let Some(number) = self.number {
            self.shared.state().waiters.retain(|(waiter, _)| *waiter != number);
        }
    }
}

impl fmt::Debug for LeaseView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LeaseView")
            .field("fence", &self.fence)
            .field("deadline", &self.deadline())
            .finish_non_exhaustive()
    }
}
