//! A Cluster of three primaries.

mod confirm;
mod deaths;
pub(crate) mod nodes;
mod slots;

use leasehold_core::{RejectionKind, StoreError};
use leasehold_upstash::{Notification, RetryPolicy, TcpBuilder};

use self::nodes::{Cluster, FIRST, THIRD};
use crate::{LIMIT, next, take};

#[tokio::test]
async fn locks_live_on_the_primaries_of_their_slots() {
    let Some(cluster) = Cluster::start().await else { return };
    let store = cluster.store();
    for id in [FIRST, THIRD] {
        assert_eq!(take(&store, id).await, Ok(()));
    }
    let mut notifications = store.notifications("gate");
    assert_eq!(next(&mut notifications).await, Some(Notification::Gap));
    cluster.third().run("PUBLISH gate x").await;
    assert_eq!(next(&mut notifications).await, Some(Notification::Message(b"x".as_slice().into())));
}

#[tokio::test]
async fn one_node_alone_says_to_use_the_cluster() {
    let Some(cluster) = Cluster::start().await else { return };
    let builder = TcpBuilder::new(&cluster.first().url()).unwrap();
    let store = builder
        .timeout(LIMIT)
        .connect_timeout(LIMIT)
        .retry(RetryPolicy::new().retries(0))
        .build()
        .unwrap();
    assert_eq!(take(&store, FIRST).await, Ok(()));
    match take(&store, THIRD).await {
        Err(StoreError::Rejected(refused)) => {
            assert_eq!(refused.kind, RejectionKind::Other);
            assert!(refused.message.contains("TcpBuilder::cluster"), "{}", refused.message);
        }
        other => panic!("{other:?}"),
    }
}
