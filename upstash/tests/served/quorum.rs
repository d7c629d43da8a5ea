//! What is sent without waiting for an answer arrives, also from a quorum.

use leasehold_core::{
    Reply, Store, TokioClock,
    lock::{Lock, LockReply},
    quorum::{Quorum, QuorumOptions},
};
use leasehold_upstash::RetryPolicy;

use crate::{
    acquire,
    fake::{Adapter, Fake, LIMIT, until},
    on_both, release,
};

async fn three<S: Adapter>() -> (Vec<Fake>, Quorum<S, TokioClock>) {
    let servers = vec![Fake::start().await, Fake::start().await, Fake::start().await];
    let nodes = servers.iter().map(|server| S::of(server, RetryPolicy::new().retries(0)));
    let options = QuorumOptions::new().node_timeout(LIMIT);
    let quorum = Quorum::new(nodes, TokioClock::new(), &options).unwrap();
    (servers, quorum)
}

async fn a_minority_that_granted_is_cleaned_up<S: Adapter>() {
    let (servers, quorum) = three::<S>().await;
    for server in &servers[..2] {
        S::of(server, RetryPolicy::new().retries(0))
            .execute(acquire("job", "other#1"))
            .await
            .unwrap();
    }
    let reply = quorum.execute(acquire("job", "mine#1")).await;
    assert!(matches!(reply, Ok(Reply::Lock(LockReply::Busy { .. }))), "{reply:?}");
    until(|| !servers[2].exists("job")).await;
    assert!(servers[0].exists("job"), "the other's is left alone");
}

async fn a_release_that_nobody_waits_for_frees_every_node<S: Adapter>() {
    let (servers, quorum) = three::<S>().await;
    let mut lease = Lock::new(quorum, "job").unwrap().acquire().await.unwrap();
    lease.release_detached().await;
    until(|| servers.iter().all(|server| !server.exists("job"))).await;
}

async fn what_nobody_waits_for_is_sent_even_before_there_is_a_connection<S: Adapter>() {
    let server = Fake::start().await;
    let store = S::of(&server, RetryPolicy::default());
    store.send(acquire("job", "mine#1")).await;
    until(|| server.exists("job")).await;
    store.send(release("job", "mine#1")).await;
    until(|| !server.exists("job")).await;
}

on_both! {
    a_minority_that_granted_is_cleaned_up
    a_release_that_nobody_waits_for_frees_every_node
    what_nobody_waits_for_is_sent_even_before_there_is_a_connection
}
