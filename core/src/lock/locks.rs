//! The locks of one process, whose waiters stand in line.

use alloc::{
    string::String,
    sync::{Arc, Weak},
};
use core::fmt;
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use super::{ConfigError, Lock, LockConfig, LockOptions, room::Room};
use crate::{store::Store, time::Clock, token::Tokens};

/// The fewest rooms that are worth a sweep.
const SWEEP_FROM: usize = 64;

/// Makes locks whose waiters of one id stand in line within the process.
///
/// [`Lock::acquire_within`] on such a handle first waits to be first in line, and only the first
/// asks the store. It keeps the first place while it has the lock, until its lease is released,
/// dropped or over. So after a release one waiter of the process asks and not all, in the order in
/// which they came, without a hint from the store, and the commands per acquisition (a try and a
/// release; one or two tries more if another process has the lock, or may have it) do not grow with
/// their number. Keep one for the process; clones share the lines.
///
/// ```
/// # #[cfg(all(feature = "memory", feature = "tokio"))]
/// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
/// use std::{sync::Arc, time::Duration};
/// use leasehold_core::{MemoryStore, lock::{LockOptions, Locks}};
///
/// let locks = Locks::new(Arc::new(MemoryStore::new()));
/// let mut lock = locks.lock("job", &LockOptions::default())?;
/// let mut lease = lock.acquire_within(Duration::from_secs(5)).await?;
/// lease.release().await?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
///
/// # Limits
///
/// * The line ends at the process. Of several processes with waiters, each tries once when a lock
///   is released: with `p` such processes an acquisition costs up to `2 + p` commands. Which of
///   them gets it is chance, but the process that released it asks first; so after eight leases in a
///   row the ninth gives up its place at once, and for it all of them wait for the same hint.
/// * A waiter whose future is neither polled nor dropped keeps those behind it for what it last
///   announced, a call timeout or fifteen times the delay, whichever is longer, and one
///   second; then the next passes it. A lease that is neither released nor dropped keeps them until
///   its deadline.
/// * Who asks for a lock by a token that a lease of the process has stands in line behind that.
/// * Other ways to acquire do not stand in line.
pub struct Locks<S, C> {
    store: S,
    clock: C,
    rooms: Arc<Mutex<Rooms>>,
}

#[derive(Default)]
struct Rooms {
    by_id: HashMap<String, Weak<Room>>,
    sweep_at: usize,
}

#[cfg(feature = "tokio")]
impl<S: Store + Clone> Locks<S, crate::time::TokioClock> {
    /// Locks in `store`.
    #[must_use]
    pub fn new(store: S) -> Self {
        Self::with_clock(store, crate::time::TokioClock::new())
    }
}

impl<S: Store + Clone, C: Clock + Clone> Locks<S, C> {
    /// Locks in `store`, on a clock of the caller's.
    #[must_use]
    pub fn with_clock(store: S, clock: C) -> Self {
        Self { store, clock, rooms: Arc::default() }
    }

    /// A handle on the lock called `id`, with tokens from the operating system.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] names the first setting that cannot work.
    pub fn lock(&self, id: &str, options: &LockOptions) -> Result<Lock<S, C>, ConfigError> {
        Ok(self.lock_from_config(LockConfig::new(id, options)?, Tokens::for_handle(&self.store)))
    }

    /// A handle on the lock that `config` names, whose tokens are `tokens`.
    pub fn lock_from_config(&self, config: LockConfig, tokens: Tokens) -> Lock<S, C> {
        let room = self.room(config.keys().lock());
        let (store, clock) = (self.store.clone(), self.clock.clone());
        Lock { room: Some(room), ..Lock::from_config(store, clock, config, tokens) }
    }

    fn room(&self, id: &str) -> Arc<Room> {
        let mut rooms = self.rooms.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(room) = rooms.by_id.get(id).and_then(Weak::upgrade) {
            return room;
        }
        if rooms.by_id.len() >= rooms.sweep_at {
            rooms.by_id.retain(|_, room| room.strong_count() > 0);
            rooms.sweep_at = SWEEP_FROM.max(2 * rooms.by_id.len());
        }
        let room = Arc::new(Room::default());
        rooms.by_id.insert(id.into(), Arc::downgrade(&room));
        room
    }
}

impl<S: Clone, C: Clone> Clone for Locks<S, C> {
    fn clone(&self) -> Self {
        let (store, clock) = (self.store.clone(), self.clock.clone());
        Self { store, clock, rooms: self.rooms.clone() }
    }
}

impl<S, C> fmt::Debug for Locks<S, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Locks").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::format;

    use super::*;
    use crate::memory::MemoryStore;

    fn rooms<S, C>(locks: &Locks<S, C>) -> usize {
        locks.rooms.lock().unwrap().by_id.len()
    }

    #[test]
    fn rooms_that_nobody_uses_are_dropped_as_others_come() {
        let locks = Locks::new(Arc::new(MemoryStore::new()));
        let used = locks.room("used");
        for number in 1..SWEEP_FROM {
            locks.room(&format!("unused {number}"));
        }
        assert_eq!(rooms(&locks), SWEEP_FROM);
        locks.room("one more");
        assert_eq!(rooms(&locks), 2);
        assert!(Arc::ptr_eq(&used, &locks.room("used")));
    }

    #[test]
    fn rooms_are_looked_through_when_as_many_came_as_were_used() {
        let locks = Locks::new(Arc::new(MemoryStore::new()));
        let room = |number| locks.room(&format!("job {number}"));
        let used: alloc::vec::Vec<_> = (0..SWEEP_FROM).map(room).collect();
        (SWEEP_FROM..2 * SWEEP_FROM).for_each(|number| drop(room(number)));
        assert_eq!(rooms(&locks), 2 * SWEEP_FROM);
        room(2 * SWEEP_FROM);
        assert_eq!(rooms(&locks), used.len() + 1);
    }
}
