//! A future may be dropped at any await: nothing is forgotten, and it is cleaned up.

use std::{convert::Infallible, future::IntoFuture, time::Duration};

use crate::network::{Fault, Network};
use leasehold_core::{
    Token,
    lock::{Guarantee, Holder, Lock, NotAcquired, Released},
};

fn cuts() -> impl Iterator<Item = Duration> {
    (0..600).map(Duration::from_millis)
}

/// Nothing is under the key but what the lock says, and the lock works as before.
async fn nothing_is_forgotten(network: &Network, lock: &Lock) {
    network.heal();
    network.settle().await;
    if let Holder::Other { .. } = network.holder(None).await {
        let in_flight = lock.in_flight().expect("the lock knows what it left");
        assert!(matches!(network.holder(Some(in_flight.as_str())).await, Holder::Us { .. }));
    }
    let mut lease = lock.acquire().await.expect("what was left does not stand in the way");
    assert_eq!(lock.in_flight(), None);
    assert_eq!(lease.release().await, Ok(Released::Released));
    network.settle().await;
    assert_eq!(network.holder(None).await, Holder::Free);
}

#[tokio::test(start_paused = true)]
async fn an_acquire_dropped_anywhere_leaves_nothing_behind() {
    use Fault::*;
    let late = Late(Duration::from_millis(70));
    let weather: [&[Fault]; 7] = [
        &[],
        &[LoseReply],
        &[LoseRequest],
        &[NotSent, LoseReply],
        &[LoseReply, LoseReply, LoseRequest],
        &[late],
        &[LoseReply, NotSent, NotSent, NotSent],
    ];
    let (mut dropped, mut in_flight) = (0, 0);
    for faults in weather {
        for cut in cuts() {
            let network = Network::new();
            network.faults(faults.iter().copied());
            let lock = network.lock("me");
            match tokio::time::timeout(cut, lock.acquire()).await {
                Ok(Ok(mut lease)) => assert_eq!(lease.release().await, Ok(Released::Released)),
                Ok(Err(error)) => assert!(matches!(error, NotAcquired::Unknown(_)), "{error:?}"),
                Err(_) => {
                    dropped += 1;
                    in_flight += usize::from(lock.in_flight().is_some());
                }
            }
            nothing_is_forgotten(&network, &lock).await;
        }
    }
    assert!(dropped > 500 && in_flight > 300, "{dropped} {in_flight}");
}

