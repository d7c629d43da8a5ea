//! The store over TCP against a real `redis-server`, one for each test. Without one, they are
//! skipped, or fail if `LEASEHOLD_REQUIRE_REAL=1`.
#![allow(clippy::unwrap_used, reason = "tests")]

mod cluster;
mod conformance;
mod faults;
mod handed_in;
mod notifications;
mod redis_server;
mod refusals;
mod replicas;
mod rights;
mod sentinel;

use std::{sync::Arc, time::Duration};

use leasehold_core::{
    Command, Reply, Store, StoreError, Token,
    lock::{IfHeld, LockCommand, LockKeys, LockReply},
};
use leasehold_upstash::{Notification, Notifications};

/// Slow machines are not what these tests are about.
const LIMIT: Duration = Duration::from_secs(10);

fn locks(id: &str) -> Arc<LockKeys> {
    Arc::new(LockKeys::of(id))
}

fn acquire(id: &str, token: &str) -> Command {
    Command::Lock(LockCommand::Acquire {
        keys: locks(id),
        token: Token::new(token).unwrap(),
        lease_ms: 60_000,
        fence_life_ms: 60_000,
        tombstone_ms: 60_000,
    })
}

async fn take(store: &(impl Store + Sync), id: &str) -> Result<(), StoreError> {
    match store.execute(acquire(id, "a.1#1")).await? {
        Reply::Lock(LockReply::Acquired { .. }) => Ok(()),
        other => panic!("{other:?}"),
    }
}

/// Takes and frees a lean lock, which is held by another in between.
async fn take_lean(store: &(impl Store + Sync), id: &str) -> Result<(), StoreError> {
    let (keys, token) = (locks(id), Token::new("lean").unwrap());
    let acquire = |token: &str, held| {
        let (keys, token) = (locks(id), Token::new(token).unwrap());
        Command::Lock(LockCommand::AcquireLean { keys, token, lease_ms: 60_000, held })
    };
    let taken = store.execute(acquire("lean", IfHeld::Unsaid)).await?;
    assert!(matches!(taken, Reply::Lock(LockReply::Acquired { fresh: true, .. })), "{taken:?}");
    let busy = store.execute(acquire("other", IfHeld::Wait(60_000))).await?;
    assert!(matches!(busy, Reply::Lock(LockReply::Busy { .. })), "{busy:?}");
    let freed = store.execute(Command::Lock(LockCommand::ReleaseLean { keys, token })).await?;
    assert_eq!(freed, Reply::Lock(LockReply::Released));
    Ok(())
}

/// The next notification. One that never comes is a failure, not a test without end.
async fn next(notifications: &mut Notifications) -> Option<Notification> {
    tokio::time::timeout(Duration::from_secs(30), notifications.next())
        .await
        .expect("a notification")
}

/// Tries until it succeeds. What never does is a failure, not a test without end.
async fn at_last<T>(mut attempt: impl AsyncFnMut() -> Option<T>) -> T {
    let trying = async {
        loop {
            if let Some(success) = attempt().await {
                return success;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(60), trying).await.expect("it succeeds at last")
}
