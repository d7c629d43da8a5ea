//! Waiting for the replicas of the primary that has the lock's slot.

use std::{sync::Arc, time::Duration};

use leasehold_core::{
    Command, Reply, Store, StoreError,
    lock::{
        Durability, Lock, LockCommand, LockKeys, LockOptions, LockReply, NotAcquired, Released,
    },
};
use leasehold_upstash::{RetryPolicy, Tcp, TcpBuilder};

use super::nodes::{Cluster, FIRST, THIRD, alone, id};
use crate::{LIMIT, at_last, take};

async fn confirm(store: &Tcp, id: &str, replicas: u32) -> Result<u32, StoreError> {
    let keys = Arc::new(LockKeys::of(id));
    // At most half of the store's own timeout.
    let command = LockCommand::Confirm { keys, replicas, timeout_ms: 60_000 };
    match store.execute(Command::Lock(command)).await? {
        Reply::Lock(LockReply::Confirmed { replicas }) => Ok(replicas),
        other => panic!("{other:?}"),
    }
}

fn assert_not_sent(reply: Result<u32, StoreError>) {
    assert!(matches!(reply, Err(StoreError::NotSent(_))), "{reply:?}");
}

/// A lock that counts once a replica has it.
fn acked(store: Tcp, id: &str, confirm_timeout: Duration) -> Lock {
    let options = LockOptions::new()
        .lease(Duration::from_secs(60))
        .attempts(1)
        .call_timeout(LIMIT)
        .durability(Durability::Replicas(1))
        .confirm_timeout(confirm_timeout);
    Lock::with_options(store, id, &options).unwrap()
}

#[tokio::test]
async fn a_lease_is_on_the_replicas_of_its_primary() {
    let Some(cluster) = Cluster::start().await else { return };
    let replica = cluster.replica_of_first().await;
    let first = acked(cluster.hasty(), FIRST, LIMIT);
    let mut lease = first.acquire().await.unwrap();
    assert_eq!(lease.replicas(), 1);
    let before = lease.deadline();
    lease.extend(Duration::from_secs(120)).await.unwrap();
    assert!(lease.deadline() > before);
    lease.release().await.unwrap();
    // The third node has no replica, and the first one's, stopped, is as good as none.
    let hasty = Duration::from_millis(50);
    replica.freeze();
    for id in [FIRST, THIRD] {
        let refused = acked(cluster.hasty(), id, hasty).acquire().await.map(drop);
        assert_eq!(refused, Err(NotAcquired::NotDurable { wanted: 1, got: 0 }), "{id}");
        // It was released.
        assert_eq!(take(&cluster.store(), id).await, Ok(()));
    }
}

#[tokio::test]
async fn only_the_connection_that_answered_the_grant_confirms_it() {
    let Some(cluster) = Cluster::start().await else { return };
    let _replica = cluster.replica_of_first().await;
    let store = cluster.hasty();
    assert_not_sent(confirm(&store, FIRST, 1).await);
    assert_eq!(take(&store, FIRST).await, Ok(()));
    assert_eq!(confirm(&store, FIRST, 1).await, Ok(1));
    assert_not_sent(confirm(&cluster.hasty(), FIRST, 1).await);
    // The client makes its connection anew, unseen.
    cluster.first().run("CLIENT KILL TYPE normal").await;
    while take(&store, "{job}2").await.is_err() {}
    assert_not_sent(confirm(&store, FIRST, 1).await);
    assert_eq!(confirm(&store, "{job}2", 1).await, Ok(1));
}

#[tokio::test]
async fn a_user_that_may_not_ask_for_its_connection_locks_but_confirms_nothing() {
    let Some(node) = alone().await else { return };
    node.run("ACL SETUSER weak on >feeble ~* &* +@all -client|info").await;
    let url = node.url().replace("//", "//weak:feeble@");
    let builder = TcpBuilder::cluster([&*url]).unwrap().timeout(LIMIT).connect_timeout(LIMIT);
    let store = builder.retry(RetryPolicy::new().retries(0)).build().unwrap();
    assert_eq!(take(&store, FIRST).await, Ok(()));
    assert_not_sent(confirm(&store, FIRST, 0).await);
}

#[tokio::test]
async fn a_slot_that_has_moved_takes_its_grants_away_from_the_replicas() {
    let Some(cluster) = Cluster::start().await else { return };
    let store = cluster.hasty();
    assert_eq!(take(&store, THIRD).await, Ok(()));
    assert_eq!(confirm(&store, THIRD, 0).await, Ok(0));
    cluster.third().run("FLUSHALL").await;
    cluster.have_moved().await;
    assert_not_sent(confirm(&store, THIRD, 0).await);
}

#[tokio::test]
async fn what_a_replica_has_outlives_the_primary() {
    let Some(mut cluster) = Cluster::start().await else { return };
    let replica = cluster.replica_of_first().await;
    let store = cluster.store();
    let mut lease = acked(store.clone(), FIRST, LIMIT).acquire().await.unwrap();
    cluster.nodes[0].kill();
    replica.run("CLUSTER FAILOVER TAKEOVER").await;
    let heir = id(&replica).await;
    // Its slots stand at the end of its line.
    let has_slots = |line: &str| line.contains("master") && !line.ends_with("connected");
    let is_primary =
        |nodes: &str| nodes.lines().any(|line| line.starts_with(&heir) && has_slots(line));
    cluster.third().run_until("CLUSTER NODES", is_primary).await;
    // It had been found by way of the node that is dead now.
    let other = Lock::new(store, FIRST).unwrap();
    let refused = at_last(async || match other.acquire().await.map(drop) {
        Err(NotAcquired::Unavailable(_) | NotAcquired::Unknown(_)) => None,
        told => Some(told),
    });
    let refused = refused.await;
    assert!(matches!(refused, Err(NotAcquired::Busy { .. })), "{refused:?}");
    assert_eq!(lease.release().await, Ok(Released::Released));
    assert!(other.acquire().await.unwrap().fence() > lease.fence());
}
