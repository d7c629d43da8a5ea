//! The primary that Sentinel names.

use leasehold_core::StoreError;
use leasehold_upstash::{
    RetryPolicy, TcpBuilder,
    redis::{
        Value,
        sentinel::{SentinelClient, SentinelServerType},
    },
};

use crate::{LIMIT, at_last, next, redis_server::RedisServer, take};

fn client(sentinel: &RedisServer, primary: &str) -> TcpBuilder {
    let sentinels = vec![sentinel.url()];
    let client = SentinelClient::build(sentinels, primary, None, SentinelServerType::Master);
    TcpBuilder::from_sentinel(client.unwrap()).timeout(LIMIT).connect_timeout(LIMIT)
}

#[tokio::test]
async fn a_lock_is_taken_at_the_primary_that_sentinel_names() {
    let Some(primary) = RedisServer::start(&[]) else { return };
    let settings = format!("sentinel monitor main 127.0.0.1 {} 1\n", primary.port());
    let sentinel = RedisServer::start_with(&settings, &["--sentinel"]).unwrap();
    let store = client(&sentinel, "main").build().unwrap();
    assert_eq!(take(&store, "job").await, Ok(()));
    assert_eq!(take(&store, "another").await, Ok(()));
    primary.run("GET job").await;
    let mut notifications = store.notifications("gate");
    assert!(next(&mut notifications).await.is_some());

    let unknown = client(&sentinel, "nobody").retry(RetryPolicy::new().retries(0)).build().unwrap();
    let reply = take(&unknown, "job").await;
    assert!(matches!(reply, Err(StoreError::NotSent(_))), "{reply:?}");
}

#[tokio::test]
async fn a_deposed_primary_is_left() {
    let Some(primary) = RedisServer::start(&[]) else { return };
    let settings = format!("sentinel monitor main 127.0.0.1 {} 1\n", primary.port());
    let sentinel = RedisServer::start_with(&settings, &["--sentinel"]).unwrap();
    let store = client(&sentinel, "main").retry(RetryPolicy::new().retries(0)).build().unwrap();
    assert_eq!(take(&store, "job").await, Ok(()));
    primary.run("REPLICAOF 127.0.0.1 1").await;
    // It was refused, and the next that is asked need not be this one.
    let reply = take(&store, "another").await;
    assert!(matches!(reply, Err(StoreError::NotSent(_))), "{reply:?}");
    primary.run("REPLICAOF NO ONE").await;
    assert_eq!(take(&store, "another").await, Ok(()));
}

#[tokio::test]
async fn after_a_failover_the_new_primary_is_found() {
    let Some(primary) = RedisServer::start(&["--repl-diskless-sync-delay", "0"]) else { return };
    let port = primary.port().to_string();
    let replica = RedisServer::start(&["--replicaof", "127.0.0.1", &port]).unwrap();
    primary.run_until("INFO replication", |info| info.contains("state=online")).await;
    let settings = format!("sentinel monitor main 127.0.0.1 {port} 1\n");
    let sentinel = RedisServer::start_with(&settings, &["--sentinel"]).unwrap();
    let store = client(&sentinel, "main").retry(RetryPolicy::new().retries(0)).build().unwrap();
    assert_eq!(take(&store, "job").await, Ok(()));
    let has_it = async || (replica.try_run("EXISTS job").await == Ok(Value::Int(1))).then_some(());
    at_last(has_it).await;
    // It is refused while Sentinel knows of no good replica yet.
    at_last(async || sentinel.try_run("SENTINEL FAILOVER main").await.ok()).await;
    at_last(async || {
        take(&store, "another").await.ok()?;
        (replica.try_run("EXISTS another").await == Ok(Value::Int(1))).then_some(())
    })
    .await;
    replica.run_until("INFO replication", |info| info.contains("role:master")).await;
    assert_eq!(take(&store, "a third").await, Ok(()));
}
