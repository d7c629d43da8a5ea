//! Locks of programs without async: no runtime is there.

#![allow(clippy::unwrap_used, reason = "for tests only")]

use std::{sync::Arc, thread, time::Duration};

use leasehold_core::{
    MemoryStore,
    blocking::{self, block_on},
    lock::{HoldError, Holder, Lock, LockOptions, NotAcquired, Released},
};

const MINUTE: Duration = Duration::from_secs(60);

fn lock(store: &Arc<MemoryStore>) -> Lock {
    let options = LockOptions::new().lease(Duration::from_millis(500));
    blocking::lock(store.clone(), "job", &options).unwrap()
}

#[test]
fn threads_take_turns() {
    let store = Arc::new(MemoryStore::new());
    let lock = lock(&store);
    let threads: Vec<_> = (0..8)
        .map(|_| {
            let lock = lock.clone();
            thread::spawn(move || {
                for _ in 0..10 {
                    let mut lease = block_on(lock.acquire().within(MINUTE)).unwrap();
                    assert_eq!(block_on(lease.release()), Ok(Released::Released));
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

#[test]
fn a_lock_that_is_held_is_waited_for_and_no_longer_than_said() {
    let store = Arc::new(MemoryStore::new());
    let lease = block_on(lock(&store).acquire().lease(MINUTE)).unwrap();
    let other = lock(&store);
    assert!(block_on(other.try_acquire()).unwrap().is_none());
    let busy = block_on(other.acquire().within(Duration::from_millis(20)));
    assert!(matches!(busy, Err(NotAcquired::Busy { .. })));
    // Released by a thread of its own.
    drop(lease);
    let mut lease = block_on(other.acquire().within(MINUTE)).unwrap();
    block_on(lease.release()).unwrap();
}

#[test]
fn work_goes_on_beyond_its_lease() {
    let store = Arc::new(MemoryStore::new());
    let lock = lock(&store);
    let fence = blocking::hold(lock.acquire(), |lease| {
        let first = lease.deadline();
        // The thread that renews moves the deadline.
        while lease.deadline() == first {
            thread::yield_now();
        }
        Ok::<_, ()>(lease.fence())
    });
    assert!(fence.unwrap().0 > 0);
    assert_eq!(block_on(lock.status()), Ok(Holder::Free));
    let failed = blocking::hold(lock.acquire(), |_| Err::<(), _>("no"));
    assert_eq!(failed, Err(HoldError::Failed("no")));
}

#[test]
fn a_future_inside_another_keeps_its_alarms() {
    let store = Arc::new(MemoryStore::new());
    let held = block_on(lock(&store).acquire()).unwrap();
    let waited = block_on(async {
        let inner = block_on(async { 7 });
        (inner, lock(&store).acquire().within(MINUTE).await.is_ok())
    });
    assert_eq!(waited, (7, true), "when the first lease is over");
    held.forget();
}
