//! Notifications as a waiter for a lock watches for them.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use leasehold_core::{ReleaseSource, Subscription};
use tokio::time::timeout;

use super::Notifications;

/// A subscription over `notifications`, once the server listens; `None` if it does not within
/// `limit`.
pub(crate) async fn subscribe(
    mut notifications: Notifications,
    limit: Duration,
) -> Option<Subscription> {
    timeout(limit, notifications.next()).await.ok().flatten()?;
    Some(Subscription::new(Releases(next(notifications))))
}

/// Whatever is heard is a reason to look.
struct Releases(Next);

/// The next notification. It owns the notifications while it waits, so that none is lost between
/// two polls.
type Next = Pin<Box<dyn Future<Output = Option<Notifications>> + Send>>;

fn next(mut notifications: Notifications) -> Next {
    Box::pin(async move { notifications.next().await.map(|_| notifications) })
}

impl ReleaseSource for Releases {
    fn poll_released(&mut self, context: &mut Context<'_>) -> Poll<bool> {
        self.0.as_mut().poll(context).map(|heard| match heard {
            Some(notifications) => {
                self.0 = next(notifications);
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
    use crate::notifications::Notification;

    #[tokio::test]
    async fn every_notification_after_the_first_is_a_reason_to_look() {
        let told = broadcast::Sender::new(4);
        let notifications = Notifications::new(told.subscribe(), Arc::new(()), false);
        for notification in [Notification::Gap, Notification::Message([].into()), Notification::Gap]
        {
            told.send(notification).unwrap();
        }
        let mut subscription = subscribe(notifications, Duration::MAX).await.unwrap();
        subscription.released().await;
        subscription.released().await;
        drop(told);
        let after_the_end = timeout(Duration::ZERO, subscription.released()).await;
        assert!(after_the_end.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn there_is_no_subscription_if_the_server_does_not_listen() {
        let told = broadcast::Sender::new(4);
        let notifications = Notifications::new(told.subscribe(), Arc::new(()), false);
        assert!(subscribe(notifications, Duration::from_secs(1)).await.is_none());
        let notifications = Notifications::new(told.subscribe(), Arc::new(()), false);
        drop(told);
        assert!(subscribe(notifications, Duration::MAX).await.is_none());
    }
}
