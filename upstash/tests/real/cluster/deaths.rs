//! Nodes that die or hang: what their slots are told, and that the others go on.

use std::time::Duration;

use leasehold_core::{Cause, StoreError};
use leasehold_upstash::{RetryPolicy, Tcp};

use super::nodes::{Cluster, FIRST, THIRD, is_whole};
use crate::{at_last, take};

/// Takes the lock as soon as that is possible.
async fn take_at_last(store: &Tcp, id: &str) {
    at_last(async || take(store, id).await.ok()).await;
}

#[tokio::test]
async fn a_node_that_dies_is_told_apart_from_the_others_and_found_again() {
    let Some(mut cluster) = Cluster::start().await else { return };
    let store = cluster.store();
    assert_eq!(take(&store, THIRD).await, Ok(()));
    cluster.nodes[2].kill();
    // By way of more attempts, to what is left.
    for _ in 0..3 {
        let reply = take(&store, THIRD).await;
        assert!(matches!(reply, Err(StoreError::NotSent(_) | StoreError::Unknown(_))), "{reply:?}");
    }
    assert_eq!(take(&store, FIRST).await, Ok(()));
    cluster.nodes[2].restart();
    is_whole(cluster.third()).await;
    take_at_last(&store, THIRD).await;
}

#[tokio::test]
async fn a_node_that_hangs_is_in_doubt_and_the_others_go_on() {
    let Some(cluster) = Cluster::start().await else { return };
    let builder = cluster.builder().timeout(Duration::from_millis(500));
    let store = builder.retry(RetryPolicy::new().retries(0)).build().unwrap();
    take_at_last(&store, THIRD).await;
    cluster.third().freeze();
    let told = take(&store, THIRD).await;
    assert!(matches!(told, Err(StoreError::Unknown(Cause::TimedOut(_)))), "{told:?}");
    take_at_last(&store, FIRST).await;
    cluster.third().thaw();
    take_at_last(&store, THIRD).await;
}
