//! What goes wrong at a server or on the way to it ends in a typed error that tells the truth, or
//! in success after a copy that was safe to send; and nothing is left behind for longer than it
//! may.

use std::time::Duration;

use leasehold_core::{
    Cause, RejectionKind, Reply, StoreError,
    lock::{Lock, LockOptions, LockReply, NotAcquired, Released},
};
use leasehold_upstash::{RetryPolicy, Upstash};

use crate::{
    LIFE, acquire,
    fake::{Adapter, Fake, LIMIT, until},
    on_both, release,
};

/// What a caller that sends once is told of one request with a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    Done,
    NotSent,
    Unknown,
    Rejected(RejectionKind),
}

use Told::{Done, NotSent, Rejected, Unknown};

/// Faults over both ways, and whether the command is applied.
const FAULTS: &[(&str, Told, bool)] = &[
    ("request-loss", Unknown, false),
    ("reply-loss", Unknown, true),
    ("reset", Unknown, false),
    ("reset executed=true", Unknown, true),
    ("error text=LOADING", NotSent, false),
    ("error text=BUSY", NotSent, false),
    ("error text=TRYAGAIN", NotSent, false),
    ("error text=CLUSTERDOWN", NotSent, false),
    ("error text=MASTERDOWN", NotSent, false),
    ("error text=OOM", Rejected(RejectionKind::OutOfMemory), false),
    ("error text=READONLY", Rejected(RejectionKind::ReadOnly), false),
    ("error text=MISCONF", Rejected(RejectionKind::DiskError), false),
    ("error text=\"NOREPLICAS Not enough good replicas to write.\"", NotSent, false),
    ("error text=NOSCRIPT", Done, true),
];

/// What only HTTP can say.
const STATUSES: &[(&str, Told, bool)] = &[
    ("status code=400", Rejected(RejectionKind::Other), false),
    ("status code=401", Rejected(RejectionKind::NotAllowed), false),
    ("status code=403", Rejected(RejectionKind::NotAllowed), false),
    ("status code=408", Unknown, false),
    ("status code=413", Rejected(RejectionKind::Other), false),
    ("status code=429", NotSent, false),
    ("status code=500", Unknown, false),
    ("status code=502 executed=true", Unknown, true),
    ("status code=503", Unknown, false),
    ("status code=504 executed=true", Unknown, true),
];

/// Times between attempts that no test waits for.
fn at_once(retries: u32) -> RetryPolicy {
    let short = Duration::from_millis(1);
    RetryPolicy::new().retries(retries).first_wait(short).longest_wait(short)
}

/// A server that knows the scripts of a lock.
async fn server<S: Adapter>() -> Fake {
    let fake = Fake::start().await;
    let lock = Lock::new(S::of(&fake, RetryPolicy::default()), "another").unwrap();
    let mut lease = lock.acquire().await.unwrap();
    lease.extend(Duration::from_secs(10)).await.unwrap();
    lease.release().await.unwrap();
    fake.run(&["FLUSHALL"]);
    fake
}

fn told(reply: Result<Reply, StoreError>) -> Told {
    match reply {
        Ok(Reply::Lock(LockReply::Acquired { fresh: true, .. })) => Done,
        Err(StoreError::NotSent(_)) => NotSent,
        Err(StoreError::Unknown(_)) => Unknown,
        Err(StoreError::Rejected(refused)) => Rejected(refused.kind),
        other => panic!("{other:?}"),
    }
}

async fn is_told_truly<S: Adapter>(rule: &str, expected: Told, applied: bool) {
    let fake = server::<S>().await;
    fake.fault(&format!("{rule} command=EVALSHA next=1"));
    let store = S::of(&fake, RetryPolicy::new().retries(0));
    assert_eq!(told(store.execute(acquire("job", "a.1#1")).await), expected, "{rule}");
    assert_eq!((fake.effective(), fake.exists("job")), (1, applied), "{rule}");
    // Whatever was told, giving the token up sets it right.
    store.execute(release("job", "a.1#1")).await.unwrap();
    assert_eq!(told(store.execute(acquire("job", "b.1#1")).await), Done, "{rule}");
    store.execute(release("job", "b.1#1")).await.unwrap();
    fake.assert_empty_after(Duration::from_millis(LIFE + 1));
}

