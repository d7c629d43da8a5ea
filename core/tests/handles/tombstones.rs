//! What a handle leaves behind on the server: one tombstone, as long as no answer depends on
//! another.

#![allow(clippy::unwrap_used, reason = "for tests only")]

use std::sync::Arc;

use crate::network::{Fault, Network};
use leasehold_core::{
    MemoryStore,
    lock::{Lock, ReleaseError, Released},
};

/// How many keys `rounds` acquires and releases leave.
async fn keys_after(rounds: usize, detached: bool) -> usize {
    let store = Arc::new(MemoryStore::new());
    let lock = Lock::new(store.clone(), "job").unwrap();
    for _ in 0..rounds {
        let mut lease = lock.acquire().await.unwrap();
        if detached {
            lease.release_detached().await;
        } else {
            assert_eq!(lease.release().await, Ok(Released::Released));
        }
    }
    store.live_keys()
}

#[tokio::test]
async fn a_handle_leaves_one_mark_however_often_it_is_used() {
    for detached in [false, true] {
        let once = keys_after(1, detached).await;
        assert!(once > 0, "a fence and a tombstone");
        assert_eq!(keys_after(100, detached).await, once);
    }
}

#[tokio::test]
async fn a_held_handle_leaves_one_mark_too() {
    let store = Arc::new(MemoryStore::new());
    let lock = Lock::new(store.clone(), "job").unwrap();
    lock.acquire().hold(async |_| Ok::<_, std::convert::Infallible>(())).await.unwrap();
    let once = store.live_keys();
    for _ in 0..100 {
        lock.acquire().hold(async |_| Ok::<_, std::convert::Infallible>(())).await.unwrap();
    }
    assert_eq!(store.live_keys(), once);
}

#[tokio::test(start_paused = true)]
async fn a_release_whose_answer_was_lost_is_still_known_after_the_handle_went_on() {
    let (network, lock) = Network::with_lock();
    let mut first = lock.acquire().await.unwrap();
    network.faults([Fault::LoseReply; 8]);
    assert!(matches!(first.release().await, Err(ReleaseError::Unknown(_))));
    network.heal();
    let mut second = lock.acquire().await.unwrap();
    assert_eq!(second.release().await, Ok(Released::Released));
    assert_eq!(first.release().await, Ok(Released::Released), "it did free the lock");
}
