//! Work under a lease, and what a lease tells.

use std::{
    convert::Infallible,
    future::poll_fn,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    task::Poll,
    time::Duration,
};

use crate::network::{Fault, Network};
use leasehold_core::{
    Clock, ConfigError, Instant, MAX_LEASE, StoreError,
    lock::{
        Durability, ExtendError, HoldError, Holder, LeaseView, LockCommand, LossReason,
        NotAcquired, ReleaseError, Released,
    },
};
use tokio::time::sleep;

const FOR_EVER: usize = 1_000;

fn done<T>(result: T) -> Result<T, Infallible> {
    Ok(result)
}

async fn not_started(_: LeaseView) -> Result<(), Infallible> {
    unreachable!("it must not start")
}

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[tokio::test(start_paused = true)]
async fn the_work_goes_on_beyond_the_lease_and_ends_in_a_release() {
    let (network, lock) = Network::with_lock();
    let output = lock
        .acquire()
        .hold(async |held| {
            let first = held.deadline();
            sleep(secs(60)).await;
            assert!(held.deadline() > first + secs(50), "the view follows the renewals");
            held.ensure(secs(1)).unwrap();
            done(held)
        })
        .await;
    assert!(output.unwrap().ensure(Duration::ZERO).is_err(), "a view that is kept sees the end");
    assert_eq!(network.holder(None).await, Holder::Free);
    let renewals = network.sent().into_iter().filter(|c| matches!(c, LockCommand::Extend { .. }));
    assert!((55..=60).contains(&renewals.count()), "one a second");
}

#[tokio::test(start_paused = true)]
async fn work_is_dropped_at_the_local_deadline_though_the_server_hangs() {
    let (network, lock) = Network::with_lock();
    let steps = Arc::new(AtomicU32::new(0));
    let counter = steps.clone();
    let start = network.clock.now();
    let result: Result<(), HoldError<Infallible>> = lock
        .acquire()
        .hold(async |_| {
            network.faults([Fault::LoseRequest; FOR_EVER]);
            loop {
                sleep(Duration::from_millis(100)).await;
                counter.fetch_add(1, Ordering::Relaxed);
            }
        })
        .await;
    assert_eq!(result, Err(HoldError::Lost(LossReason::Expired)));
    let took = network.clock.now().since(start).as_millis();
    assert_eq!(took, 3_000 - 32, "the lease less its margin, told at once");
    assert_eq!(steps.load(Ordering::Relaxed), 29);
    sleep(secs(1)).await;
    let left = lock.in_flight().map(|token| token.as_str().to_owned());
    assert_eq!(left.as_deref(), Some("me.1#1"), "it could not be released in the background");
}

#[tokio::test(start_paused = true)]
async fn work_is_not_polled_once_the_lease_is_over() {
    let lock = Network::new().lock("me");
    let polls = Arc::new(AtomicU32::new(0));
    let counter = polls.clone();
    let mut held = pin!(lock.acquire().hold(async |_| {
        poll_fn(|_| {
            counter.fetch_add(1, Ordering::Relaxed);
            Poll::<Result<(), Infallible>>::Pending
        })
        .await
    }));
    while polls.load(Ordering::Relaxed) == 0 {
        let step = tokio::time::timeout(Duration::from_millis(1), held.as_mut());
        assert!(step.await.is_err(), "the work never ends");
    }
    let before = polls.load(Ordering::Relaxed);
    tokio::time::advance(secs(60)).await;
    assert_eq!(held.await, Err(HoldError::Lost(LossReason::Expired)));
    assert_eq!(polls.load(Ordering::Relaxed), before, "it would act after the deadline");
}

#[tokio::test(start_paused = true)]
async fn a_renewal_that_fails_once_is_no_loss() {
    let (network, lock) = Network::with_lock();
    let work = async |_| {
        for fault in [Fault::NotSent, Fault::LoseReply, Fault::LoseRequest] {
            network.faults([fault]);
            sleep(secs(2)).await;
        }
        done(())
    };
    assert_eq!(lock.acquire().hold(work).await, Ok(()));
}