async fn one_fault_is_told_truly<S: Adapter>() {
    for (rule, expected, applied) in FAULTS {
        is_told_truly::<S>(rule, *expected, *applied).await;
    }
}

#[tokio::test]
async fn a_status_is_told_truly() {
    for (rule, expected, applied) in STATUSES {
        is_told_truly::<Upstash>(rule, *expected, *applied).await;
    }
}

/// Those of both ways after which a copy may be sent, or for which only the machine can do more.
fn that_pass() -> impl Iterator<Item = &'static str> {
    let rejected = |told: &Told| matches!(told, Rejected(_));
    FAULTS.iter().filter(move |(_, told, _)| !rejected(told)).map(|(rule, ..)| *rule)
}

async fn a_lock_gets_over_one_fault_at_any_point<S: Adapter>() {
    for retries in [0, 2] {
        for rule in that_pass() {
            for faulty in 0..3 {
                gets_over::<S>(rule, faulty, at_once(retries)).await;
            }
        }
    }
}

/// Injects the fault into the acquire, the extension or the release.
async fn gets_over<S: Adapter>(rule: &str, faulty: u64, retry: RetryPolicy) {
    let shown = format!("{rule}, request {faulty}, {retry:?}");
    let fake = server::<S>().await;
    let options = LockOptions::new().delay(Duration::from_millis(1));
    let lock = || {
        let store = S::of(&fake, retry.clone());
        Lock::with_options(store, "job", &options).unwrap()
    };
    let (mine, other) = (lock(), lock());
    let inject = |step| {
        if step == faulty {
            fake.fault(&format!("{rule} command=EVALSHA next=1"));
        }
    };
    inject(0);
    let mut lease = mine.acquire().await.expect(&shown);
    inject(1);
    let before = lease.deadline();
    // Without a copy, an extension that got no reply leaves the old deadline standing.
    let extended = lease.extend(Duration::from_secs(60)).await.is_ok();
    assert!(extended || (faulty == 1 && retry == at_once(0)), "{shown}");
    assert_eq!(lease.deadline() > before, extended, "{shown}");
    let busy = other.acquire().attempts(1).await;
    assert!(matches!(busy, Err(NotAcquired::Busy { .. })), "{shown}: {busy:?}");
    inject(2);
    let released = lease.release().await;
    if faulty < 2 || retry != at_once(0) {
        assert_eq!(released, Ok(Released::Released), "{shown}");
    } else if released.is_err() {
        assert_eq!(lease.release().await, Ok(Released::Released), "{shown}: asked again");
    }
    assert_eq!(fake.effective(), 1, "{shown}");
    let _ = other.acquire().attempts(1).await.expect(&shown);
}

async fn a_server_that_hangs_ends_at_the_timeout_and_is_cleaned_up_once_it_is_back<S: Adapter>() {
    for rule in ["hang", "hang executed=true"] {
        let fake = server::<S>().await;
        fake.fault(&format!("{rule} command=EVALSHA"));
        // Less patient than its store, whose connection must not be kept for that.
        let lock = Lock::new(S::of(&fake, at_once(2)), "job").unwrap();
        let call = async {
            let error = lock.acquire().attempts(1).await.map(drop).unwrap_err();
            (error, lock)
        };
        let (error, lock) = after_every_timeout(&fake, call).await;
        let NotAcquired::Unknown(StoreError::Unknown(Cause::TimedOut(_))) = error else {
            panic!("{rule}: {error:?}")
        };
        assert!(lock.in_flight().is_some(), "it knows what it may have left behind");
        assert!(fake.effective() > 0);
        fake.heal();
        lock.clear().await.unwrap();
        assert!(!fake.exists("job"), "{rule}");
        let other = Lock::new(S::of(&fake, at_once(2)), "job").unwrap();
        let _ = other.acquire().attempts(1).await.unwrap();
    }
}

/// Awaits `call` until a fault has taken effect, and then lets every timeout pass at once.
async fn after_every_timeout<T>(fake: &Fake, call: impl Future<Output = T>) -> T {
    let mut call = Box::pin(call);
    tokio::select! {
        _ = &mut call => panic!("it ended before the fault had taken effect"),
        () = until(|| fake.effective() > 0) => {}
    }
    tokio::time::pause();
    let output = call.await;
    // Until the store itself has given its connection up.
    tokio::time::advance(LIMIT).await;
    tokio::time::resume();
    output
}

