//! What a real server can refuse, and what becomes of a connection to it.

use std::time::Duration;

use leasehold_core::{Cause, RejectionKind, Reply, Store, StoreError, lock::LockReply};
use leasehold_upstash::{
    RetryPolicy, Tcp, TcpBuilder,
    redis::{Value, cmd},
};

use crate::{
    LIMIT, acquire,
    redis_server::{RedisServer, connect},
    take,
};

/// A store that sends nothing again.
fn hasty(url: &str) -> Tcp {
    let builder = TcpBuilder::new(url).unwrap().timeout(LIMIT);
    builder.connect_timeout(LIMIT).retry(RetryPolicy::new().retries(0)).build().unwrap()
}

async fn rejection(store: &Tcp) -> RejectionKind {
    match take(store, "job").await {
        Err(StoreError::Rejected(refused)) => refused.kind,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_key_of_another_type_is_said_to_be_one() {
    let Some(server) = RedisServer::start(&[]) else { return };
    server.run("RPUSH job x").await;
    assert_eq!(rejection(&hasty(&server.url())).await, RejectionKind::WrongType);
}

#[tokio::test]
async fn a_key_that_is_no_lock_is_busy_for_ever_and_left_alone() {
    let Some(server) = RedisServer::start(&[]) else { return };
    server.run("SET job theirs").await;
    let reply = hasty(&server.url()).execute(acquire("job", "a.1#1")).await;
    assert_eq!(reply, Ok(Reply::Lock(LockReply::Busy { remaining_ms: None })));
    assert_eq!(server.run("GET job").await, Value::BulkString(b"theirs".to_vec()));
}

#[tokio::test]
async fn a_full_server_is_out_of_memory() {
    let Some(server) = RedisServer::start(&["--maxmemory", "1"]) else { return };
    assert_eq!(rejection(&hasty(&server.url())).await, RejectionKind::OutOfMemory);
}

#[tokio::test]
async fn a_replica_is_read_only_and_a_primary_again_once_promoted() {
    let Some(server) = RedisServer::start(&[]) else { return };
    let store = hasty(&server.url());
    server.run("REPLICAOF 127.0.0.1 1").await;
    assert_eq!(rejection(&store).await, RejectionKind::ReadOnly);
    server.run("REPLICAOF NO ONE").await;
    assert_eq!(take(&store, "job").await, Ok(()));
}

#[tokio::test]
async fn a_connection_to_a_server_that_only_serves_reads_is_given_up() {
    let Some(server) = RedisServer::start(&[]) else { return };
    let store = hasty(&server.url());
    assert_eq!(take(&store, "job").await, Ok(()));
    server.run("REPLICAOF 127.0.0.1 1").await;
    let mut administrator = server.connection().await;
    let mut connections = async || {
        let info: String = cmd("INFO").arg("stats").query_async(&mut administrator).await.unwrap();
        let (_, rest) = info.split_once("total_connections_received:").unwrap();
        rest.lines().next().unwrap().trim().parse::<u64>().unwrap()
    };
    let before = connections().await;
    for asked in 1..=3 {
        assert_eq!(rejection(&store).await, RejectionKind::ReadOnly);
        assert_eq!(
            connections().await,
            before + asked - 1,
            "the next one is to where the name leads"
        );
    }
}

#[tokio::test]
async fn a_wrong_password_or_too_little_permission_is_not_allowed_and_not_repeated() {
    let Some(server) = RedisServer::start(&["--requirepass", "hunter2"]) else { return };
    let at = |user: &str| server.url().replace("//", &format!("//{user}@"));
    let right = at(":hunter2");
    assert_eq!(take(&hasty(&right), "job").await, Ok(()));
    let mut administrator = connect(&right).await.unwrap();
    let mut weak = cmd("ACL");
    weak.arg(&["SETUSER", "weak", "on", ">feeble", "~*", "+@all", "-@scripting"]);
    weak.exec_async(&mut administrator).await.unwrap();
    for user in [":correct-horse", "weak:feeble", "nobody:correct-horse"] {
        let error = take(&hasty(&at(user)), "job").await.unwrap_err();
        let StoreError::Rejected(refused) = &error else { panic!("{user}: {error:?}") };
        assert_eq!(refused.kind, RejectionKind::NotAllowed, "{user}");
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("correct-horse") && !shown.contains("feeble"), "{shown}");
    }
    assert_eq!(rejection(&hasty(&server.url())).await, RejectionKind::NotAllowed);
}

#[tokio::test]
async fn a_server_with_too_many_clients_was_sent_nothing() {
    let Some(server) = RedisServer::start(&["--maxclients", "1"]) else { return };
    let _the_one = server.connection().await;
    let reply = take(&hasty(&server.url()), "job").await;
    assert!(matches!(reply, Err(StoreError::NotSent(_))), "{reply:?}");
}

#[tokio::test]
async fn a_connection_that_broke_is_made_again() {
    let Some(mut server) = RedisServer::start(&[]) else { return };
    let store = hasty(&server.url());
    assert_eq!(take(&store, "job").await, Ok(()));
    server.restart();
    let told = take(&store, "job").await;
    assert!(matches!(told, Err(StoreError::Unknown(Cause::Disconnected(_)))), "{told:?}");
    assert_eq!(take(&store, "job").await, Ok(()));
    // And without a word to the caller, if it may be sent again.
    let patient = Tcp::new(&server.url()).unwrap();
    assert_eq!(take(&patient, "job").await, Ok(()));
    server.restart();
    assert_eq!(take(&patient, "job").await, Ok(()));
}

#[tokio::test]
async fn a_database_that_is_not_there_is_refused_at_once_with_what_to_do() {
    let Some(server) = RedisServer::start(&[]) else { return };
    let store = Tcp::new(&format!("{}/99", server.url())).unwrap();
    let error = take(&store, "job").await.unwrap_err();
    let StoreError::Rejected(refused) = &error else { panic!("{error:?}") };
    assert_eq!(refused.kind, RejectionKind::Other);
    let (address, advice) = (format!("127.0.0.1:{}", server.port()), "name a database");
    assert!(refused.message.contains(&address), "{refused}");
    assert!(refused.message.contains(advice), "{refused}");
    let source = std::error::Error::source(&error).expect("what the server said");
    assert_eq!(source.to_string(), refused.message);
}

#[tokio::test]
async fn a_server_that_hangs_leaves_the_outcome_unknown() {
    let Some(server) = RedisServer::start(&[]) else { return };
    let builder = TcpBuilder::new(&server.url()).unwrap().timeout(Duration::from_millis(50));
    let store = builder.retry(RetryPolicy::new().retries(0)).build().unwrap();
    store.connect().await.unwrap();
    server.run("CLIENT PAUSE 60000 ALL").await;
    let told = take(&store, "job").await;
    assert!(matches!(told, Err(StoreError::Unknown(Cause::TimedOut(_)))), "{told:?}");
}
