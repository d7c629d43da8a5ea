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

use super::{Hint, Hints, KEPT};

/// The channels that somebody listens to.
#[derive(Debug, Default)]
pub(crate) struct Channels(Mutex<HashMap<String, Weak<Channel>>>);

/// A channel that somebody listens to.
struct Channel {
    /// Whoever follows the channel has the other end, so that it closes if they stop.
    told: WeakSender<Hint>,
    begun: Arc<AtomicBool>,
    /// When it is dropped, nobody listens any more.
    _following: Box<dyn Any + Send + Sync>,
}

/// Tells hints to all that listen to a channel.
#[derive(Debug)]
pub(crate) struct Teller {
    told: Sender<Hint>,
    /// Whether the first hint was told, so that who comes later needs one of its own.
    begun: Arc<AtomicBool>,
}

impl Teller {
    pub(crate) fn tell(&self, hint: Hint) {
        self.begun.store(true, Ordering::SeqCst);
        // That nobody listens at this moment is no reason to stop.
        let _ = self.told.send(hint);
    }
}

impl Channels {
    /// Listens to `name`. If nobody does yet, `follow` begins to, until what it returns is dropped;
    /// when it drops the teller, there will be no more hints.
    pub(crate) fn listen<F>(&self, name: &str, follow: impl FnOnce(Teller) -> F) -> Hints
    where
        F: Send + Sync + 'static,
    {
        // The map is whole at every point at which `follow` could panic.
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(channel) = open.get(name).and_then(Weak::upgrade)
            && let Some(told) = channel.told.upgrade()
        {
            let hints = told.subscribe();
            let late = channel.begun.load(Ordering::SeqCst);
            return Hints::new(hints, channel, late);
        }
        open.retain(|_, channel| channel.strong_count() > 0);
        let (told, begun) = (Sender::new(KEPT), Arc::new(AtomicBool::new(false)));
        let (weak, hints) = (told.downgrade(), told.subscribe());
        let following = Box::new(follow(Teller { told, begun: begun.clone() }));
        let channel = Arc::new(Channel { told: weak, begun, _following: following });
        open.insert(name.into(), Arc::downgrade(&channel));
        Hints::new(hints, channel, false)
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channel").field("begun", &self.begun).finish_non_exhaustive()
    }
}
