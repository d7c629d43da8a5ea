//! Leases that count only once replicas have them, on a primary with two.

use std::{sync::Arc, time::Duration};

use leasehold_core::{
    Command, Reply, Store, StoreError,
    lock::{
        Durability, ExtendError, Lock, LockCommand, LockKeys, LockOptions, LockReply, NotAcquired,
    },
};
use leasehold_upstash::{RetryPolicy, Tcp, TcpBuilder, redis::Value};

use crate::{LIMIT, redis_server::RedisServer, take};

const ALL: Durability = Durability::Replicas(2);
const MAJORITY: Durability = Durability::Majority { replicas: 2 };

struct Replicated {
    primary: RedisServer,
    replicas: [RedisServer; 2],
}

impl Replicated {
    /// Returns when both replicas have all that the primary has.
    async fn start() -> Option<Self> {
        let primary = RedisServer::start(&["--repl-diskless-sync-delay", "0"])?;
        let source = ["--replicaof", "127.0.0.1", &primary.port().to_string()];
        let replicas = [RedisServer::start(&source)?, RedisServer::start(&source)?];
        let both_online = |info: &str| info.matches("state=online").count() == 2;
        primary.run_until("INFO replication", both_online).await;
        Some(Self { primary, replicas })
    }

    fn store(&self) -> Tcp {
        let builder =
            TcpBuilder::new(&self.primary.url()).unwrap().retry(RetryPolicy::new().retries(0));
        builder.timeout(LIMIT).connect_timeout(LIMIT).build().unwrap()
    }

    fn lock(&self, durability: Durability, confirm_timeout: Duration) -> Lock {
        let options = LockOptions::new()
            .lease(Duration::from_secs(60))
            .attempts(1)
            .call_timeout(LIMIT)
            .durability(durability)
            .confirm_timeout(confirm_timeout);
        Lock::with_options(self.store(), "job", &options).unwrap()
    }

    /// A lock whose replicas may take their time.
    fn patient(&self, durability: Durability) -> Lock {
        self.lock(durability, LIMIT)
    }

    /// A lock whose replicas are not expected to answer.
    fn hasty(&self, durability: Durability) -> Lock {
        self.lock(durability, Duration::from_millis(50))
    }

    async fn is_free(&self) -> bool {
        self.primary.run("EXISTS job").await == Value::Int(0)
    }
}

fn confirm(id: &str) -> Command {
    let keys = Arc::new(LockKeys::of(id));
    Command::Lock(LockCommand::Confirm { keys, replicas: 2, timeout_ms: 60_000 })
}

#[tokio::test]
async fn a_lease_says_how_many_replicas_have_it_and_they_have() {
    let Some(servers) = Replicated::start().await else { return };
    let lock = servers.patient(ALL);
    let mut lease = lock.acquire().await.unwrap();
    assert_eq!(lease.replicas(), 2);
    // Without waiting any further.
    for replica in &servers.replicas {
        let token = lease.token().as_str().as_bytes().to_vec();
        assert_eq!(replica.run("GET job").await, Value::BulkString(token));
    }
    let before = lease.deadline();
    lease.extend(Duration::from_secs(120)).await.unwrap();
    assert!(lease.deadline() > before);
    assert_eq!(lease.replicas(), 2);
}

#[tokio::test]
async fn a_majority_needs_one_of_two_replicas() {
    let Some(servers) = Replicated::start().await else { return };
    servers.replicas[0].freeze();
    let lock = servers.patient(MAJORITY);
    let lease = lock.acquire().await.unwrap();
    assert_eq!(lease.replicas(), 1);
    let token = lease.token().as_str().as_bytes().to_vec();
    assert_eq!(servers.replicas[1].run("GET job").await, Value::BulkString(token));
}

#[tokio::test]
async fn a_grant_on_too_few_replicas_is_released_again() {
    let Some(servers) = Replicated::start().await else { return };
    let [first, second] = &servers.replicas;
    first.freeze();
    let too_few = servers.hasty(ALL).acquire().await.map(drop);
    assert!(
        matches!(too_few, Err(NotAcquired::NotDurable { wanted: 2, got: ..=1 })),
        "{too_few:?}"
    );
    assert!(servers.is_free().await);
    second.freeze();
    let none = servers.hasty(MAJORITY).acquire().await.map(drop);
    assert_eq!(none, Err(NotAcquired::NotDurable { wanted: 1, got: 0 }));
    assert!(servers.is_free().await);
    // Nothing is left behind that would keep another from it.
    first.thaw();
    second.thaw();
    assert_eq!(servers.patient(ALL).acquire().await.unwrap().replicas(), 2);
}

#[tokio::test]
async fn a_replica_that_has_left_does_not_count() {
    let Some(servers) = Replicated::start().await else { return };
    servers.replicas[0].run("REPLICAOF NO ONE").await;
    let one = servers.hasty(ALL).acquire().await.map(drop);
    assert!(matches!(one, Err(NotAcquired::NotDurable { wanted: 2, got: ..=1 })), "{one:?}");
    assert!(servers.is_free().await);
}

#[tokio::test]
async fn an_extension_on_too_few_replicas_leaves_the_old_deadline() {
    let Some(servers) = Replicated::start().await else { return };
    let lease = servers.patient(MAJORITY).acquire().await.unwrap();
    let hasty = servers.hasty(MAJORITY);
    let mut lease = hasty.adopt(lease.token().clone(), lease.fence(), lease.remaining()).unwrap();
    let before = lease.deadline();
    servers.replicas.iter().for_each(RedisServer::freeze);
    let extended = lease.extend(Duration::from_secs(120)).await;
    assert!(matches!(extended, Err(ExtendError::Unknown(_))), "{extended:?}");
    assert_eq!(lease.deadline(), before);
    servers.replicas.iter().for_each(RedisServer::thaw);
}

#[tokio::test]
async fn another_connection_does_not_answer_for_a_grant() {
    let Some(servers) = Replicated::start().await else { return };
    let store = servers.store();
    assert_eq!(take(&store, "job").await, Ok(()));
    let reply = store.execute(confirm("job")).await;
    assert_eq!(reply, Ok(Reply::Lock(LockReply::Confirmed { replicas: 2 })));
    // What one connection has written, only that one can wait for.
    let reply = servers.store().execute(confirm("job")).await;
    assert!(matches!(reply, Err(StoreError::NotSent(_))), "{reply:?}");
    servers.primary.run("CLIENT KILL TYPE normal").await;
    assert!(store.execute(confirm("job")).await.is_err());
    assert_eq!(take(&store, "another").await, Ok(()));
    let reply = store.execute(confirm("job")).await;
    assert!(matches!(reply, Err(StoreError::NotSent(_))), "{reply:?}");
}
