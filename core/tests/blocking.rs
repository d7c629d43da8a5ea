//! Locks of programs without async: no runtime is there.

#![allow(clippy::unwrap_used, reason = "for tests only")]

use std::{sync::Arc, thread, time::Duration};

use leasehold_core::{
    MemoryStore,
    blocking::{Lock, block_on},
    lock::{HoldError, Holder, LockOptions, NotAcquired, Released},
};

const MINUTE: Duration = Duration::from_secs(60);

fn lock(store: &Arc<MemoryStore>) -> Lock {
    let options = LockOptions::new().lease(Duration::from_millis(500));
    Lock::with_options(store.clone(), "job", &options).unwrap()
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
                    let mut lease = lock.acquire().within(MINUTE).wait().unwrap();
                    assert_eq!(lease.release(), Ok(Released::Released));
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

#[test]
fn a_lock_that_is_held_is_waited_for_and_no_longer_than_said() {
    let store = Arc::new(MemoryStore::new());
    let lease = lock(&store).acquire().lease(MINUTE).wait().unwrap();
    let other = lock(&store);
    assert!(other.try_acquire().unwrap().is_none());
    let busy = other.acquire().within(Duration::from_millis(20)).wait();
    assert!(matches!(busy, Err(NotAcquired::Busy { .. })));
    // Released by a thread of its own.
    drop(lease);
    other.acquire().within(MINUTE).wait().unwrap().release().unwrap();
}

#[test]
fn work_goes_on_beyond_its_lease() {
    let store = Arc::new(MemoryStore::new());
    let lock = lock(&store);
    let fence = lock.acquire().hold(|lease| {
        let first = lease.deadline();
        // The thread that renews moves the deadline.
        while lease.deadline() == first {
            thread::yield_now();
        }
        Ok::<_, ()>(lease.fence())
    });
    assert!(fence.unwrap().0 > 0);
    assert_eq!(lock.status(), Ok(Holder::Free));
    assert_eq!(lock.acquire().hold(|_| Err::<(), _>("no")), Err(HoldError::Failed("no")));
}

#[test]
fn a_future_inside_another_keeps_its_alarms() {
    let store = Arc::new(MemoryStore::new());
    let held = lock(&store).acquire().wait().unwrap();
    let waited = block_on(async {
        let inner = block_on(async { 7 });
        (inner, lock(&store).acquire().within(MINUTE).wait().is_ok())
    });
    assert_eq!(waited, (7, true), "when the first lease is over");
    held.forget();
}
