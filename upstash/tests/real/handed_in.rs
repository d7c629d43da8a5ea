//! The store over a connection that is there already.

use leasehold_core::{
    Cause, Command, Reply, Store, StoreError,
    conformance::{Fixture, Foreign},
    lock::{Holder, LockCommand, LockReply},
};
use leasehold_upstash::{Connected, Exclusive, RetryPolicy, redis::aio::MultiplexedConnection};

use crate::{acquire, locks, redis_server::RedisServer, take};

/// A store, and the server that it is on.
struct HandedIn {
    store: Connected<Exclusive<MultiplexedConnection>>,
    server: RedisServer,
}

impl HandedIn {
    async fn start() -> Option<Self> {
        let server = RedisServer::start(&[])?;
        let store = Connected::new(Exclusive::new(server.connection().await));
        Some(Self { store, server })
    }
}

impl Fixture for HandedIn {
    type Store = Connected<Exclusive<MultiplexedConnection>>;

    fn store(&self) -> Self::Store {
        self.store.clone()
    }

    async fn pass(&self, time: std::time::Duration) {
        tokio::time::sleep(time).await;
    }

    async fn forget_scripts(&self) -> bool {
        self.server.run("SCRIPT FLUSH").await;
        true
    }

    async fn write_foreign(&self, key: &str, value: Foreign) -> bool {
        let command = match value {
            Foreign::Text => format!("SET {key} theirs"),
            Foreign::OtherType => format!("HSET {key} field theirs"),
        };
        self.server.run(&command).await;
        true
    }
}

fn block_on(case: impl Future<Output = ()>) {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().build().expect("a runtime").block_on(case);
}

leasehold_core::store_conformance! {
    run: |case| block_on(case),
    fixture: HandedIn::start(),
}

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
