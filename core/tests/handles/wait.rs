//! Waiting for a lock: woken by its release, in line, and by the deadline.

#![allow(clippy::unwrap_used, reason = "for tests only")]

use std::{
    future::IntoFuture,
    sync::{Arc, Mutex},
    time::Duration,
};

use crate::network::{Fault, Network, TRAVEL};
use leasehold_core::{
    Clock, Instant, Tokens,
    lock::{Lease, Lock, LockCommand, LockConfig, LockOptions, NotAcquired, Released},
};
use tokio::{task::JoinSet, time::sleep};

const ROUND_TRIP: Duration = Duration::from_millis(10);
const MINUTE: Duration = Duration::from_secs(60);

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn since(network: &Network, start: Instant) -> Duration {
    network.clock.now().since(start)
}

/// A lock of 30 s leases.
fn patient(network: &Network, owner: &str) -> Lock {
    network.lock_with(owner, |options| options.lease(Duration::from_secs(30)))
}

#[tokio::test(start_paused = true)]
async fn a_release_is_followed_by_the_next_grant_within_two_round_trips() {
    let network = Network::new();
    let mut lease = patient(&network, "a").acquire().await.unwrap();
    let waiter = patient(&network, "b");
    let waiting = tokio::spawn(async move { waiter.acquire().within(MINUTE).await.map(|_| ()) });
    sleep(millis(3_333)).await;
    let start = network.clock.now();
    assert_eq!(lease.release().await, Ok(Released::Released));
    waiting.await.unwrap().unwrap();
    let took = since(&network, start);
    assert!(took <= 2 * ROUND_TRIP, "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_release_between_the_try_and_the_subscription_is_not_missed() {
    for after in 0..60 {
        let network = Network::new();
        let mut lease = patient(&network, "a").acquire().await.unwrap();
        let waiter = patient(&network, "b");
        let waiting =
            tokio::spawn(async move { waiter.acquire().within(MINUTE).await.map(|_| ()) });
        sleep(millis(after)).await;
        let start = network.clock.now();
        lease.release().await.unwrap();
        waiting.await.unwrap().unwrap();
        let took = since(&network, start);
        assert!(took <= 5 * ROUND_TRIP, "released after {after} ms, it took {took:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn if_every_notification_is_lost_a_waiter_looks_by_itself() {
    let network = Network::new();
    network.notifications(false);
    let mut lease = patient(&network, "a").acquire().await.unwrap();
    let waiter = patient(&network, "b");
    let waiting = tokio::spawn(async move { waiter.acquire().within(MINUTE).await.map(|_| ()) });
    sleep(millis(5_000)).await;
    let start = network.clock.now();
    lease.release().await.unwrap();
    waiting.await.unwrap().unwrap();
    assert!(since(&network, start) <= millis(1_500) + 2 * ROUND_TRIP);
}

#[tokio::test(start_paused = true)]
async fn a_holder_that_died_is_followed_when_its_lease_is_over() {
    let network = Network::new();
    let lease = network.lock("a").acquire().await.unwrap();
    let start = network.clock.now();
    let waiter = network.lock("b");
    drop(waiter.acquire().within(MINUTE).await.unwrap());
    let took = since(&network, start);
    assert!(took >= lease.remaining() && took < millis(3_000) + 4 * ROUND_TRIP, "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_wait_ends_by_its_deadline_whatever_the_store_does() {
    use Fault::*;
    let weather: [&[Fault]; 4] = [
        &[],
        &[LoseRequest; 1_000],
        &[NotSent; 1_000],
        &[NotSent, LoseReply, LoseRequest, LoseReply, NotSent, LoseReply, LoseReply, LoseReply],
    ];
    for faults in weather {
        for timeout in (1..400).step_by(13).map(millis) {
            let network = Network::new();
            let _held = patient(&network, "a").acquire().await.unwrap();
            network.faults(faults.iter().copied());
            let lock = patient(&network, "b");
            let start = network.clock.now();
            let error = lock.acquire().within(timeout).await.unwrap_err();
            let took = since(&network, start);
            assert!(took <= timeout + millis(1), "{took:?} instead of {timeout:?}");
            match error {
                NotAcquired::Busy { remaining } => assert!(remaining.is_some()),
                NotAcquired::Unavailable(_) => assert!(lock.in_flight().is_none()),
                NotAcquired::Unknown(_) => assert!(lock.in_flight().is_some()),
                error => panic!("{error:?}"),
            }
        }
    }
}

/// A handle of 30 s leases that stands in line.
fn in_line(locks: &leasehold_core::lock::Locks, owner: &str) -> Lock {
    let options = LockOptions::new().lease(Duration::from_secs(30)).call_timeout(millis(50));
    locks.lock_from_config(LockConfig::new("job", &options).unwrap(), Tokens::of_owner(owner))
}

/// How many commands `waiters` acquisitions cost in all, and in which order they came.
async fn queue_up(waiters: usize) -> (usize, Vec<usize>) {
    let (network, locks) = Network::with_locks();
    let mut first = in_line(&locks, "first").acquire().await.unwrap();
    let order = Arc::new(Mutex::new(Vec::new()));
    let mut tasks = JoinSet::new();
    for number in 0..waiters {
        let (lock, order) = (in_line(&locks, &format!("waiter {number}")), order.clone());
        tasks.spawn(async move {
            let mut lease = lock.acquire().within(10 * MINUTE).await.unwrap();
            order.lock().unwrap().push(number);
            sleep(millis(7)).await;
            lease.release().await.unwrap();
        });
        sleep(millis(3)).await;
    }
    sleep(millis(500)).await;
    let before = network.sent().len();
    first.release().await.unwrap();
    tasks.join_all().await;
    let order = order.lock().unwrap().clone();
    (network.sent().len() - before, order)
}

#[tokio::test(start_paused = true)]
async fn waiters_of_one_process_are_served_in_order_at_a_constant_cost() {
    for waiters in [2, 10, 50] {
        let (commands, order) = queue_up(waiters).await;
        assert_eq!(order, (0..waiters).collect::<Vec<_>>());
        // A try and a release each, and the release that they wait for; after each ninth lease, up
        // to two tries that are busy.
        assert!(commands <= 2 * waiters + 1 + 2 * (waiters / 9), "{commands} for {waiters}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_next_in_the_queue_needs_no_notification_of_a_release_in_its_process() {
    for detached in [false, true] {
        let network = Network::new();
        network.notifications(false);
        let locks = network.locks();
        let mut lease = in_line(&locks, "a").acquire().within(MINUTE).await.unwrap();
        let waiter = in_line(&locks, "b");
        let waiting =
            tokio::spawn(async move { waiter.acquire().within(MINUTE).await.map(Lease::forget) });
        sleep(millis(5_000)).await;
        let (start, sent) = (network.clock.now(), network.sent().len());
        if detached {
            lease.release_detached().await;
        } else {
            lease.release().await.unwrap();
        }
        waiting.await.unwrap().unwrap();
        let round_trips = if detached { 1 } else { 2 };
        assert_eq!(since(&network, start), round_trips * ROUND_TRIP);
        assert_eq!(network.sent().len() - sent, 2, "a release and a try");
    }
}

#[tokio::test(start_paused = true)]
async fn a_lease_keeps_its_place_in_line_as_long_as_it_is_extended_and_no_longer() {
    let (network, locks) = Network::with_locks();
    let mut lease = in_line(&locks, "a").acquire().within(MINUTE).await.unwrap();
    let waiter = in_line(&locks, "b");
    let mut waiting = waiter.acquire().within(millis(35_000)).into_future();
    assert!(tokio::time::timeout(millis(1), &mut waiting).await.is_err());
    lease.extend(Duration::from_secs(30)).await.unwrap();
    let sent = network.sent().len();
    let error = waiting.await.unwrap_err();
    assert_eq!(error, NotAcquired::Busy { remaining: Some(lease.remaining()) });
    assert_eq!(network.sent().len(), sent, "the store was not asked");
    let deadline = lease.deadline();
    // Nobody will ever give it back.
    std::mem::forget(lease);
    drop(waiter.acquire().within(2 * MINUTE).await.unwrap());
    let late = network.clock.now().since(deadline);
    // The key lives longer than the lease, by a hundredth and what the waiter is late.
    assert!(late <= millis(700), "{late:?}");
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_is_dropped_or_not_released_for_sure_leaves_its_place() {
    for released in [false, true] {
        let (network, locks) = Network::with_locks();
        let mut lease = in_line(&locks, "a").acquire().within(MINUTE).await.unwrap();
        let waiter = in_line(&locks, "b");
        let waiting =
            tokio::spawn(async move { waiter.acquire().within(MINUTE).await.map(|_| ()) });
        sleep(millis(100)).await;
        let sent = network.sent().len();
        if released {
            network.faults([Fault::NotSent; 20]);
            lease.release().await.unwrap_err();
            network.faults([]);
        } else {
            drop(lease);
        }
        sleep(ROUND_TRIP).await;
        assert!(network.sent().len() > sent, "the next one tries");
        // Until the key has expired.
        waiting.await.unwrap().unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn waiters_of_another_process_are_served_before_a_long_line_is_over() {
    for detached in [false, true] {
        let network = Network::new();
        let (here, there) = (network.locks(), network.locks());
        let mut first = in_line(&here, "first").acquire().within(MINUTE).await.unwrap();
        let served = Arc::new(Mutex::new(Vec::new()));
        let mut tasks = JoinSet::new();
        for number in 0..31 {
            let other = number == 30;
            let lock = in_line(if other { &there } else { &here }, &format!("{number}"));
            let served = served.clone();
            tasks.spawn(async move {
                let mut lease = lock.acquire().within(10 * MINUTE).await.unwrap();
                served.lock().unwrap().push(other);
                if detached {
                    lease.release_detached().await;
                } else {
                    lease.release().await.unwrap();
                }
            });
        }
        sleep(millis(500)).await;
        first.release().await.unwrap();
        tasks.join_all().await;
        let served = served.lock().unwrap();
        let place = served.iter().position(|other| *other).unwrap();
        assert!(place <= 18, "{place} of {} in the other process's line", served.len());
    }
}

#[tokio::test(start_paused = true)]
async fn notifications_of_hand_overs_in_the_queue_make_nobody_try_for_nothing() {
    let (network, locks) = Network::with_locks();
    let mut held = patient(&network, "another").acquire().await.unwrap();
    let mut tasks = JoinSet::new();
    for number in 0..6 {
        let lock = in_line(&locks, &format!("{number}"));
        tasks.spawn(async move {
            let mut lease = lock.acquire().within(10 * MINUTE).await.unwrap();
            sleep(millis(20)).await;
            lease.release().await.unwrap();
        });
        sleep(millis(1)).await;
    }
    let last = in_line(&locks, "last");
    let last = tokio::spawn(async move { last.acquire().within(10 * MINUTE).await.unwrap() });
    sleep(millis(1)).await;
    let behind = in_line(&locks, "behind");
    let _waiting = tokio::spawn(async move { drop(behind.acquire().within(10 * MINUTE).await) });
    // The first has a subscription by now, and passes it on. Each release is a notification that
    // nobody needs.
    sleep(millis(500)).await;
    held.release().await.unwrap();
    tasks.join_all().await;
    let lease = last.await.unwrap();

    // Another process gives that lease back and takes the lock.
    let (token, fence) = (lease.token().clone(), lease.fence());
    let mut adopted = patient(&network, "b").adopt(token, fence, lease.remaining()).unwrap();
    adopted.release().await.unwrap();
    let _theirs = patient(&network, "c").acquire().await.unwrap();
    let before = network.sent().len();
    lease.forget();
    sleep(millis(400)).await;
    assert_eq!(network.sent().len() - before, 1, "it is busy");
}

#[tokio::test(start_paused = true)]
async fn a_waiter_that_gives_up_leaves_the_line() {
    let (network, locks) = Network::with_locks();
    let mut held = in_line(&locks, "holder").acquire().await.unwrap();
    let (first, second) = (in_line(&locks, "first"), in_line(&locks, "second"));
    let waiting = tokio::spawn(async move { first.acquire().within(MINUTE).await.map(|_| ()) });
    sleep(millis(100)).await;
    let start = network.clock.now();
    let error = second.acquire().within(millis(200)).await.unwrap_err();
    assert_eq!((error, since(&network, start)), (NotAcquired::Queued, millis(200)));
    waiting.abort();
    assert!(waiting.await.unwrap_err().is_cancelled());
    let waiting = tokio::spawn(async move { second.acquire().within(MINUTE).await.map(|_| ()) });
    sleep(millis(100)).await;
    let start = network.clock.now();
    held.release().await.unwrap();
    waiting.await.unwrap().unwrap();
    assert!(since(&network, start) <= 2 * ROUND_TRIP);
}

#[tokio::test(start_paused = true)]
async fn a_waiter_that_is_not_polled_any_more_is_passed() {
    let (network, locks) = Network::with_locks();
    let mut held = in_line(&locks, "holder").acquire().await.unwrap();
    let dead = in_line(&locks, "dead");
    let mut waiting = dead.acquire().within(MINUTE).into_future();
    let polled = tokio::time::timeout(millis(300), &mut waiting).await;
    assert!(polled.is_err(), "first in line, and then left alone");
    let start = network.clock.now();
    held.release().await.unwrap();
    let mut lease = in_line(&locks, "alive").acquire().within(MINUTE).await.unwrap();
    // Its longest pause is 1.5 s, and it has a second's grace.
    let took = since(&network, start);
    assert!(took <= millis(2_500) + 4 * TRAVEL, "{took:?}");
    lease.release().await.unwrap();
    drop(waiting.await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn of_several_processes_each_tries_once_at_a_release() {
    let network = Network::new();
    let mut held = patient(&network, "holder").acquire().await.unwrap();
    let mut tasks = JoinSet::new();
    for process in 0..3 {
        let locks = network.locks();
        for waiter in 0..10 {
            let lock = in_line(&locks, &format!("{process} {waiter}"));
            tasks.spawn(async move {
                let mut lease = lock.acquire().within(10 * MINUTE).await.unwrap();
                lease.release().await.unwrap();
            });
        }
    }
    sleep(millis(500)).await;
    let before = network.sent().len();
    held.release().await.unwrap();
    tasks.join_all().await;
    let sent = network.sent().split_off(before);
    let tries = sent.iter().filter(|sent| matches!(sent, LockCommand::Acquire { .. })).count();
    assert!(tries <= 30 * (1 + 3), "{tries}");
}
