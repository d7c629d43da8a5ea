//! Hints that a lock was released.

use alloc::boxed::Box;
use core::{
    fmt,
    future::poll_fn,
    task::{Context, Poll},
};

/// A source of hints, as a store makes one for [`Watch::new`].
pub trait Hints {
    /// `Ready(true)` for a hint, `Ready(false)` when no more will come; else the task of `context`
    /// is woken when there is news.
    ///
    /// A hint that comes between two polls must be kept for the next; several may count as one.
    fn poll_released(&mut self, context: &mut Context<'_>) -> Poll<bool>;
}

/// Hints that a lock was released, from [`Store::watch`](crate::Store::watch).
///
/// A hint may be lost, late or for nothing, so whoever waits also looks by itself now and then.
/// Dropping the watch ends it.
pub struct Watch {
    hints: Option<Box<dyn Hints + Send>>,
}

impl Watch {
    /// A watch over `hints`.
    #[must_use]
    pub fn new(hints: impl Hints + Send + 'static) -> Self {
        Self { hints: Some(Box::new(hints)) }
    }

    /// Completes at the next hint, or never if no more will come.
    ///
    /// # Cancellation
    ///
    /// No hint is lost by dropping the future.
    pub async fn released(&mut self) {
        poll_fn(|context| self.poll_released(context)).await
    }

    /// Forgets the hints that have come until now, but for very many.
    #[cfg(feature = "std")]
    pub(crate) fn forget_hints(&mut self) {
        let mut context = Context::from_waker(core::task::Waker::noop());
        // A source that always has one must not keep us here.
        let _ = (0..64).find(|_| self.poll_released(&mut context).is_pending());
    }

    /// [`Watch::released`] as a poll.
    pub fn poll_released(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let Some(hints) = &mut self.hints else { return Poll::Pending };
        match hints.poll_released(context) {
            Poll::Ready(true) => Poll::Ready(()),
            Poll::Ready(false) => {
                self.hints = None;
                Poll::Pending
            }
            Poll::Pending => Poll::Pending,
        }
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").field("ended", &self.hints.is_none()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use core::{future::Future, pin::pin, task::Waker};

    use super::*;

    struct Once(bool);

    impl Hints for Once {
        fn poll_released(&mut self, _context: &mut Context<'_>) -> Poll<bool> {
            Poll::Ready(core::mem::take(&mut self.0))
        }
    }

    #[test]
    fn a_watch_that_has_ended_waits_for_ever() {
        let mut watch = Watch::new(Once(true));
        let mut context = Context::from_waker(Waker::noop());
        assert!(pin!(watch.released()).poll(&mut context).is_ready());
        assert!(pin!(watch.released()).poll(&mut context).is_pending());
        assert!(watch.hints.is_none(), "and asks no more");
        assert!(pin!(watch.released()).poll(&mut context).is_pending());
    }

    #[test]
    fn it_shows_whether_it_has_ended() {
        let mut watch = Watch::new(Once(false));
        assert_eq!(alloc::format!("{watch:?}"), "Watch { ended: false, .. }");
        let mut context = Context::from_waker(Waker::noop());
        assert!(watch.poll_released(&mut context).is_pending());
        assert_eq!(alloc::format!("{watch:?}"), "Watch { ended: true, .. }");
    }
}
