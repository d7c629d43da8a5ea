//! Hints as a waiter for a lock watches for them.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use leasehold_core::{self as core, Watch};
use tokio::time::timeout;

use super::Hints;

/// A watch over `hints`, once the server listens; `None` if it does not within `patience`.
pub(crate) async fn watch(mut hints: Hints, patience: Duration) -> Option<Watch> {
    timeout(patience, hints.next()).await.ok().flatten()?;
    Some(Watch::new(Releases(next(hints))))
}

/// Whatever is heard is a reason to look.
struct Releases(Next);

/// The next hint. It owns the hints while it waits, so that none is lost between two polls.
type Next = Pin<Box<dyn Future<Output = Option<Hints>> + Send>>;

fn next(mut hints: Hints) -> Next {
    Box::pin(async move { hints.next().await.map(|_| hints) })
}

impl core::Hints for Releases {
    fn poll_released(&mut self, context: &mut Context<'_>) -> Poll<bool> {
        self.0.as_mut().poll(context).map(|heard| match heard {
            Some(hints) => {
                self.0 = next(hints);
                true
            }
            None => false,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::sync::broadcast;

    use super::*;
    use crate::hints::Hint;

    #[tokio::test]
    async fn every_hint_after_the_first_is_a_reason_to_look() {
        let told = broadcast::Sender::new(4);
        let hints = Hints::new(told.subscribe(), Arc::new(()), false);
        for hint in [Hint::Gap, Hint::Message([].into()), Hint::Gap] {
            told.send(hint).unwrap();
        }
        let mut watch = watch(hints, Duration::MAX).await.unwrap();
        watch.released().await;
        watch.released().await;
        drop(told);
        let after_the_end = timeout(Duration::ZERO, watch.released()).await;
        assert!(after_the_end.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn there_is_no_watch_if_the_server_does_not_listen() {
        let told = broadcast::Sender::new(4);
        let hints = Hints::new(told.subscribe(), Arc::new(()), false);
        assert!(watch(hints, Duration::from_secs(1)).await.is_none());
        let hints = Hints::new(told.subscribe(), Arc::new(()), false);
        drop(told);
        assert!(watch(hints, Duration::MAX).await.is_none());
    }
}
