//! A Cluster of two primaries.

use leasehold_core::{RejectionKind, StoreError};
use leasehold_upstash::{Hint, RetryPolicy, Tcp, TcpBuilder, redis::Value};

use crate::{
    PATIENCE, next,
    redis_server::{RedisServer, free_port, text},
    take,
};

/// In slot 2906, of the first node.
const FIRST: &str = "job";
/// In slot 15495, of the second.
const SECOND: &str = "a";

struct Cluster {
    first: RedisServer,
    second: RedisServer,
}

impl Cluster {
    /// Returns when each node has heard that all slots are served.
    async fn start() -> Option<Self> {
        let bus = free_port().to_string();
        let first = RedisServer::start(&["--cluster-enabled", "yes", "--cluster-port", &bus])?;
        let bus = free_port().to_string();
        let second = RedisServer::start(&["--cluster-enabled", "yes", "--cluster-port", &bus])?;
        first.run("CLUSTER ADDSLOTSRANGE 0 8191").await;
        second.run("CLUSTER ADDSLOTSRANGE 8192 16383").await;
        first.run(&format!("CLUSTER MEET 127.0.0.1 {} {bus}", second.port())).await;
        for node in [&first, &second] {
            node.run_until("CLUSTER INFO", |info| info.contains("cluster_state:ok")).await;
        }
        Some(Self { first, second })
    }

    fn store(&self) -> Tcp {
        TcpBuilder::cluster([&*self.first.url()])
            .unwrap()
            .connect_timeout(PATIENCE)
            .build()
            .unwrap()
    }
}

#[tokio::test]
async fn locks_live_on_the_primaries_of_their_slots() {
    let Some(cluster) = Cluster::start().await else { return };
    let store = cluster.store();
    for id in [FIRST, SECOND] {
        assert_eq!(take(&store, id).await, Ok(()));
    }
    let mut hints = store.hints("gate");
    assert_eq!(next(&mut hints).await, Some(Hint::Gap));
    cluster.second.run("PUBLISH gate x").await;
    assert_eq!(next(&mut hints).await, Some(Hint::Message(b"x".as_slice().into())));
}

#[tokio::test]
async fn a_slot_that_has_moved_is_found_again() {
    let Some(cluster) = Cluster::start().await else { return };
    let store = cluster.store();
    assert_eq!(take(&store, SECOND).await, Ok(()));
    let heir = text(cluster.first.run("CLUSTER MYID").await);
    cluster.second.run("FLUSHALL").await;
    for node in [&cluster.first, &cluster.second] {
        node.run(&format!("CLUSTER SETSLOT 15495 NODE {heir}")).await;
    }
    assert_eq!(take(&store, SECOND).await, Ok(()));
    assert_eq!(cluster.first.run("EXISTS a").await, Value::Int(1));
}

#[tokio::test]
async fn a_slot_on_the_move_is_not_sent() {
    let Some(cluster) = Cluster::start().await else { return };
    let heir = text(cluster.first.run("CLUSTER MYID").await);
    cluster.second.run(&format!("CLUSTER SETSLOT 15495 MIGRATING {heir}")).await;
    let reply = take(&cluster.store(), SECOND).await;
    assert!(matches!(reply, Err(StoreError::NotSent(_))), "{reply:?}");
}

#[tokio::test]
async fn one_node_alone_says_to_use_the_cluster() {
    let Some(cluster) = Cluster::start().await else { return };
    let builder = TcpBuilder::new(&cluster.first.url()).unwrap();
    let store = builder.connect_timeout(PATIENCE).retry(RetryPolicy::none()).build().unwrap();
    assert_eq!(take(&store, FIRST).await, Ok(()));
    match take(&store, SECOND).await {
        Err(StoreError::Rejected(refused)) => {
            assert_eq!(refused.kind, RejectionKind::Other);
            assert!(refused.message.contains("TcpBuilder::cluster"), "{}", refused.message);
        }
        other => panic!("{other:?}"),
    }
}