async fn a_single_hung_command_leaves_the_outcome_unknown<S: Adapter>() {
    let fake = server::<S>().await;
    fake.fault("hang executed=true command=EVALSHA next=1");
    let store = S::of(&fake, RetryPolicy::new().retries(0));
    let reply = after_every_timeout(&fake, store.execute(acquire("job", "a.1#1"))).await;
    assert!(matches!(reply, Err(StoreError::Unknown(Cause::TimedOut(_)))), "{reply:?}");
    store.execute(release("job", "a.1#1")).await.unwrap();
    assert!(!fake.exists("job"));
}

async fn a_late_copy_of_an_acquire_does_not_bring_the_lock_back<S: Adapter>() {
    let fake = server::<S>().await;
    fake.fault("duplicate command=EVALSHA after=1s next=1");
    let lock = Lock::new(S::of(&fake, RetryPolicy::default()), "job").unwrap();
    let mut lease = lock.acquire().await.unwrap();
    assert_eq!(lease.release().await, Ok(Released::Released));
    fake.advance(Duration::from_secs(1));
    until(|| fake.effective() == 1).await;
    assert!(!fake.exists("job"));
}

async fn a_slow_reply_is_waited_for<S: Adapter>() {
    let fake = server::<S>().await;
    fake.fault("latency command=EVALSHA fixed=10s next=1");
    let store = S::of(&fake, RetryPolicy::new().retries(0));
    let slow = async {
        until(|| fake.effective() == 1).await;
        fake.advance(Duration::from_secs(10));
    };
    let (reply, ()) = tokio::join!(store.execute(acquire("job", "a.1#1")), slow);
    assert_eq!(told(reply), Done);
}

async fn a_server_that_lost_its_data_says_so_and_is_found_again<S: Adapter>() {
    let fake = server::<S>().await;
    let lock = Lock::new(S::of(&fake, at_once(2)), "job").unwrap();
    let mut lease = lock.acquire().await.unwrap();
    fake.fault("restart command=EVALSHA next=1");
    // The restart comes right after this one, and ends every connection.
    lease.extend(Duration::from_secs(20)).await.unwrap();
    until(|| !fake.exists("job")).await;
    assert_eq!(lease.release().await, Ok(Released::NotHeld));
    fake.advance(Duration::from_millis(1));
    assert!(lock.acquire().await.unwrap().fence() > lease.fence());
    assert_eq!(fake.effective(), 1);
}

async fn many_callers_on_a_bad_network_each_learn_the_truth<S: Adapter>() {
    let fake = server::<S>().await;
    for rule in ["reply-loss", "request-loss", "reset", "error text=LOADING"] {
        fake.fault(&format!("{rule} command=EVALSHA probability=0.1"));
    }
    // All share a connection, which each fault ends for all.
    let store = S::of(&fake, at_once(1_000));
    let callers: Vec<_> = (0..64).map(|id| tokio::spawn(work(store.clone(), id))).collect();
    for caller in callers {
        caller.await.unwrap();
    }
    assert!(fake.effective() > 10, "{}", fake.effective());
    fake.heal();
    fake.assert_empty_after(Duration::from_millis(LIFE + 1));
}

async fn work<S: Adapter>(store: S, id: usize) {
    let (id, token) = (format!("job-{id}"), format!("{id}.1#1"));
    let reply = store.execute(acquire(&id, &token)).await;
    assert!(matches!(reply, Ok(Reply::Lock(LockReply::Acquired { .. }))), "{reply:?}");
    let reply = store.execute(release(&id, &token)).await;
    assert_eq!(reply, Ok(Reply::Lock(LockReply::Released)));
}

on_both! {
    one_fault_is_told_truly
    a_lock_gets_over_one_fault_at_any_point
    a_server_that_hangs_ends_at_the_timeout_and_is_cleaned_up_once_it_is_back
    a_single_hung_command_leaves_the_outcome_unknown
    a_late_copy_of_an_acquire_does_not_bring_the_lock_back
    a_slow_reply_is_waited_for
    a_server_that_lost_its_data_says_so_and_is_found_again
    many_callers_on_a_bad_network_each_learn_the_truth
}