#[tokio::test(start_paused = true)]
async fn an_acquire_dropped_while_another_holds_leaves_the_other_alone() {
    for cut in cuts().take(300) {
        let network = Network::new();
        let mut other = network.lock("other").acquire().await.unwrap();
        let lock = network.lock("me");
        let _ = tokio::time::timeout(cut, lock.acquire()).await;
        network.settle().await;
        let token = other.token().as_str().to_owned();
        assert!(matches!(network.holder(Some(&token)).await, Holder::Us { .. }));
        assert_eq!(other.release().await, Ok(Released::Released));
        nothing_is_forgotten(&network, &lock).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_release_dropped_anywhere_can_be_made_again() {
    for faults in [&[][..], &[Fault::LoseReply], &[Fault::LoseRequest, Fault::NotSent]] {
        for cut in cuts().take(300) {
            let (network, lock) = Network::with_lock();
            let mut lease = lock.acquire().await.unwrap();
            network.faults(faults.iter().copied());
            if tokio::time::timeout(cut, lease.release()).await.is_err() {
                assert_eq!(lease.in_flight(), Some(lease.token()));
            }
            assert!(lease.ensure(Duration::ZERO).is_err(), "over for its holder at once");
            network.heal();
            assert_eq!(lease.release().await, Ok(Released::Released));
            assert_eq!(lease.in_flight(), None);
            assert_eq!(network.holder(None).await, Holder::Free);
            assert_eq!(lease.release().await, Ok(Released::Released));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_extension_dropped_anywhere_can_be_made_again() {
    for cut in cuts().take(20) {
        let mut lease = Network::new().lock("me").acquire().await.unwrap();
        let before = lease.deadline();
        let by = Duration::from_secs(5);
        if tokio::time::timeout(cut, lease.extend(by)).await.is_err() {
            assert_eq!(lease.deadline(), before, "an answer that nobody saw counts for nothing");
        }
        assert!(lease.extend(by).await.unwrap() > before);
        assert_eq!(lease.release().await, Ok(Released::Released));
    }
}

#[tokio::test(start_paused = true)]
async fn a_hold_dropped_anywhere_leaves_nothing_behind() {
    let mut held = 0;
    for cut in (0..2_600).step_by(7).map(Duration::from_millis) {
        let (network, lock) = Network::with_lock();
        let work = lock.acquire().hold(async |_| {
            tokio::time::sleep(Duration::from_millis(2_500)).await;
            Ok::<_, Infallible>(())
        });
        let _ = tokio::time::timeout(cut, work).await;
        held += usize::from(network.holder(None).await != Holder::Free);
        network.settle().await;
        let left = lock.in_flight().is_some();
        assert_eq!(left, network.holder(None).await != Holder::Free, "dropped after {cut:?}");
        nothing_is_forgotten(&network, &lock).await;
    }
    assert!(held > 300, "{held}");
}

#[tokio::test(start_paused = true)]
async fn a_dropped_acquire_is_given_back_though_nothing_else_is_asked_of_the_handle() {
    let mut in_flight = 0;
    for cut in cuts().take(20) {
        let (network, lock) = Network::with_lock();
        let Err(_) = tokio::time::timeout(cut, lock.acquire()).await else { continue };
        in_flight += usize::from(lock.in_flight().is_some());
        network.settle().await;
        assert_eq!((lock.in_flight(), network.holder(None).await), (None, Holder::Free), "{cut:?}");
    }
    assert!(in_flight > 5, "{in_flight}");
}

#[tokio::test(start_paused = true)]
async fn a_call_after_a_dropped_one_begins_by_cleaning_up() {
    let lock = Network::new().lock("me");
    assert!(tokio::time::timeout(Duration::from_millis(7), lock.acquire()).await.is_err());
    let mut lease = lock.acquire().attempts(1).await.expect("its own try is not in its way");
    assert_eq!(lease.release().await, Ok(Released::Released));
}

/// The call that comes after it may ask for the same token: the release must not come after that.
#[tokio::test(start_paused = true)]
async fn what_is_given_back_in_the_background_is_never_a_lease_that_was_handed_out() {
    for guarantee in [Guarantee::Full, Guarantee::Lean] {
        for late in (0..100).step_by(5).map(Duration::from_millis) {
            let network = Network::new();
            let lock = network.lock_with("me", |options| options.guarantee(guarantee));
            let token = Token::new("brought along").unwrap();
            let call = lock.acquire().token(token.clone());
            assert!(tokio::time::timeout(Duration::from_millis(7), call).await.is_err());
            // The release in the background is late, or sent again.
            network.faults([Fault::Late(late), Fault::NotSent]);
            tokio::time::sleep(Duration::from_millis(3)).await;
            network.heal();
            let lease = lock.acquire().token(token).await;
            tokio::time::sleep(Duration::from_millis(200)).await;
            if let Ok(lease) = lease {
                let holder = network.holder(Some(lease.token().as_str())).await;
                assert!(matches!(holder, Holder::Us { .. }), "{guarantee:?}, {late:?}: {holder:?}");
            }
        }
    }
}

/// The doubt is the next call's, and the dropped one's try must not wait for that.
#[tokio::test(start_paused = true)]
async fn a_dropped_acquire_is_given_back_though_another_call_ended_in_doubt() {
    let (network, lock) = Network::with_lock();
    // The first is never applied, the second is, and nobody is answered.
    network.faults([Fault::LoseRequest; 50]);
    let second = async {
        tokio::time::sleep(Duration::from_millis(101)).await;
        network.faults([Fault::LoseReply].into_iter().chain([Fault::LoseRequest; 50]));
        lock.acquire().await
    };
    tokio::select! {
        failed = async { lock.acquire().attempts(1).await } => {
            assert!(matches!(failed, Err(NotAcquired::Unknown(_))), "{failed:?}");
        }
        other = second => panic!("it began later, and is no sooner over: {other:?}"),
    }
    assert!(matches!(network.holder(None).await, Holder::Other { .. }));
    network.heal();
    network.settle().await;
    assert_eq!(network.holder(None).await, Holder::Free);
    assert!(lock.in_flight().is_some(), "the doubt is left to the next call");
}

#[tokio::test(start_paused = true)]
async fn what_is_being_given_back_is_in_flight_until_it_is() {
    let (network, lock) = Network::with_lock();
    assert!(tokio::time::timeout(Duration::from_millis(7), lock.acquire()).await.is_err());
    tokio::task::yield_now().await;
    assert!(lock.in_flight().is_some(), "the release is under way");
    lock.clear().await.unwrap();
    assert_eq!((lock.in_flight(), network.holder(None).await), (None, Holder::Free));
}

#[tokio::test(start_paused = true)]
async fn clearing_takes_out_what_a_call_that_ended_in_doubt_left() {
    let (network, lock) = Network::with_lock();
    network.faults([Fault::LoseReply].into_iter().chain([Fault::LoseRequest; 9]));
    let failed = lock.acquire().attempts(1).await;
    assert!(matches!(failed, Err(NotAcquired::Unknown(_))), "{failed:?}");
    network.heal();
    network.settle().await;
    let left = lock.in_flight().expect("who is told of the doubt decides what comes next");
    assert!(matches!(network.holder(Some(left.as_str())).await, Holder::Us { .. }));
    lock.clear().await.unwrap();
    assert_eq!((lock.in_flight(), network.holder(None).await), (None, Holder::Free));
    lock.clear().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn every_future_can_be_sent_to_another_thread() {
    fn sent<F: Future + Send>(future: F) -> F {
        future
    }
    let lock = Network::new().lock("me");
    let mut lease = sent(lock.acquire().into_future()).await.unwrap();
    sent(lease.extend(Duration::from_secs(1))).await.unwrap();
    sent(lease.status()).await.unwrap();
    sent(lease.release()).await.unwrap();
    sent(lease.lost()).await;
    sent(lock.status()).await.unwrap();
    let work = async move {
        lock.acquire().hold(async |held| Ok::<_, Infallible>(held.fence())).await.unwrap();
    };
    tokio::spawn(work).await.unwrap();
}
