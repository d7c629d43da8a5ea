//! The handle: shared, waiting and renewing at once, kept alive, dropped, several at once.

#![allow(clippy::unwrap_used, reason = "for tests only")]

use std::{convert::Infallible, future::pending, time::Duration};

use crate::network::{Fault, Network};
use leasehold_core::{
    Clock, DynStore, MemoryStore, Store, TokioClock,
    lock::{HoldError, Holder, Lock, Locks, LossReason, NoRuntime, NotAcquired, Released},
};
use tokio::{task::JoinSet, time::sleep};

const MINUTE: Duration = Duration::from_secs(60);

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[tokio::test(start_paused = true)]
async fn one_handle_is_shared_by_many_tasks_and_serves_one_at_a_time() {
    let lock = Network::new().lock("me");
    let mut tasks = JoinSet::new();
    for number in 0..20 {
        let lock = lock.clone();
        tasks.spawn(async move {
            let mut lease = lock.acquire().within(MINUTE).await.unwrap();
            let fence = lease.fence();
            sleep(Duration::from_millis(7)).await;
            assert_eq!(lease.release().await, Ok(Released::Released));
            (number, fence)
        });
        sleep(Duration::from_millis(1)).await;
    }
    let mut served = tasks.join_all().await;
    served.sort_by_key(|(_, fence)| *fence);
    assert_eq!(
        served.iter().map(|(number, _)| *number).collect::<Vec<_>>(),
        (0..20).collect::<Vec<_>>()
    );
}

#[tokio::test(start_paused = true)]
async fn a_hold_waits_for_its_turn_and_then_renews() {
    let network = Network::new();
    let mut other = network.lock("other").acquire().await.unwrap();
    let waiting = network.lock("me").acquire().within(MINUTE);
    let held = tokio::spawn(waiting.hold(async |lease| {
        sleep(secs(30)).await;
        Ok::<_, Infallible>(lease.remaining())
    }));
    sleep(secs(1)).await;
    other.release().await.unwrap();
    assert!(held.await.unwrap().unwrap() > secs(1));
    assert_eq!(network.holder(None).await, Holder::Free);
}

#[tokio::test(start_paused = true)]
async fn the_error_of_the_work_comes_out_of_a_hold_and_the_lock_is_released() {
    let network = Network::new();
    let failed = network.lock("me").acquire().hold(async |_| Err::<(), _>("no")).await;
    assert_eq!(failed, Err(HoldError::Failed("no")));
    assert_eq!(network.holder(None).await, Holder::Free);
}

