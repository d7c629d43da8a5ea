//! Lean locks by their handles, alone and beside full ones.

#![allow(clippy::unwrap_used, reason = "for tests only")]

use std::{convert::Infallible, sync::Arc, time::Duration};

use crate::network::{Fault, Network, TRAVEL};
use leasehold_core::{
    Clock, MemoryStore, RejectionKind, Token, TokioClock,
    lock::{Guarantee, Holder, Lock, LockOptions, NotAcquired, Released},
    quorum::{Quorum, QuorumOptions},
};
use tokio::time::sleep;

const MINUTE: Duration = Duration::from_secs(60);

fn lean(network: &Network, owner: &str) -> Lock {
    network.lock_with(owner, |options| {
        options.guarantee(Guarantee::Lean).lease(Duration::from_secs(30))
    })
}

#[tokio::test(start_paused = true)]
async fn lean_and_full_handles_exclude_one_another_and_their_fences_grow() {
    let network = Network::new();
    let (lean, full) = (lean(&network, "lean"), network.lock("full"));
    let mut last = None;
    for _ in 0..2 {
        for (holder, other) in [(&lean, &full), (&full, &lean)] {
            let mut lease = holder.acquire().await.unwrap();
            assert!(Some(lease.fence()) > last);
            last = Some(lease.fence());
            match other.acquire().attempts(1).await {
                Err(NotAcquired::Busy { remaining: Some(left) }) => assert!(!left.is_zero()),
                reply => panic!("{reply:?}"),
            }
            assert_eq!(lease.release().await, Ok(Released::Released));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_lean_release_is_followed_by_the_next_grant_within_two_round_trips() {
    let network = Network::new();
    let mut lease = lean(&network, "a").acquire().await.unwrap();
    let waiter = lean(&network, "b");
    let waiting = tokio::spawn(async move { waiter.acquire().within(MINUTE).await.map(|_| ()) });
    sleep(Duration::from_millis(3_333)).await;
    let start = network.clock.now();
    assert_eq!(lease.release().await, Ok(Released::Released));
    waiting.await.unwrap().unwrap();
    let took = network.clock.now().since(start);
    assert!(took <= 4 * TRAVEL, "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_lean_lease_is_renewed_while_it_is_held_and_then_released() {
    let network = Network::new();
    let lock = lean(&network, "me");
    let held = lock.acquire().hold(async |lease| {
        sleep(2 * MINUTE).await;
        Ok::<_, Infallible>(lease.remaining())
    });
    assert!(!held.await.unwrap().is_zero());
    assert_eq!(network.holder(None).await, Holder::Free);
}

#[tokio::test(start_paused = true)]
async fn a_lean_release_whose_reply_is_lost_says_that_it_was_released() {
    let network = Network::new();
    let mut lease = lean(&network, "me").acquire().await.unwrap();
    network.faults([Fault::LoseReply]);
    assert_eq!(lease.release().await, Ok(Released::Released));
    assert_eq!(network.holder(None).await, Holder::Free);
}

#[tokio::test(start_paused = true)]
async fn a_lean_acquire_whose_reply_is_lost_leaves_no_key() {
    let network = Network::new();
    let lock = lean(&network, "me");
    network.faults([Fault::LoseReply]);
    let mut lease = lock.acquire().await.unwrap();
    assert_eq!(lease.release().await, Ok(Released::Released));
    assert_eq!(lock.in_flight(), None);
    assert_eq!(network.holder(None).await, Holder::Free);
}

#[tokio::test(start_paused = true)]
async fn a_callers_own_token_may_take_a_lean_lock_again() {
    let network = Network::new();
    let lock = lean(&network, "me");
    for _ in 0..2 {
        let token = Token::new("mine").unwrap();
        let mut lease = lock.acquire().token(token).await.unwrap();
        assert_eq!(lease.release().await, Ok(Released::Released));
    }
}

#[tokio::test(start_paused = true)]
async fn a_quorum_refuses_a_lean_lock_and_says_what_to_do() {
    let nodes = (0..3).map(|_| Arc::new(MemoryStore::new()));
    let quorum = Quorum::new(nodes, TokioClock::new(), &QuorumOptions::default()).unwrap();
    let options = LockOptions::new().guarantee(Guarantee::Lean);
    let lock = Lock::with_options(quorum, "job", &options).unwrap();
    match lock.acquire().await {
        Err(NotAcquired::Rejected(refused)) => {
            assert_eq!(refused.kind, RejectionKind::Other);
            assert!(refused.message.contains("leave out the guarantee"), "{refused}");
        }
        reply => panic!("{reply:?}"),
    }
}

/// What a lean lock gives up: a full one would have left a tombstone.
#[tokio::test(start_paused = true)]
async fn a_lean_acquire_that_comes_late_takes_the_lock_for_nobody_until_its_lease_is_over() {
    for (guarantee, comes_back) in [(Guarantee::Lean, true), (Guarantee::Full, false)] {
        let network = Network::new();
        let lease = Duration::from_secs(30);
        let lock = network.lock_with("me", |it| it.guarantee(guarantee).lease(lease));
        network.faults([Fault::Late(Duration::from_secs(5))]);
        assert!(lock.acquire().attempts(1).await.is_err());
        sleep(Duration::from_secs(10)).await;
        let held = network.holder(None).await != Holder::Free;
        assert_eq!(held, comes_back, "{guarantee:?}");
        sleep(lease).await;
        assert_eq!(network.holder(None).await, Holder::Free);
    }
}
