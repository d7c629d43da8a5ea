//! Who watches which lock, and that it was released.
//!
//! The order that matters: a watcher first registers and then looks at the lock; a releaser first
//! frees the lock and then looks at the board. So one of the two sees the other, whatever happens
//! in between: `tests/board.rs` runs this very file under a scheduler that tries the orders.

use std::{
    collections::HashMap,
    string::String,
    sync::PoisonError,
    task::{Context, Poll, Waker},
    vec::Vec,
};

use super::sync::{Arc, AtomicUsize, Mutex, MutexGuard, Ordering};

/// The watchers by lock.
pub(crate) struct Board {
    watchers: Mutex<HashMap<String, Vec<Arc<Slot>>>>,
    /// How many there are, so that a release costs nothing while there are none.
    count: AtomicUsize,
}

/// What one watcher was told and has not yet seen.
struct Slot {
    news: Mutex<News>,
}

#[derive(Default)]
struct News {
    hinted: bool,
    waker: Option<Waker>,
}

/// One watcher. Dropping it takes it off the board.
pub(crate) struct Watcher {
    board: Arc<Board>,
    id: String,
    slot: Arc<Slot>,
}

impl Board {
    pub(crate) fn new() -> Self {
        Self { watchers: Mutex::new(HashMap::new()), count: AtomicUsize::new(0) }
    }

    /// Registers a watcher of the lock `id`.
    pub(crate) fn watch(board: &Arc<Self>, id: &str) -> Watcher {
        let slot = Arc::new(Slot { news: Mutex::new(News::default()) });
        board.watchers().entry(id.into()).or_default().push(slot.clone());
        board.count.fetch_add(1, Ordering::SeqCst);
        Watcher { board: board.clone(), id: id.into(), slot }
    }

    /// Tells the watchers of the lock `id` that it was freed.
    pub(crate) fn released(&self, id: &str) {
        if self.count.load(Ordering::SeqCst) == 0 {
            return;
        }
        // Woken outside of the board's lock: a waker may run the watcher, which may leave.
        let slots = self.watchers().get(id).cloned().unwrap_or_default();
        for slot in slots {
            let waker = {
                let mut news = slot.news();
                news.hinted = true;
                news.waker.take()
            };
            if let Some(waker) = waker {
                waker.wake();
            }
        }
    }

    fn watchers(&self) -> MutexGuard<'_, HashMap<String, Vec<Arc<Slot>>>> {
        self.watchers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slot {
    fn news(&self) -> MutexGuard<'_, News> {
        self.news.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watcher {
    pub(crate) fn poll_hint(&self, context: &Context<'_>) -> Poll<()> {
        let mut news = self.slot.news();
        if core::mem::take(&mut news.hinted) {
            return Poll::Ready(());
        }
        news.waker = Some(context.waker().clone());
        Poll::Pending
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        let mut watchers = self.board.watchers();
        if let Some(slots) = watchers.get_mut(&self.id) {
            slots.retain(|slot| !Arc::ptr_eq(slot, &self.slot));
            if slots.is_empty() {
                watchers.remove(&self.id);
            }
        }
        self.board.count.fetch_sub(1, Ordering::SeqCst);
    }
}
