//! Notifications of releases in a cluster of a user's own code: what they are good for, and that
//! nobody depends on them.

use std::{
    future::poll_fn,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::Poll,
    time::Duration,
};

use leasehold_core::{Clock, Store, lock::LockKeys};
use leasehold_fake_redis::Resp;
use leasehold_sim::{
    cluster::{Breach, Cluster, Process, Setup},
    faults::Fault,
};

/// Longer than a message there and back, and shorter than a waiter's pause between two tries.
const SOON: u64 = 20_000;

fn millis(length: u64) -> Duration {
    Duration::from_millis(length)
}

/// When the lock was given up last, and whether somebody then had to wait for it for long.
#[derive(Default)]
struct Waits {
    released_at: AtomicU64,
    late: AtomicBool,
    served: AtomicU64,
}

/// Holds the lock for a while under a lease that is longer than the run.
async fn work(me: Process, waits: Arc<Waits>) {
    let lock = me.lock("job").unwrap();
    let waiting = lock.acquire().lease(Duration::from_secs(60)).within(Duration::from_secs(60));
    let Ok(mut lease) = waiting.await else { return };
    let now = me.clock().now().as_micros();
    let released_at = waits.released_at.swap(0, Ordering::Relaxed);
    if released_at > 0 && now - released_at > SOON {
        waits.late.store(true, Ordering::Relaxed);
    }
    waits.served.fetch_add(1, Ordering::Relaxed);
    me.sleep(millis(137)).await;
    if lease.release().await.is_ok() {
        waits.released_at.store(me.clock().now().as_micros(), Ordering::Relaxed);
    }
}

fn workers(cluster: &mut Setup) -> Arc<Waits> {
    let waits = Arc::new(Waits::default());
    for _ in 0..3 {
        let waits = waits.clone();
        cluster.process(move |me| work(me, waits.clone()));
    }
    waits
}

#[test]
fn a_waiter_is_woken_by_a_notification_before_it_would_look_again() {
    let cluster = Cluster::new(|cluster| {
        let waits = workers(cluster);
        let served = waits.clone();
        cluster.always("whoever waits is served soon", move || !waits.late.load(Ordering::Relaxed));
        cluster.eventually("all are served", move || served.served.load(Ordering::Relaxed) == 3);
    });
    cluster.check(200);
}

/// Whoever is late under `fault` without being told so, in its story.
fn stories_of_the_late(fault: Fault) -> Vec<String> {
    let cluster = Cluster::new(|cluster| {
        let waits = workers(cluster);
        cluster.always("whoever waits is served soon", move || !waits.late.load(Ordering::Relaxed));
    });
    let cluster = cluster.faults([fault]);
    let stories = (0..400).filter_map(|schedule| cluster.run(schedule).err());
    stories.map(|failure| failure.to_string()).collect()
}

#[test]
fn a_notification_that_is_lost_only_delays() {
    for fault in [Fault::Partition, Fault::ReplyLoss, Fault::Hang] {
        let stories = stories_of_the_late(fault);
        let lost = |story: &String| story.contains("a notification of ");
        assert!(stories.iter().any(lost), "{}: {} were late", fault.name(), stories.len());
        let cluster = Cluster::new(|cluster| {
            let waits = workers(cluster);
            let late = waits.clone();
            cluster.sometimes("somebody waits long", move || late.late.load(Ordering::Relaxed));
            // A release whose reply was lost too often may leave a lease of a minute behind.
            cluster.sometimes("all are served", move || waits.served.load(Ordering::Relaxed) >= 3);
        });
        cluster.faults([fault]).check(400);
    }
}

/// Waits for nothing but a notification.
async fn listen(me: Process, told: Arc<AtomicU64>) {
    let Some(mut subscription) = me.store().subscribe(&LockKeys::of("job")).await else { return };
    loop {
        subscription.released().await;
        told.fetch_add(1, Ordering::Relaxed);
    }
}

