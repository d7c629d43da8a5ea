//! Who waits for a lock is told that it was released.

use alloc::boxed::Box;
use core::{
    fmt,
    future::poll_fn,
    task::{Context, Poll},
};

/// A source of notifications, as a store makes one for [`Subscription::new`].
///
/// ```
/// use std::task::{Context, Poll};
/// use leasehold_core::{ReleaseSource, Subscription};
///
/// /// Never notifies.
/// struct Silent;
///
/// impl ReleaseSource for Silent {
///     fn poll_released(&mut self, _: &mut Context<'_>) -> Poll<bool> {
///         Poll::Ready(false)
///     }
/// }
///
/// let subscription = Subscription::new(Silent);
/// # let _ = subscription;
/// ```
pub trait ReleaseSource {
    /// `Ready(true)` for a notification, `Ready(false)` when no more will come; else the task of
    /// `context` is woken when there is news.
    ///
    /// A notification that comes between two polls must be kept for the next; several may count as
    /// one.
    fn poll_released(&mut self, context: &mut Context<'_>) -> Poll<bool>;
}

/// A subscription to the releases of one lock, from [`Store::subscribe`](crate::Store::subscribe).
///
/// A notification may be lost, late or for nothing, so whoever waits also looks by itself now and
/// then. Dropping the subscription ends it.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use leasehold_core::{MemoryStore, Store, lock::{Lock, LockKeys}};
/// use std::sync::Arc;
///
/// let store = Arc::new(MemoryStore::new());
/// let mut lease = Lock::new(store.clone(), "job")?.acquire().await?;
/// let mut subscription = store.subscribe(&LockKeys::of("job")).await.expect("it notifies");
/// lease.release().await?;
/// subscription.released().await;
/// # Ok(())
/// # }
/// ```
pub struct Subscription {
    source: Option<Box<dyn ReleaseSource + Send>>,
}

impl Subscription {
    /// A subscription to what `source` tells.
    #[must_use]
    pub fn new(source: impl ReleaseSource + Send + 'static) -> Self {
        Self { source: Some(Box::new(source)) }
    }

    /// Completes at the next notification, or never if no more will come.
    ///
    /// # Cancellation
    ///
    /// No notification is lost by dropping the future.
    pub async fn released(&mut self) {
        poll_fn(|context| self.poll_released(context)).await
    }

    /// Forgets the notifications that have come until now, but for very many.
    #[cfg(feature = "std")]
    pub(crate) fn forget_past(&mut self) {
        let mut context = Context::from_waker(core::task::Waker::noop());
        // A source that always has one must not keep us here.
        let _ = (0..64).find(|_| self.poll_released(&mut context).is_pending());
    }

    /// [`Subscription::released`] as a poll.
    pub fn poll_released(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let Some(source) = &mut self.source else { return Poll::Pending };
        match source.poll_released(context) {
            Poll::Ready(true) => Poll::Ready(()),
            Poll::Ready(false) => {
                self.source = None;
                Poll::Pending
            }
            Poll::Pending => Poll::Pending,
        }
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription")
            .field("ended", &self.source.is_none())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use core::{future::Future, pin::pin, task::Waker};

    use super::*;

    struct Once(bool);

    impl ReleaseSource for Once {
        fn poll_released(&mut self, _context: &mut Context<'_>) -> Poll<bool> {
            Poll::Ready(core::mem::take(&mut self.0))
        }
    }

    #[test]
    fn a_subscription_that_has_ended_waits_for_ever() {
        let mut subscription = Subscription::new(Once(true));
        let mut context = Context::from_waker(Waker::noop());
        assert!(pin!(subscription.released()).poll(&mut context).is_ready());
        assert!(pin!(subscription.released()).poll(&mut context).is_pending());
        assert!(subscription.source.is_none(), "and asks no more");
        assert!(pin!(subscription.released()).poll(&mut context).is_pending());
    }

    #[test]
    fn it_shows_whether_it_has_ended() {
        let mut subscription = Subscription::new(Once(false));
        assert_eq!(alloc::format!("{subscription:?}"), "Subscription { ended: false, .. }");
        let mut context = Context::from_waker(Waker::noop());
        assert!(subscription.poll_released(&mut context).is_pending());
        assert_eq!(alloc::format!("{subscription:?}"), "Subscription { ended: true, .. }");
    }
}
