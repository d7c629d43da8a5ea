//! The locks of one process, whose waiters are served in order.

use alloc::{
    string::String,
    sync::{Arc, Weak},
};
use core::fmt;
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use super::{Lock, LockConfig, LockOptions, queue::LocalQueue};
use crate::{
    settings::ConfigError,
    store::{DynStore, Store},
    time::{Clock, DynClock},
    token::Tokens,
};

/// The fewest queues that are worth a sweep.
const SWEEP_FROM: usize = 64;

/// Makes locks whose waiters of one id stand in one queue of the process.
///
/// [`Acquire::within`](super::Acquire::within) first waits to be the head of the queue, and only the
/// head asks the store. A lease keeps the head until it is released, dropped or over. So after a
/// release one waiter of the process asks and not all, in the order in which they came, without a
/// notification from the store, and the commands per acquisition (a try and a release; one or two
/// tries more if another process has the lock, or may have it) do not grow with their number. Keep
/// one for the process; clones share the queues. The clones of one [`Lock`] share a queue in any
/// case.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use leasehold_core::{MemoryStore, lock::Locks};
///
/// let locks = Locks::new(MemoryStore::new());
/// let lock = locks.lock("job")?;
/// let mut lease = lock.acquire().within(Duration::from_secs(5)).await?;
/// lease.release().await?;
/// # Ok(())
/// # }
/// ```
///
/// # Limits
///
/// * The queue ends at the process. Of several processes with waiters, each tries once when a lock
///   is released: with `p` such processes an acquisition costs up to `2 + p` commands. Which of
///   them gets it is chance, but the process that released it asks first. So after eight leases in
///   a row the ninth leaves the queue at once, and for it all of them wait for the same
///   notification.
/// * A waiter whose future is neither polled nor dropped keeps those behind it for what it last
///   announced, a call timeout or fifteen times the delay, whichever is longer, and one second;
///   then the next passes it. A lease that is neither released nor dropped keeps them until its
///   deadline.
/// * Who asks for a lock by a token that a lease of the process has stands behind that lease.
/// * Requests that do not wait do not stand in the queue.
#[derive(Clone)]
pub struct Locks {
    store: DynStore,
    clock: DynClock,
    queues: Arc<Mutex<Queues>>,
}

#[derive(Default)]
struct Queues {
    by_id: HashMap<String, Weak<LocalQueue>>,
    sweep_at: usize,
}

impl Locks {
    /// Locks in `store`, on tokio's clock.
    #[cfg(feature = "tokio")]
    #[must_use]
    pub fn new(store: impl Store + Send + Sync + 'static) -> Self {
        Self::with_clock(store, crate::time::TokioClock::new())
    }

    /// Locks in `store`, on a clock of the caller's.
    #[must_use]
    pub fn with_clock(
        store: impl Store + Send + Sync + 'static,
        clock: impl Clock + Send + Sync + 'static,
    ) -> Self {
        let (store, clock) = (store.into_dyn(), DynClock::new(clock));
        Self { store, clock, queues: Arc::default() }
    }

    /// The lock called `id`, with the default [`LockOptions`].
    ///
    /// # Errors
    ///
    /// [`ConfigError::EmptyId`].
    pub fn lock(&self, id: &str) -> Result<Lock, ConfigError> {
        self.lock_with_options(id, &LockOptions::new())
    }

    /// The lock called `id`, with settings of its own.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] names the first setting that cannot work.
    pub fn lock_with_options(&self, id: &str, options: &LockOptions) -> Result<Lock, ConfigError> {
        Ok(self.lock_from_config(LockConfig::new(id, options)?, Tokens::from_os()))
    }

    /// The lock that `config` names, whose tokens are `tokens`.
    #[must_use]
    pub fn lock_from_config(&self, config: LockConfig, tokens: Tokens) -> Lock {
        let queue = self.queue(config.keys().lock());
        Lock::in_queue(self.store.clone(), self.clock.clone(), config, tokens, queue)
    }

    pub(super) fn clock(&self) -> &DynClock {
        &self.clock
    }

    fn queue(&self, id: &str) -> Arc<LocalQueue> {
        let mut queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(queue) = queues.by_id.get(id).and_then(Weak::upgrade) {
            return queue;
        }
        if queues.by_id.len() >= queues.sweep_at {
            queues.by_id.retain(|_, queue| queue.strong_count() > 0);
            queues.sweep_at = SWEEP_FROM.max(2 * queues.by_id.len());
        }
        let queue = Arc::new(LocalQueue::default());
        queues.by_id.insert(id.into(), Arc::downgrade(&queue));
        queue
    }
}

impl fmt::Debug for Locks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Locks").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::format;

    use super::*;
    use crate::memory::MemoryStore;

    fn queues(locks: &Locks) -> usize {
        locks.queues.lock().unwrap().by_id.len()
    }

    #[test]
    fn queues_that_nobody_uses_are_dropped_as_others_come() {
        let locks = Locks::new(MemoryStore::new());
        let used = locks.queue("used");
        for number in 1..SWEEP_FROM {
            locks.queue(&format!("unused {number}"));
        }
        assert_eq!(queues(&locks), SWEEP_FROM);
        locks.queue("one more");
        assert_eq!(queues(&locks), 2);
        assert!(Arc::ptr_eq(&used, &locks.queue("used")));
    }

    #[test]
    fn queues_are_looked_through_when_as_many_came_as_were_used() {
        let locks = Locks::new(MemoryStore::new());
        let queue = |number| locks.queue(&format!("job {number}"));
        let used: alloc::vec::Vec<_> = (0..SWEEP_FROM).map(queue).collect();
        (SWEEP_FROM..2 * SWEEP_FROM).for_each(|number| drop(queue(number)));
        assert_eq!(queues(&locks), 2 * SWEEP_FROM);
        queue(2 * SWEEP_FROM);
        assert_eq!(queues(&locks), used.len() + 1);
    }
}