#[tokio::test(start_paused = true)]
async fn a_capped_hold_ends_with_its_last_lease() {
    let network = Network::new();
    let lock = network.lock_with("me", |options| options.max_renewals(2));
    let result =
        lock.acquire().hold(async |_| std::future::pending::<Result<(), Infallible>>().await).await;
    assert_eq!(result, Err(HoldError::Lost(LossReason::RenewalLimit)));
}

#[tokio::test(start_paused = true)]
async fn work_that_is_not_started_says_why() {
    let network = Network::new();
    let mut other = network.lock("other").acquire().await.unwrap();
    let lock = network.lock("me");
    let busy = lock.acquire().hold(not_started).await;
    assert!(matches!(busy, Err(HoldError::NotAcquired(NotAcquired::Busy { .. }))));
    other.release().await.unwrap();
    network.faults([Fault::NotSent; FOR_EVER]);
    let down = lock.acquire().hold(not_started).await;
    assert!(matches!(down, Err(HoldError::NotAcquired(NotAcquired::Unavailable(_)))));
}

#[tokio::test(start_paused = true)]
async fn a_release_that_fails_does_not_replace_the_result() {
    let (network, lock) = Network::with_lock();
    let work = async |_| {
        network.faults([Fault::NotSent; FOR_EVER]);
        done(7)
    };
    assert_eq!(lock.acquire().hold(work).await, Ok(7));
    sleep(secs(1)).await;
    assert_eq!(lock.in_flight().unwrap().as_str(), "me.1#1");
    network.heal();
    assert!(lock.acquire().await.is_ok(), "the next call cleans up");
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_the_work_releases_the_lock_and_goes_on() {
    let (network, lock) = Network::with_lock();
    let task = tokio::spawn(async move {
        let _ = lock
            .acquire()
            .hold(async |_| {
                sleep(secs(1)).await;
                assert_eq!(1, 2, "the work's own bug");
                done(())
            })
            .await;
    });
    let panic = task.await.unwrap_err().into_panic();
    assert!(panic.downcast_ref::<String>().unwrap().contains("the work's own bug"));
    network.settle().await;
    assert_eq!(network.holder(None).await, Holder::Free);
}

#[tokio::test(start_paused = true)]
async fn work_that_comes_back_after_the_deadline_counts_as_lost() {
    let lock = Network::new().lock("me");
    let work = async |_| {
        // A pause of the whole process, within one poll: nothing else runs meanwhile.
        let mut pause = pin!(tokio::time::advance(secs(5)));
        poll_fn(|context| {
            let _ = pause.as_mut().poll(context);
            Poll::Ready(())
        })
        .await;
        done(())
    };
    assert_eq!(lock.acquire().hold(work).await, Err(HoldError::Lost(LossReason::Expired)));
}

#[tokio::test(start_paused = true)]
async fn a_lease_is_lost_at_its_deadline_though_nobody_answers() {
    let (network, lease) = Network::with_lease().await;
    network.faults([Fault::LoseRequest; FOR_EVER]);
    let deadline = lease.deadline();
    lease.lost().await;
    let late = network.clock.now().since(deadline);
    assert!(network.clock.now() >= deadline && late < Duration::from_millis(2), "{late:?}");
    let over = lease.ensure(Duration::ZERO).unwrap_err();
    assert_eq!(over.remaining, Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_lease_is_extended_by_its_holder_only_while_it_lives() {
    let (network, mut lease) = Network::with_lease().await;
    let before = lease.remaining();
    assert_eq!(lease.extend(secs(10)).await, Ok(lease.deadline()));
    assert!(lease.remaining() > before + secs(9));
    sleep(secs(14)).await;
    assert_eq!(lease.extend(secs(10)).await, Err(ExtendError::Lost(LossReason::Expired)));
    assert_eq!(network.holder(None).await, Holder::Free);
    assert_eq!(lease.release().await, Ok(Released::NotHeld));
    assert_eq!(lease.release().await, Ok(Released::NotHeld));
}

#[tokio::test(start_paused = true)]
async fn a_lease_taken_by_force_is_over_once_the_server_says_so() {
    let lock = Network::new().lock("me");
    let mut lease = lock.acquire().await.unwrap();
    let held = lease.view();
    let mut thief = lock.adopt(lease.token().clone(), lease.fence(), lease.remaining()).unwrap();
    thief.release().await.unwrap();
    assert!(held.ensure(Duration::ZERO).is_ok(), "nobody has asked yet");
    assert_eq!(lease.extend(secs(1)).await, Err(ExtendError::Lost(LossReason::Taken)));
    assert!(held.ensure(Duration::ZERO).is_err());
    assert_eq!(held.deadline(), Instant::ORIGIN);
    held.lost().await;
}

#[tokio::test(start_paused = true)]
async fn extensions_that_cannot_work_are_refused_and_nothing_is_sent() {
    let (network, mut lease) = Network::with_lease().await;
    let sent = network.sent().len();
    let refused = |what| Err(ExtendError::Config(what));
    let zero = ConfigError::Zero { what: "extension" };
    let long = ConfigError::TooLong { what: "extension" };
    assert_eq!(lease.extend(Duration::ZERO).await, refused(zero));
    assert_eq!(lease.extend(Duration::MAX).await, refused(long.clone()));
    assert_eq!(lease.extend(MAX_LEASE).await, refused(long), "the sum is too long");
    assert_eq!(network.sent().len(), sent);
}

#[tokio::test(start_paused = true)]
async fn an_acquire_that_cannot_work_is_refused_and_nothing_is_sent() {
    let (network, lock) = Network::with_lock();
    let refused = lock.acquire().lease(Duration::ZERO);
    let zero = NotAcquired::Config(ConfigError::Zero { what: "lease" });
    assert_eq!(refused.clone().await.unwrap_err(), zero);
    assert_eq!(refused.hold(not_started).await, Err(HoldError::NotAcquired(zero)));
    let token = leasehold_core::Token::new("theirs").unwrap();
    let adopted = lock.adopt(token, leasehold_core::Fence(1), Duration::from_millis(2));
    assert!(matches!(adopted, Err(ConfigError::LeaseTooShort { .. })));
    assert!(network.sent().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_lease_handed_to_another_process_is_released_there() {
    let (network, lease) = Network::with_lease().await;
    let mut theirs = network
        .lock("them")
        .adopt(lease.token().clone(), lease.fence(), lease.remaining())
        .unwrap();
    assert_eq!(theirs.fence(), lease.fence());
    assert!(theirs.deadline() < lease.deadline());
    theirs.extend(secs(1)).await.unwrap();
    assert!(matches!(theirs.status().await, Ok(Holder::Us { .. })));
    assert_eq!(theirs.release().await, Ok(Released::Released));
    assert_eq!(network.holder(None).await, Holder::Free);
}

#[tokio::test(start_paused = true)]
async fn a_token_of_ones_own_is_stored_and_revoked_by_its_release() {
    let (network, lock) = Network::with_lock();
    let token = leasehold_core::Token::new("12345").unwrap();
    let mut lease = lock.acquire().token(token.clone()).await.unwrap();
    assert!(matches!(network.holder(Some("12345")).await, Holder::Us { .. }));
    assert!(matches!(lease.status().await, Ok(Holder::Us { .. })));
    lease.release().await.unwrap();
    assert_eq!(lock.acquire().token(token).await.unwrap_err(), NotAcquired::Revoked);
}

#[tokio::test(start_paused = true)]
async fn a_second_lease_on_one_token_ends_no_later_than_its_key() {
    let (network, lock) = Network::with_lock();
    let token = leasehold_core::Token::new("shared").unwrap();
    let _first = lock.acquire().token(token.clone()).await.unwrap();
    sleep(secs(2)).await;
    let second = lock.acquire().token(token).await.unwrap();
    sleep(second.remaining() - Duration::from_millis(1)).await;
    assert!(second.ensure(Duration::ZERO).is_ok());
    assert!(matches!(network.holder(Some("shared")).await, Holder::Us { .. }));
}

#[tokio::test(start_paused = true)]
async fn a_lock_of_one_handle_is_busy_for_the_next_and_its_leases_have_their_own_tokens() {
    let (network, lock) = Network::with_lock();
    let mut first = lock.acquire().await.unwrap();
    assert!(matches!(lock.acquire().await, Err(NotAcquired::Busy { remaining: Some(_) })));
    assert!(matches!(lock.status().await, Ok(Holder::Other { .. })));
    assert!(first.ensure(secs(1)).is_ok(), "a failed acquire does not touch the lease");
    sleep(secs(4)).await;
    let second = lock.acquire().await.unwrap();
    assert!(second.fence() > first.fence());
    assert_ne!(first.token(), second.token());
    assert_eq!(first.release().await, Ok(Released::NotHeld));
    assert!(matches!(network.holder(Some(second.token().as_str())).await, Holder::Us { .. }));
}

#[tokio::test(start_paused = true)]
async fn a_late_copy_of_a_cleared_acquire_locks_nothing() {
    let (network, lock) = Network::with_lock();
    network.faults([Fault::Late(secs(1))]);
    let mut lease = lock.acquire().await.unwrap();
    assert_eq!(lease.token().as_str(), "me.1#2");
    lease.release().await.unwrap();
    sleep(secs(2)).await;
    assert_eq!(network.holder(None).await, Holder::Free, "the first attempt has arrived by now");
}

#[tokio::test(start_paused = true)]
async fn a_release_that_is_not_answered_says_so_and_is_made_again() {
    let (network, mut lease) = Network::with_lease().await;
    network.faults([Fault::LoseReply; 3]);
    assert!(matches!(lease.release().await, Err(ReleaseError::Unknown(StoreError::Unknown(_)))));
    assert_eq!(lease.release().await, Ok(Released::Released), "the server remembers");
}

#[tokio::test(start_paused = true)]
async fn a_callers_token_that_ends_like_ours_is_refused_and_nothing_is_sent() {
    let network = Network::new();
    let acquire = |text: &str| {
        let token = leasehold_core::Token::new(text).unwrap();
        let lock = network.lock("me");
        async move { lock.acquire().token(token).await.map(|_| ()) }
    };
    let refused = Err(NotAcquired::Config(ConfigError::NumberedToken));
    assert_eq!(acquire("me.1#7").await, refused);
    assert!(network.sent().is_empty());
    assert_eq!(acquire("job #").await, Ok(()));
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_too_few_replicas_have_is_released_and_told() {
    let network = Network::new();
    let lock =
        network.lock_with("me", |options| options.durability(Durability::Majority { replicas: 2 }));
    let error = lock.acquire().await.unwrap_err();
    assert_eq!(error, NotAcquired::NotDurable { wanted: 1, got: 0 });
    assert_eq!((network.holder(None).await, lock.in_flight()), (Holder::Free, None));
}

#[tokio::test(start_paused = true)]
async fn a_detached_release_is_on_its_way_and_can_be_asked_about() {
    let (network, mut lease) = Network::with_lease().await;
    let start = network.clock.now();
    lease.release_detached().await;
    assert_eq!(network.clock.now(), start, "nothing was awaited");
    assert!(lease.ensure(Duration::ZERO).is_err(), "over for its holder at once");
    assert_eq!(lease.in_flight(), Some(lease.token()));
    network.settle().await;
    assert_eq!(network.holder(None).await, Holder::Free);
    assert_eq!(lease.release().await, Ok(Released::Released));
    let sent = network.sent().len();
    lease.release_detached().await;
    assert_eq!(network.sent().len(), sent, "once it is certain, nothing is sent");
}
