//! Several locks at once.

use alloc::{boxed::Box, collections::BTreeSet, string::String, vec::Vec};
use core::{
    error, fmt,
    future::{Future, IntoFuture, poll_fn},
    pin::{Pin, pin},
    task::Poll,
    time::Duration,
};

use super::{Lease, LockOptions, Locks, NoRuntime, NotAcquired, ReleaseError};
use crate::time::{Clock, Instant};

/// A request for several locks, all of them or none, from [`Locks::all`].
///
/// They are taken one after the other, in the order of their ids, so that two requests cannot wait
/// for one another. There is one deadline for all. If one of them cannot be had, those that were
/// taken before are released.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use leasehold_core::{MemoryStore, lock::Locks};
///
/// let locks = Locks::new(MemoryStore::new());
/// let wait = Duration::from_secs(5);
/// let mut leases = locks.all(["account 7", "account 3"]).within(wait).await?;
/// let fence = leases.get("account 3").map(|lease| lease.fence());
/// # assert!(fence.is_some());
/// leases.release().await?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// [`NotAll`] names the lock that could not be had, and says why.
///
/// # Cancellation
///
/// Dropping the future drops the leases that were taken: see [`Lease`].
#[derive(Clone, Debug)]
#[must_use = "nothing is asked until it is awaited"]
pub struct AcquireAll {
    locks: Locks,
    ids: BTreeSet<String>,
    options: LockOptions,
    within: Option<Duration>,
}

/// Several leases. Dropping them drops each: see [`Lease`].
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use leasehold_core::{MemoryStore, lock::Locks};
///
/// let locks = Locks::new(MemoryStore::new());
/// let mut leases = locks.all(["a", "b"]).await?;
/// assert!(!leases.remaining().is_zero());
/// leases.release().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "dropping leases gives them up"]
pub struct Leases(Vec<(String, Lease)>);

/// Why several locks were not acquired. None of them is held.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use leasehold_core::{MemoryStore, lock::Locks};
///
/// let locks = Locks::new(MemoryStore::new());
/// let _held = locks.lock("b")?.acquire().await?;
/// let refused = locks.all(["a", "b"]).await.unwrap_err();
/// assert_eq!(refused.id, "b");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotAll {
    /// The lock that could not be had.
    pub id: String,
    /// Why.
    pub reason: NotAcquired,
}

impl Locks {
    /// Asks for several locks at once: all of them or none. See [`AcquireAll`].
    pub fn all<I: AsRef<str>>(&self, ids: impl IntoIterator<Item = I>) -> AcquireAll {
        let ids = ids.into_iter().map(|id| id.as_ref().into()).collect();
        AcquireAll { locks: self.clone(), ids, options: LockOptions::new(), within: None }
    }
}

impl AcquireAll {
    /// The settings of each lock.
    pub fn options(mut self, options: &LockOptions) -> Self {
        self.options = options.clone();
        self
    }

    /// Waits for the locks, for all of them together at most so long.
    pub fn within(mut self, longest: Duration) -> Self {
        self.within = Some(longest);
        self
    }

    async fn run(self) -> Result<Leases, NotAll> {
        let clock = self.locks.clock();
        let until = self.within.map(|longest| clock.now() + longest);
        let mut leases = Leases(Vec::with_capacity(self.ids.len()));
        for id in self.ids {
            match acquire(&self.locks, &id, &self.options, until).await {
                Ok(lease) => leases.0.push((id, lease)),
                Err(reason) => {
                    for (_, lease) in &mut leases.0 {
                        lease.release_detached().await;
                    }
                    return Err(NotAll { id, reason });
                }
            }
        }
        // Those that were taken first may be over by now.
        match leases.0.iter().position(|(_, lease)| lease.remaining().is_zero()) {
            None => Ok(leases),
            Some(over) => {
                let id = leases.0[over].0.clone();
                for (_, lease) in &mut leases.0 {
                    lease.release_detached().await;
                }
                Err(NotAll { id, reason: NotAcquired::Busy { remaining: Some(Duration::ZERO) } })
            }
        }
    }
}

async fn acquire(
    locks: &Locks,
    id: &str,
    options: &LockOptions,
    until: Option<Instant>,
) -> Result<Lease, NotAcquired> {
    let acquire = locks.lock_with_options(id, options)?.acquire();
    match until {
        Some(until) => acquire.within(until.since(locks.clock().now())).await,
        None => acquire.await,
    }
}

impl Leases {
    /// The lease of the lock called `id`.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Lease> {
        self.0.iter().find(|(of, _)| of == id).map(|(_, lease)| lease)
    }

    /// The time left until the first of them is over.
    #[must_use]
    pub fn remaining(&self) -> Duration {
        self.0.iter().map(|(_, lease)| lease.remaining()).min().unwrap_or(Duration::ZERO)
    }

    /// Completes when the first of them is over: see [`LeaseView::lost`](super::LeaseView::lost).
    pub async fn lost(&self) {
        let mut each: Vec<_> = self.0.iter().map(|(_, lease)| Box::pin(lease.lost())).collect();
        poll_fn(|context| {
            let lost = each.iter_mut().any(|lost| pin!(lost).poll(context).is_ready());
            if lost || self.0.is_empty() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    /// Renews each of them in the background: see [`Lease::keep_alive`].
    ///
    /// # Errors
    ///
    /// [`NoRuntime`] if the clock cannot spawn.
    pub fn keep_alive(&mut self) -> Result<(), NoRuntime> {
        self.0.iter_mut().try_for_each(|(_, lease)| lease.keep_alive())
    }

    /// Releases each of them.
    ///
    /// # Errors
    ///
    /// The first [`ReleaseError`], after all were tried. It may be called again.
    pub async fn release(&mut self) -> Result<(), ReleaseError> {
        let mut result = Ok(());
        for (_, lease) in &mut self.0 {
            let released = lease.release().await.map(|_| ());
            result = result.and(released);
        }
        result
    }
}

impl IntoFuture for AcquireAll {
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;
    type Output = Result<Leases, NotAll>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl fmt::Display for NotAll {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the lock {:?} was not acquired: {}", self.id, self.reason)
    }
}

impl error::Error for NotAll {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        Some(&self.reason)
    }
}