async fn publish(me: Process, published: Arc<AtomicU64>) {
    let redis = me.redis();
    for _ in 0..6 {
        me.sleep(millis(200)).await;
        published.fetch_add(1, Ordering::Relaxed);
        let _unknown = redis.send(&["PUBLISH", &LockKeys::of("job").channel(), ""]).await;
    }
}

fn told_of_what_is_published(faults: &[Fault], schedules: u64) -> Option<Breach> {
    let cluster = Cluster::new(|cluster| {
        let told = Arc::new(AtomicU64::new(0));
        let published = Arc::new(AtomicU64::new(0));
        let (listens, publishes) = (told.clone(), published.clone());
        cluster.service(move |me| listen(me, listens.clone()));
        cluster.process(move |me| publish(me, publishes.clone()));
        let counts = move || [&told, &published].map(|count| count.load(Ordering::Relaxed));
        let at_the_end = counts.clone();
        cluster.always("no more than was published", move || counts()[0] <= counts()[1]);
        cluster.eventually("all of it", move || {
            let [told, published] = at_the_end();
            published >= 6 && told == published
        });
    });
    let report = cluster.faults(faults.iter().copied()).report(schedules);
    report.failure.map(|failure| failure.breach().clone())
}

#[test]
fn what_a_process_publishes_by_itself_reaches_who_subscribed() {
    assert_eq!(told_of_what_is_published(&[], 50), None);
}

#[test]
fn a_server_or_a_process_that_starts_over_has_forgotten_the_subscription() {
    let missing = Some(Breach::Eventually("all of it".into()));
    // A process of a new life subscribes again, and misses what came before.
    for fault in [Fault::Restart, Fault::Failover, Fault::ClientCrash] {
        let cluster = told_of_what_is_published(&[fault], 400);
        assert_eq!(cluster, missing, "{}", fault.name());
    }
}

#[test]
fn whoever_waits_for_nothing_but_a_notification_is_stuck() {
    let cluster = Cluster::new(|cluster| {
        cluster.process(|me| listen(me, Arc::default()));
    });
    let failure = cluster.report(1).failure.expect("nobody tells it anything");
    assert_eq!(failure.breach(), &Breach::Stuck("A".into()));
}

#[test]
fn a_process_that_stands_still_is_told_once_it_goes_on() {
    let cluster = Cluster::new(|cluster| {
        let waits = workers(cluster);
        let served = waits.clone();
        cluster.sometimes("somebody waits long", move || waits.late.load(Ordering::Relaxed));
        cluster.eventually("all are served", move || served.served.load(Ordering::Relaxed) == 3);
    });
    cluster.faults([Fault::ClientPause]).check(300);
}

/// Goes away from subscribing before its request arrives, and asks who is subscribed once it must have.
async fn hang_up(me: Process, listeners: Arc<AtomicU64>) {
    let (store, keys) = (me.store(), LockKeys::of("job"));
    let mut subscribing = Box::pin(store.subscribe(&keys));
    poll_fn(|context| {
        let _ = subscribing.as_mut().poll(context);
        Poll::Ready(())
    })
    .await;
    me.sleep(Duration::ZERO).await;
    drop(subscribing);
    me.sleep(millis(100)).await;
    let told = me.redis().send(&["PUBSUB", "NUMSUB", &keys.channel()]).await.unwrap();
    let Resp::Array(told) = told else { panic!("{told:?}") };
    let [_, Resp::Integer(count)] = told[..] else { panic!("{told:?}") };
    listeners.store(count as u64, Ordering::Relaxed);
}

#[test]
fn who_has_gone_away_from_subscribing_is_not_subscribed() {
    let cluster = Cluster::new(|cluster| {
        let listeners = Arc::new(AtomicU64::new(u64::MAX));
        let counts = listeners.clone();
        cluster.process(move |me| hang_up(me, counts.clone()));
        cluster.eventually("nobody listens", move || listeners.load(Ordering::Relaxed) == 0);
    });
    cluster.check(20);
}
