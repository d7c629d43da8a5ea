//! Slots that move from one primary to another.

use std::time::Duration;

use leasehold_core::{
    StoreError,
    lock::{Lock, LockKeys, LockOptions, NotAcquired, Released},
};
use leasehold_upstash::redis::Value;

use super::nodes::{Cluster, SLOT_OF_THIRD, THIRD};
use crate::{LIMIT, take};

#[tokio::test]
async fn a_slot_that_has_moved_is_found_again() {
    let Some(cluster) = Cluster::start().await else { return };
    let store = cluster.store();
    assert_eq!(take(&store, THIRD).await, Ok(()));
    cluster.third().run("FLUSHALL").await;
    cluster.have_moved().await;
    assert_eq!(take(&store, THIRD).await, Ok(()));
    assert_eq!(cluster.first().run("EXISTS a").await, Value::Int(1));
}

#[tokio::test]
async fn a_slot_on_the_move_is_not_sent() {
    let Some(cluster) = Cluster::start().await else { return };
    cluster.begin_to_move().await;
    // None of its keys is there: the node says to ask the other.
    assert_not_sent(take(&cluster.store(), THIRD).await);
    // One of them is: it says to try again.
    cluster.third().run(&format!("CLUSTER SETSLOT {SLOT_OF_THIRD} STABLE")).await;
    assert_eq!(take(&cluster.store(), THIRD).await, Ok(()));
    cluster.begin_to_move().await;
    assert_not_sent(take(&cluster.store(), THIRD).await);
}

/// The holder keeps the lock, others are excluded before, while and after, and the fence grows.
#[tokio::test]
async fn a_lock_moves_with_its_slot() {
    let Some(cluster) = Cluster::start().await else { return };
    let options = LockOptions::new().lease(Duration::from_secs(60)).call_timeout(LIMIT);
    let lock = || Lock::with_options(cluster.store(), THIRD, &options).unwrap();
    let (mine, other) = (lock(), lock());
    let mut lease = mine.acquire().await.unwrap();
    cluster.begin_to_move().await;
    let refused = other.acquire().await.map(drop);
    assert!(
        matches!(refused, Err(NotAcquired::Unavailable(StoreError::NotSent(_)))),
        "{refused:?}"
    );

    let (port, keys) = (cluster.first().port(), LockKeys::of(THIRD));
    let (lock, fence) = (keys.lock(), keys.fence());
    let migrate = format!("MIGRATE 127.0.0.1 {port}  0 60000 KEYS {lock} {fence}");
    cluster.third().run(&migrate).await;
    cluster.have_moved().await;
    let busy = other.acquire().await.map(drop);
    assert!(matches!(busy, Err(NotAcquired::Busy { .. })), "{busy:?}");
    assert_eq!(lease.release().await, Ok(Released::Released));
    assert!(other.acquire().await.unwrap().fence() > lease.fence());
}

fn assert_not_sent(reply: Result<(), StoreError>) {
    assert!(matches!(reply, Err(StoreError::NotSent(_))), "{reply:?}");
}
