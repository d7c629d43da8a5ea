//! Notifications that something happened at the server: what they promise, which is little.

mod channels;
mod releases;

use std::{any::Any, fmt, sync::Arc, time::Duration};

use tokio::sync::broadcast::{self, error::RecvError};

pub(crate) use self::{
    channels::{Channels, Teller},
    releases::subscribe,
};
use crate::retry::RetryPolicy;

/// So many messages wait for a slow reader before it is told of a gap.
const KEPT: usize = 16;

/// How long to wait before a broken stream of notifications is opened again.
pub(crate) const REOPEN: RetryPolicy = RetryPolicy {
    retries: u32::MAX,
    first_wait: Duration::from_millis(100),
    longest_wait: Duration::from_secs(10),
};

/// What a [`Notifications`] hears.
///
/// ```
/// use leasehold_upstash::Notification;
///
/// fn text(notification: &Notification) -> Option<&[u8]> {
///     match notification {
///         Notification::Message(bytes) => Some(bytes),
///         Notification::Gap => None, // look at what you wait for
///     }
/// }
/// # assert!(text(&Notification::Gap).is_none());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notification {
    /// A message was published in the channel.
    Message(Arc<[u8]>),
    /// Something may have been missed: listening began, or began again after the connection broke,
    /// or messages came faster than they were taken. Look at what you wait for.
    Gap,
}

/// What is published in one channel, from when it was asked for until it is dropped.
///
/// Notifications may be lost, late, repeated or in vain. They say when looking may be worth it;
/// they are never the only reason to look.
///
/// The first notification is a [`Notification::Gap`] as soon as the server listens: what was
/// published before is not told, so whoever waits for a release should try once more then.
///
/// All that listen to one channel of one store share a connection. A broken one is made again,
/// with growing waits, for as long as anybody listens.
pub struct Notifications {
    notifications: broadcast::Receiver<Notification>,
    /// Whether a notification was lost, or none came yet although the others' first has.
    gap: bool,
    /// Listening ends with the last of these.
    _listening: Arc<dyn Any + Send + Sync>,
}

impl Notifications {
    pub(crate) fn new(
        notifications: broadcast::Receiver<Notification>,
        listening: Arc<dyn Any + Send + Sync>,
        gap: bool,
    ) -> Self {
        Self { notifications, gap, _listening: listening }
    }

    /// The next notification, or `None` if there will be none: the server refuses to tell.
    ///
    /// # Cancellation
    ///
    /// Dropping the future loses no notification.
    pub async fn next(&mut self) -> Option<Notification> {
        if self.gap {
            self.gap = false;
            return Some(Notification::Gap);
        }
        match self.notifications.recv().await {
            Ok(notification) => Some(notification),
            Err(RecvError::Lagged(_)) => Some(Notification::Gap),
            Err(RecvError::Closed) => None,
        }
    }
}

impl fmt::Debug for Notifications {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Notifications")
            .field("waiting", &self.notifications.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: &str) -> Notification {
        Notification::Message(text.as_bytes().into())
    }

    #[tokio::test]
    async fn a_slow_reader_is_told_of_the_gap() {
        let told = broadcast::Sender::new(KEPT);
        let mut notifications = Notifications::new(told.subscribe(), Arc::new(()), false);
        for number in 0..=KEPT {
            told.send(message(&number.to_string())).unwrap();
        }
        assert_eq!(notifications.next().await, Some(Notification::Gap));
        assert_eq!(notifications.next().await, Some(message("1")));
    }

    #[tokio::test]
    async fn a_late_comer_begins_with_a_gap() {
        let told = broadcast::Sender::new(KEPT);
        let mut notifications = Notifications::new(told.subscribe(), Arc::new(()), true);
        told.send(message("a")).unwrap();
        assert_eq!(notifications.next().await, Some(Notification::Gap));
        assert_eq!(notifications.next().await, Some(message("a")));
        drop(told);
        assert_eq!(notifications.next().await, None);
    }
}