#[tokio::test(start_paused = true)]
async fn a_busy_lock_is_no_error_of_a_try() {
    let network = Network::new();
    let mut lease = network.lock("a").try_acquire().await.unwrap().unwrap();
    assert!(network.lock("b").try_acquire().await.unwrap().is_none());
    lease.release().await.unwrap();
    network.faults([Fault::NotSent; 9]);
    assert!(matches!(network.lock("b").try_acquire().await, Err(NotAcquired::Unavailable(_))));
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_is_kept_alive_outlives_itself_until_it_is_released() {
    let (network, mut lease) = Network::with_lease().await;
    lease.keep_alive().unwrap();
    lease.keep_alive().unwrap();
    sleep(MINUTE).await;
    assert!(lease.remaining() > secs(1));
    lease.extend(secs(10)).await.unwrap();
    assert!(matches!(lease.status().await, Ok(Holder::Us { .. })));
    sleep(MINUTE).await;
    assert!(lease.remaining() > secs(1), "an extension and a question do not end the renewals");
    assert_eq!(lease.release().await, Ok(Released::Released));
    let sent = network.sent().len();
    sleep(MINUTE).await;
    assert_eq!(network.sent().len(), sent, "nothing is renewed any more");
}

#[tokio::test(start_paused = true)]
async fn an_extension_dropped_anywhere_does_not_end_the_renewals() {
    for cut in (0..30).map(Duration::from_millis) {
        let mut lease = Network::new().lock("me").acquire().await.unwrap();
        lease.keep_alive().unwrap();
        let _cut = tokio::time::timeout(cut, lease.extend(secs(1))).await;
        sleep(MINUTE).await;
        assert!(lease.remaining() > secs(1), "cut after {cut:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_the_loss_learns_of_it_at_once() {
    let (network, lock) = Network::with_lock();

    let mut released = lock.acquire().lease(MINUTE).await.unwrap();
    let (view, start) = (released.view(), network.clock.now());
    let waiting = tokio::spawn(async move { view.lost().await });
    sleep(secs(1)).await;
    released.release().await.unwrap();
    waiting.await.unwrap();
    assert!(network.clock.now().since(start) < secs(2), "released");

    let mut kept = lock.acquire().await.unwrap();
    kept.keep_alive().unwrap();
    let mut thief = lock.adopt(kept.token().clone(), kept.fence(), kept.remaining()).unwrap();
    sleep(secs(10)).await;
    thief.release().await.unwrap();
    let start = network.clock.now();
    kept.lost().await;
    assert!(network.clock.now().since(start) <= secs(1) + Duration::from_millis(20), "deleted");

    let mut dropped = Some(lock.acquire().lease(MINUTE).await.unwrap());
    let view = dropped.as_ref().unwrap().view();
    let start = network.clock.now();
    let (_, ()) = tokio::join!(view.lost(), async { drop(dropped.take()) });
    assert_eq!(network.clock.now(), start, "dropped");
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_is_dropped_is_released_in_the_background() {
    for kept_alive in [false, true] {
        let (network, mut lease) = Network::with_lease().await;
        if kept_alive {
            lease.keep_alive().unwrap();
            sleep(secs(10)).await;
        }
        drop(lease);
        network.settle().await;
        assert_eq!(network.holder(None).await, Holder::Free, "kept alive: {kept_alive}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_is_forgotten_stays_until_its_time_is_up() {
    for kept_alive in [false, true] {
        let (network, mut lease) = Network::with_lease().await;
        if kept_alive {
            lease.keep_alive().unwrap();
        }
        lease.forget();
        sleep(secs(2)).await;
        assert_ne!(network.holder(None).await, Holder::Free);
        sleep(secs(2)).await;
        assert_eq!(network.holder(None).await, Holder::Free, "kept alive: {kept_alive}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_dropped_handle_left_is_cleaned_up_in_the_background() {
    let (network, lock) = Network::with_lock();
    let cut = Duration::from_millis(7);
    assert!(tokio::time::timeout(cut, lock.acquire().into_future()).await.is_err());
    drop(lock);
    network.settle().await;
    assert_eq!(network.holder(None).await, Holder::Free);
}

#[tokio::test(start_paused = true)]
async fn a_panic_of_the_work_is_not_lost_when_the_future_is_dropped() {
    let (network, lock) = Network::with_lock();
    let work = lock.acquire().hold(async |_| {
        network.faults([Fault::LoseRequest; 100]);
        sleep(secs(1)).await;
        assert_eq!(1, 2, "the work's own bug");
        Ok::<_, Infallible>(())
    });
    let cut = tokio::time::timeout(Duration::from_millis(1_011), work);
    let caught = futures_catch(cut).await;
    assert!(caught, "the panic came out before the release was answered");
}

/// Whether the future panics.
async fn futures_catch<F: Future>(future: F) -> bool {
    let mut future = std::pin::pin!(future);
    std::future::poll_fn(|context| {
        let poll = std::panic::AssertUnwindSafe(|| future.as_mut().poll(context));
        match std::panic::catch_unwind(poll) {
            Ok(poll) => poll.map(|_| false),
            Err(_) => std::task::Poll::Ready(true),
        }
    })
    .await
}

#[tokio::test(start_paused = true)]
async fn several_locks_are_taken_in_order_all_or_none() {
    let network = Network::new();
    let locks: Locks = network.locks();
    let mut both = locks.all(["b", "a", "b"]).within(MINUTE).await.unwrap();
    assert!(both.get("a").unwrap().fence() < both.get("b").unwrap().fence());
    both.keep_alive().unwrap();
    sleep(MINUTE).await;
    assert!(both.remaining() > secs(1));

    let start = network.clock.now();
    let failed = locks.all(["0", "b"]).within(secs(1)).await.unwrap_err();
    assert_eq!((failed.id.as_str(), network.clock.now().since(start)), ("b", secs(1)));
    assert!(failed.to_string().contains("\"b\""), "{failed}");
    network.settle().await;
    assert!(locks.lock("0").unwrap().try_acquire().await.unwrap().is_some(), "it was given back");
}

#[tokio::test(start_paused = true)]
async fn several_locks_are_lost_with_the_first_of_them() {
    let locks = Locks::new(MemoryStore::new());
    let both = locks.all(["a", "b"]).await.unwrap();
    let (start, clock) = (TokioClock::new().now(), TokioClock::new());
    let remaining = both.remaining();
    both.lost().await;
    assert!(clock.now().since(start) >= remaining);
    assert!(both.get("c").is_none());
}

#[tokio::test(start_paused = true)]
async fn two_who_want_the_same_locks_do_not_wait_for_one_another() {
    let network = Network::new();
    let mut tasks = JoinSet::new();
    for ids in [["a", "b"], ["b", "a"]] {
        let locks = network.locks();
        tasks.spawn(async move {
            for _ in 0..20 {
                let mut both = locks.all(ids).within(MINUTE).await.unwrap();
                both.release().await.unwrap();
            }
        });
    }
    tasks.join_all().await;
}

#[tokio::test(start_paused = true)]
async fn a_store_of_any_kind_is_one_type() {
    let stores: [DynStore; 2] = [Network::new().into_dyn(), MemoryStore::new().into_dyn()];
    for store in stores {
        let lock = Lock::new(store.clone(), "job").unwrap();
        let mut lease = lock.acquire().await.unwrap();
        let waiting = tokio::spawn(lock.acquire().within(MINUTE).into_future());
        sleep(secs(1)).await;
        lease.release_detached().await;
        waiting.await.unwrap().unwrap().release().await.unwrap();
        assert_eq!(format!("{store:?}"), "DynStore { .. }");
    }
}

#[tokio::test(start_paused = true)]
async fn instants_of_two_handles_compare() {
    let network = Network::new();
    let first = network.lock("a").acquire().await.unwrap();
    sleep(secs(1)).await;
    let second = Lock::new(MemoryStore::new(), "b").unwrap().acquire().await.unwrap();
    let apart = second.deadline().since(first.deadline());
    // A lease of 10 s, one second after one of 3 s.
    assert!(apart > secs(7) && apart < secs(9), "{apart:?}");
}

/// A clock that belongs to no runtime.
#[derive(Clone)]
struct Alone(TokioClock);

impl Clock for Alone {
    fn now(&self) -> leasehold_core::Instant {
        self.0.now()
    }

    async fn sleep_until(&self, deadline: leasehold_core::Instant) {
        self.0.sleep_until(deadline).await;
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_runtime_a_dropped_lease_ends_with_its_key_and_a_hold_with_the_next_call() {
    let network = Network::new();
    let lock = network.lock_on("me", Alone(network.clock));
    let mut lease = lock.acquire().await.unwrap();
    assert_eq!(lease.keep_alive(), Err(NoRuntime));
    lease.extend(secs(1)).await.unwrap();
    drop(lease);
    network.settle().await;
    assert_ne!(network.holder(None).await, Holder::Free);
    sleep(secs(5)).await;
    let work = lock.acquire().hold(async |_| pending::<Result<(), Infallible>>().await);
    assert!(tokio::time::timeout(secs(1), work).await.is_err());
    assert!(lock.in_flight().is_some());
    lock.acquire().attempts(1).await.unwrap().forget();
    assert_eq!(lock.in_flight(), None);
}

#[tokio::test(start_paused = true)]
async fn a_kept_lease_that_expires_says_so_though_the_server_hangs() {
    let (network, mut lease) = Network::with_lease().await;
    lease.keep_alive().unwrap();
    network.faults([Fault::LoseRequest; 1_000]);
    let deadline = lease.deadline();
    lease.lost().await;
    assert!(network.clock.now().since(deadline) < Duration::from_millis(2));
    let lost = HoldError::<Infallible>::Lost(LossReason::Expired).to_string();
    assert!(lost.contains("time is up"), "{lost}");
}
