//! The store over a connection that is there already.

use leasehold_core::{
    Cause, Command, Reply, Store, StoreError,
    lock::{Holder, LockCommand, LockReply},
};
use leasehold_upstash::{Connected, Exclusive, RetryPolicy};

use crate::{acquire, locks, redis_server::RedisServer, take};

#[tokio::test]
async fn clones_of_a_connection_share_it() {
    let Some(server) = RedisServer::start(&[]) else { return };
    let store = Connected::new(server.connection().await);
    assert_eq!(take(&store, "job").await, Ok(()));
    assert_eq!(take(&store.clone(), "other").await, Ok(()));
    assert!(!format!("{store:?}").contains("127.0.0.1"), "it shows nothing of the connection");
}

#[tokio::test]
async fn a_caller_that_leaves_an_exclusive_connection_shifts_no_reply() {
    let Some(server) = RedisServer::start(&[]) else { return };
    let store = Connected::new(Exclusive::new(server.connection().await));
    assert_eq!(take(&store, "held").await, Ok(()));
    // It leaves after it has sent.
    store.send(acquire("other", "b.1#1")).await;
    let inspect = LockCommand::Inspect { keys: locks("free"), token: None };
    let reply = store.execute(Command::Lock(inspect)).await;
    assert_eq!(reply, Ok(Reply::Lock(LockReply::Holder(Holder::Free))));
}

#[tokio::test]
async fn a_connection_that_breaks_is_in_doubt() {
    let Some(mut server) = RedisServer::start(&[]) else { return };
    let store = Connected::new(server.connection().await).with_retry(RetryPolicy::new().retries(0));
    assert_eq!(take(&store, "job").await, Ok(()));
    server.kill();
    let reply = take(&store, "job").await;
    assert!(matches!(reply, Err(StoreError::Unknown(Cause::Disconnected(_)))), "{reply:?}");
}

#[tokio::test]
async fn no_replica_counts() {
    let Some(server) = RedisServer::start(&[]) else { return };
    let store = Connected::new(server.connection().await);
    let confirm = LockCommand::Confirm { keys: locks("job"), replicas: 1, timeout_ms: 1 };
    let reply = store.execute(Command::Lock(confirm)).await;
    assert_eq!(reply, Ok(Reply::Lock(LockReply::Confirmed { replicas: 0 })));
}
