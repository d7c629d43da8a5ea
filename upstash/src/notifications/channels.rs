//! Who listens to which channel: all that listen to one share what follows it.

use std::{
    any::Any,
    collections::HashMap,
    fmt,
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::sync::broadcast::{Sender, WeakSender};

use super::{KEPT, Notification, Notifications};
use crate::trace;

/// The channels that somebody listens to.
#[derive(Debug)]
pub(crate) struct Channels {
    open: Mutex<HashMap<String, Weak<Channel>>>,
    /// No more than so many at a time.
    most: usize,
}

/// A channel that somebody listens to.
struct Channel {
    /// Whoever follows the channel has the other end, so that it closes if they stop.
    told: WeakSender<Notification>,
    begun: Arc<AtomicBool>,
    /// When it is dropped, nobody listens any more.
    _following: Box<dyn Any + Send + Sync>,
}

/// Tells notifications to all that listen to a channel.
#[derive(Debug)]
pub(crate) struct Teller {
    told: Sender<Notification>,
    /// Whether the first notification was told, so that who comes later needs one of its own.
    begun: Arc<AtomicBool>,
}

impl Teller {
    pub(crate) fn tell(&self, notification: Notification) {
        self.begun.store(true, Ordering::SeqCst);
        // That nobody listens at this moment is no reason to stop.
        let _ = self.told.send(notification);
    }
}

impl Default for Channels {
    fn default() -> Self {
        Self::at_most(usize::MAX)
    }
}

impl Channels {
    pub(crate) fn at_most(most: usize) -> Self {
        Self { open: Mutex::default(), most }
    }

    /// Listens to `name`. If nobody does yet, `follow` begins to, until what it returns is dropped;
    /// when it drops the teller, there will be no more notifications. There are none if too many
    /// are listened to already.
    pub(crate) fn listen<F>(&self, name: &str, follow: impl FnOnce(Teller) -> F) -> Notifications
    where
        F: Send + Sync + 'static,
    {
        // The map is whole at every point at which `follow` could panic.
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(channel) = open.get(name).and_then(Weak::upgrade)
            && let Some(told) = channel.told.upgrade()
        {
            let notifications = told.subscribe();
            let late = channel.begun.load(Ordering::SeqCst);
            return Notifications::new(notifications, channel, late);
        }
        open.retain(|_, channel| channel.strong_count() > 0);
        if open.len() >= self.most {
            trace::notifications_interrupted("as many channels are listened to as may be", None);
            let none = Sender::new(1).subscribe();
            return Notifications::new(none, Arc::new(()), false);
        }
        let (told, begun) = (Sender::new(KEPT), Arc::new(AtomicBool::new(false)));
        let (weak, notifications) = (told.downgrade(), told.subscribe());
        let following = Box::new(follow(Teller { told, begun: begun.clone() }));
        let channel = Arc::new(Channel { told: weak, begun, _following: following });
        open.insert(name.into(), Arc::downgrade(&channel));
        Notifications::new(notifications, channel, false)
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channel").field("begun", &self.begun).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn no_more_channels_are_listened_to_than_allowed() {
        let (channels, mut tellers) = (Channels::at_most(2), Vec::new());
        let first = channels.listen("a", |teller| tellers.push(teller));
        let _second = channels.listen("b", |teller| tellers.push(teller));
        let _shared = channels.listen("a", |_| panic!("it is listened to already"));
        let mut third = channels.listen("c", |_| panic!("it is one too many"));
        assert_eq!(third.next().await, None);
        drop((first, _shared));
        let _third = channels.listen("c", |teller| tellers.push(teller));
        assert_eq!(tellers.len(), 3, "there is room again");
    }
}
