//! Leases that count only once replicas have them.

use std::time::Duration;

use leasehold_core::lock::{Durability, ExtendError, Lock, LockOptions, NotAcquired};
use leasehold_upstash::{RetryPolicy, Tcp};

use crate::{
    LIFE,
    fake::{Adapter, Fake, LIMIT},
    on_both,
};

const LAG: Duration = Duration::from_millis(5);

/// A server with so many replicas that have each write after so long.
async fn replicated(replicas: usize, lag: Duration) -> Fake {
    let fake = Fake::start().await;
    let lag_us = u64::try_from(lag.as_micros()).unwrap();
    fake.host.with_server(|server| server.set_replicas(replicas, lag_us));
    fake
}

fn lock<S: Adapter>(fake: &Fake, durability: Durability) -> Lock {
    let options = LockOptions::new()
        .lease(Duration::from_secs(20))
        .attempts(1)
        .call_timeout(LIMIT)
        .request_life(Duration::from_millis(LIFE))
        .fence_life(Duration::from_millis(LIFE))
        .durability(durability);
    Lock::with_options(S::of(fake, RetryPolicy::new().retries(0)), "job", &options).unwrap()
}

async fn a_lease_says_how_many_replicas_have_it<S: Adapter>() {
    for (durability, acknowledged) in [
        (Durability::Primary, 0),
        (Durability::Replicas(1), 2),
        (Durability::Replicas(2), 2),
        (Durability::Majority { replicas: 2 }, 2),
    ] {
        let fake = replicated(2, LAG).await;
        let lock = lock::<S>(&fake, durability);
        let mut lease = fake.while_time_passes(lock.acquire()).await.unwrap();
        // All replicas of the fake are alike.
        assert_eq!(lease.replicas(), acknowledged, "{durability:?}");
        let before = lease.deadline();
        fake.while_time_passes(lease.extend(Duration::from_secs(60))).await.unwrap();
        assert!(lease.deadline() > before);
        lease.release().await.unwrap();
        fake.assert_empty_after(Duration::from_millis(LIFE + 1));
    }
}

async fn a_grant_on_too_few_replicas_is_released_again<S: Adapter>() {
    let (slow, durability) = (Duration::from_secs(60), Durability::Replicas(2));
    for (replicas, lag, got) in [(0, LAG, 0), (1, LAG, 1), (2, slow, 0)] {
        let fake = replicated(replicas, lag).await;
        let lock = lock::<S>(&fake, durability);
        let refused = fake.while_time_passes(lock.acquire()).await.map(drop);
        assert_eq!(refused, Err(NotAcquired::NotDurable { wanted: 2, got }), "{replicas}");
        assert!(!fake.exists("job"));
        fake.assert_empty_after(Duration::from_millis(LIFE + 1));
    }
}

async fn an_extension_on_too_few_replicas_leaves_the_old_deadline<S: Adapter>() {
    let fake = replicated(1, LAG).await;
    let lock = lock::<S>(&fake, Durability::Replicas(1));
    let mut lease = fake.while_time_passes(lock.acquire()).await.unwrap();
    let before = lease.deadline();
    fake.host.with_server(|server| server.set_replicas(0, 0));
    let extended = fake.while_time_passes(lease.extend(Duration::from_secs(60))).await;
    assert!(matches!(extended, Err(ExtendError::Unknown(_))), "{extended:?}");
    assert_eq!(lease.deadline(), before);
}

async fn a_reply_of_the_replicas_that_is_lost_does_not_count<S: Adapter>() {
    let fake = replicated(1, LAG).await;
    fake.fault("reply-loss command=WAIT next=1");
    let lock = lock::<S>(&fake, Durability::Replicas(1));
    let refused = fake.while_time_passes(lock.acquire()).await.map(drop);
    assert!(matches!(refused, Err(NotAcquired::Unavailable(_))), "{refused:?}");
    assert_eq!(fake.effective(), 1);
    assert!(!fake.exists("job"));
}

/// What the old primary granted, the new one cannot confirm.
#[tokio::test]
async fn a_failover_after_the_grant_is_noticed_over_tcp() {
    let fake = replicated(1, Duration::from_secs(60)).await;
    fake.fault("failover command=EVAL lose=1m next=1");
    let lock = lock::<Tcp>(&fake, Durability::Replicas(1));
    let refused = fake.while_time_passes(lock.acquire()).await.map(drop);
    assert!(matches!(refused, Err(NotAcquired::Unavailable(_))), "{refused:?}");
    assert_eq!(fake.effective(), 1);
}

on_both! {
    a_lease_says_how_many_replicas_have_it
    a_grant_on_too_few_replicas_is_released_again
    an_extension_on_too_few_replicas_leaves_the_old_deadline
    a_reply_of_the_replicas_that_is_lost_does_not_count
}
