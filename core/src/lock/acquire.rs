//! Asking for a lock: how, and then the lease.

use alloc::{boxed::Box, sync::Arc};
use core::{
    future::{Future, IntoFuture},
    pin::Pin,
    time::Duration,
};

use super::{
    AcquireRequest, Lease, NotAcquired,
    lease::Origin,
    options::AcquireOptions,
    pool::{Acquirer, Shared},
    queue::{Ahead, Head, Ticket},
    requests,
};
use crate::{pool::Borrowed, telemetry, time::Clock, token::Token};

/// A request for a lock, from [`Lock::acquire`](super::Lock::acquire). Nothing is asked until it is
/// awaited.
///
/// Without [`Acquire::within`] it tries a few times, [`LockOptions::delay`] apart. With it, it
/// waits: a try that finds the lock held asks the store for a
/// [subscription](crate::Store::subscribe), tries again (a release may have come before the
/// subscription did), and then waits until the holder's lease is over, until a notification says
/// that it was released, or for a while: about ten times the delay with a subscription and once
/// without. The waiters of one handle, and of all handles from one [`Locks`](super::Locks), are
/// served in order.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use leasehold_core::{MemoryStore, lock::Lock};
///
/// let lock = Lock::new(MemoryStore::new(), "job")?;
/// let wait = Duration::from_secs(5);
/// let mut lease = lock.acquire().lease(Duration::from_secs(30)).within(wait).await?;
/// lease.release().await?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// [`NotAcquired`] says whether the lock is held, the store is down, or nobody knows; and
/// [`NotAcquired::Config`] if what is asked for cannot work. With [`Acquire::within`], for the last
/// try, and by the deadline, whatever the store does. A try that was not answered then is
/// [`NotAcquired::Unknown`] and stays [in flight](super::Lock::in_flight). If others of this
/// process were before it to the end, the store was not asked: [`NotAcquired::Busy`] if the first
/// of them has the lock, else [`NotAcquired::Queued`].
///
/// # Cancellation
///
/// See [`Lock`](super::Lock). Dropping the future leaves the queue.
///
/// [`LockOptions::delay`]: super::LockOptions::delay
#[derive(Clone, Debug)]
#[must_use = "nothing is asked until it is awaited"]
pub struct Acquire {
    pub(super) shared: Arc<Shared>,
    options: AcquireOptions,
    within: Option<Duration>,
}

impl Acquire {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, options: AcquireOptions::default(), within: None }
    }

    /// How long the lease lasts, instead of [`LockOptions::lease`](super::LockOptions::lease).
    pub fn lease(mut self, lease: Duration) -> Self {
        self.options.lease = Some(lease);
        self
    }

    /// Waits for the lock, at most so long. The number of attempts then counts for nothing.
    pub fn within(mut self, longest: Duration) -> Self {
        self.within = Some(longest);
        self
    }

    /// How many times to try, instead of
    /// [`LockOptions::attempts`](super::LockOptions::attempts).
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.options.attempts = Some(attempts);
        self
    }

    /// How long to wait between two tries, instead of
    /// [`LockOptions::delay`](super::LockOptions::delay).
    pub fn delay(mut self, delay: Duration) -> Self {
        self.options.delay = Some(delay);
        self
    }

    /// The token to store, instead of a fresh one for each try. It must be unique in the world, and
    /// is revoked by a release: also by the one that cleans up after a call that failed or was dropped
    /// and may have stored it. A try that found the lock held does not revoke it, so a copy of that
    /// try which the network delivers late may still take the lock, for a lease. It must not end in
    /// `#` and a number, as the tokens made here do: to take over such a lease, see
    /// [`Lock::adopt`](super::Lock::adopt).
    pub fn token(mut self, token: Token) -> Self {
        self.options.token = Some(token);
        self
    }

    pub(super) async fn run(self) -> Result<Lease, NotAcquired> {
        let shared = &self.shared;
        let start = shared.clock().now();
        let result = match shared.config.acquire_with(&self.options) {
            Ok(request) => {
                let granting = self.granted(request);
                telemetry::in_span("acquire", shared.id(), granting).await
            }
            Err(error) => Err(error.into()),
        };
        let fence = result.as_ref().map(|lease| lease.fence());
        telemetry::acquired(shared.id(), fence, shared.clock().now().since(start));
        result
    }

    async fn granted(&self, request: AcquireRequest) -> Result<Lease, NotAcquired> {
        match self.within {
            Some(longest) => {
                let until = self.shared.clock().now() + longest;
                self.wait_for_grant(request.until(until, false)).await
            }
            None => {
                let mut machine = self.shared.borrow();
                let (store, clock) = (self.shared.store(), self.shared.clock());
                let (subscription, observe) = (&mut None, |_: &_| ());
                requests::acquire(machine.machine(), store, clock, request, subscription, observe)
                    .await?;
                Ok(self.lease_of(machine, None))
            }
        }
    }

    /// Waits to be the head of the queue, and asks the store then.
    async fn wait_for_grant(&self, request: AcquireRequest) -> Result<Lease, NotAcquired> {
        let shared = &self.shared;
        let until = request.deadline();
        let waiting = Head::wait(Arc::clone(&shared.queue), shared.clock().clone(), until);
        let head = waiting.await.map_err(|ahead| self.not_served(ahead))?;
        let mut subscription = head.take_subscription();
        if let Some(subscription) = &mut subscription {
            // They tell of releases before this try.
            subscription.forget_past();
        }
        let step_us = shared.config.longest_step_us(&request);
        let request = request.until(until, subscription.is_some());
        let mut machine = shared.borrow();
        let observe = |_: &_| head.is_alive_for(step_us);
        let granted = requests::acquire(
            machine.machine(),
            shared.store(),
            shared.clock(),
            request,
            &mut subscription,
            observe,
        )
        .await;
        head.leave_subscription(subscription);
        let grant = granted?;
        let ticket = head.into_ticket();
        if let Some(ticket) = &ticket {
            ticket.holds_until(grant.deadline());
        }
        Ok(self.lease_of(machine, ticket))
    }

    /// The lease of the grant that the machine has.
    fn lease_of(&self, mut machine: Borrowed<'_, Acquirer>, ticket: Option<Ticket>) -> Lease {
        let (machine, receipt) = machine.hand_over();
        let origin = Origin { receipt: Some(receipt), ticket, ..Origin::default() };
        Lease::new(machine, self.shared.store().clone(), self.shared.clock().clone(), origin)
    }

    /// What a waiter is told that never came to ask the store.
    fn not_served(&self, ahead: Ahead) -> NotAcquired {
        match ahead {
            Ahead::Holder(deadline) => {
                let remaining = deadline.since(self.shared.clock().now());
                NotAcquired::Busy { remaining: Some(remaining) }
            }
            Ahead::Waiter => NotAcquired::Queued,
        }
    }
}

impl IntoFuture for Acquire {
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;
    type Output = Result<Lease, NotAcquired>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}
