//! Who watches which lock, and that it was released.
//!
//! The order that matters: a watcher first registers and then looks at the lock; a releaser first
//! frees the lock and then looks for watchers. So one of the two sees the other, whatever happens
//! in between: `tests/interleavings.rs` runs this very file under a scheduler that tries the orders.

use std::{
    collections::HashMap,
    string::String,
    sync::PoisonError,
    task::{Context, Poll, Waker},
    vec::Vec,
};

use crate::sync::{Arc, AtomicUsize, Mutex, MutexGuard, Ordering};

/// The watchers by lock.
pub(crate) struct Watchers {
    slots: Mutex<HashMap<String, Vec<Arc<Slot>>>>,
    /// How many there are, so that a release costs nothing while there are none.
    count: AtomicUsize,
}

/// What one watcher was notified of and has not yet seen.
struct Slot {
    news: Mutex<News>,
}

#[derive(Default)]
struct News {
    notified: bool,
    waker: Option<Waker>,
}

/// One watcher. Dropping it removes it.
pub(crate) struct Watcher {
    watchers: Arc<Watchers>,
    id: String,
    slot: Arc<Slot>,
}

impl Watchers {
    pub(crate) fn new() -> Self {
        Self { slots: Mutex::new(HashMap::new()), count: AtomicUsize::new(0) }
    }

    /// Registers a watcher of the lock `id`.
    pub(crate) fn register(watchers: &Arc<Self>, id: &str) -> Watcher {
        let slot = Arc::new(Slot { news: Mutex::new(News::default()) });
        watchers.slots().entry(id.into()).or_default().push(slot.clone());
        watchers.count.fetch_add(1, Ordering::SeqCst);
        Watcher { watchers: watchers.clone(), id: id.into(), slot }
    }

    /// Tells the watchers of the lock `id` that it was freed.
    pub(crate) fn released(&self, id: &str) {
        if self.count.load(Ordering::SeqCst) == 0 {
            return;
        }
        // Woken outside of the map's lock: a waker may run the watcher, which may leave.
        let watching = self.slots().get(id).cloned().unwrap_or_default();
        for slot in watching {
            let waker = {
                let mut news = slot.news();
                news.notified = true;
                news.waker.take()
            };
            if let Some(waker) = waker {
                waker.wake();
            }
        }
    }

    fn slots(&self) -> MutexGuard<'_, HashMap<String, Vec<Arc<Slot>>>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slot {
    fn news(&self) -> MutexGuard<'_, News> {
        self.news.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watcher {
    pub(crate) fn poll_notified(&self, context: &Context<'_>) -> Poll<()> {
        let mut news = self.slot.news();
        if core::mem::take(&mut news.notified) {
            return Poll::Ready(());
        }
        news.waker = Some(context.waker().clone());
        Poll::Pending
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        let mut slots = self.watchers.slots();
        if let Some(same) = slots.get_mut(&self.id) {
            same.retain(|slot| !Arc::ptr_eq(slot, &self.slot));
            if same.is_empty() {
                slots.remove(&self.id);
            }
        }
        self.watchers.count.fetch_sub(1, Ordering::SeqCst);
    }
}
