//! A waiter is woken by the release, whichever way its store goes, also after its connection broke.

use std::time::Duration;

use leasehold_core::{
    Store, Subscription,
    lock::{Lock, LockKeys, LockOptions},
};
use leasehold_fake_redis::{Resp, serve::faults::ServerEventKind};
use leasehold_upstash::{RetryPolicy, Tcp, Upstash};
use tokio::time::timeout;

use crate::{
    acquire,
    fake::{Adapter, Fake, LIMIT, until},
    on_both, release,
};

const LONG: Duration = Duration::from_secs(3600);

/// A lock that looks by itself only after hours.
fn lock<S: Adapter>(fake: &Fake) -> Lock {
    let store = S::of(fake, RetryPolicy::default());
    let options = LockOptions::new().lease(LONG).delay(LONG);
    Lock::with_options(store, "job", &options).unwrap()
}

/// How many tries of an acquire the server has seen.
fn tries(fake: &Fake) -> usize {
    let requests = fake.host.requests();
    let commands = requests.iter().flat_map(|request| &request.commands);
    commands.filter(|command| command.keys.iter().any(|key| key.contains("fence"))).count()
}

async fn a_waiter_is_woken_by_the_release<S: Adapter>() {
    let fake = Fake::start().await;
    fake.host.keep_records();
    // The holder by the other way, to show that it does not matter.
    let holder = lock::<Tcp>(&fake);
    let mut lease = holder.acquire().await.unwrap();
    let before = tries(&fake);
    let waiter = tokio::spawn(async move {
        let waiter = lock::<S>(&fake);
        let waiting = async { waiter.acquire().within(LONG).await.map(drop) };
        let releasing = async {
            // One that found it busy, and, the subscription being in place, another.
            until(|| tries(&fake) >= before + 2).await;
            lease.release().await.unwrap();
        };
        tokio::join!(waiting, releasing).0
    });
    timeout(LIMIT, waiter).await.expect("a notification").unwrap().unwrap();
}

/// The next notification. One that never comes is a failure, not a test without end.
async fn notified(subscription: &mut Subscription) {
    timeout(LIMIT, subscription.released()).await.expect("a notification");
}

async fn a_watch_outlives_its_connection<S: Adapter>() {
    let fake = Fake::start().await;
    let store = S::of(&fake, RetryPolicy::default());
    let keys = LockKeys::of("job");
    let mut subscription = store.subscribe(&keys).await.unwrap();
    fake.host.trigger(ServerEventKind::Failover { lose: Duration::ZERO }, Duration::ZERO).await;
    notified(&mut subscription).await;
    let listeners = || fake.run(&["PUBSUB", "NUMSUB", &keys.channel()]);
    let one = Resp::Array(vec![Resp::Bulk(keys.channel().into()), Resp::Integer(1)]);
    assert_eq!(listeners(), one, "a notification after a break means that it listens again");
    store.execute(acquire("job", "a.1#1")).await.unwrap();
    store.execute(release("job", "a.1#1")).await.unwrap();
    notified(&mut subscription).await;
    drop(subscription);
    let none = Resp::Array(vec![Resp::Bulk(keys.channel().into()), Resp::Integer(0)]);
    until(|| listeners() == none).await;
}

async fn a_subscription_that_is_reset_is_made_again<S: Adapter>() {
    let fake = Fake::start().await;
    fake.fault("reset command=SUBSCRIBE next=1");
    let store = S::of(&fake, RetryPolicy::default());
    let mut subscription = store.subscribe(&LockKeys::of("job")).await.unwrap();
    assert_eq!(fake.effective(), 1);
    store.execute(acquire("job", "a.1#1")).await.unwrap();
    store.execute(release("job", "a.1#1")).await.unwrap();
    notified(&mut subscription).await;
}

async fn without_notifications_there_is_no_subscription_and_the_lock_still_works<S: Adapter>() {
    let fake = Fake::start().await;
    fake.fault("error text=\"NOPERM no channels\" command=SUBSCRIBE transport=resp");
    fake.fault("status code=403 command=SUBSCRIBE");
    let store = S::of(&fake, RetryPolicy::default());
    assert!(store.subscribe(&LockKeys::of("job")).await.is_none());
    assert_eq!(fake.effective(), 1, "it is not asked again");
    let lock = Lock::new(store, "job").unwrap();
    let _ = lock.acquire().within(LONG).await.unwrap();
}

#[tokio::test]
async fn a_wrong_token_hears_nothing() {
    let fake = Fake::start().await;
    let store = Upstash::builder(&fake.rest, "a-wrong-one").build().unwrap();
    assert!(store.subscribe(&LockKeys::of("job")).await.is_none());
    let refused = format!("{:?}", store.execute(acquire("job", "a.1#1")).await.unwrap_err());
    assert!(refused.contains("NotAllowed") && !refused.contains("a-wrong-one"), "{refused}");
}

on_both! {
    a_waiter_is_woken_by_the_release
    a_watch_outlives_its_connection
    a_subscription_that_is_reset_is_made_again
    without_notifications_there_is_no_subscription_and_the_lock_still_works
}
