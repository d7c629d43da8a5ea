//! What code may do inside of the simulation, and what is found out when it does something else.

use std::{
    cell::Cell,
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    task::Poll,
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use futures::{
    FutureExt, SinkExt, StreamExt, channel::mpsc, join, select_biased, stream::FuturesUnordered,
};
use leasehold_core::{Clock, lock::LockOptions};
use leasehold_sim::{
    cluster::{Breach, Cluster, Process, RemoteError},
    faults::Fault,
};

/// What a campaign of so many schedules finds of one process.
fn breach<F>(schedules: u64, run: impl Fn(Process) -> F + Clone + 'static) -> Option<Breach>
where
    F: Future + 'static,
{
    let cluster = Cluster::new(move |cluster| cluster.process(run.clone()));
    cluster.report(schedules).failure.map(|failure| failure.breach().clone())
}

fn millis(length: u64) -> Duration {
    Duration::from_millis(length)
}

#[test]
fn several_calls_may_be_under_way_at_once() {
    let run = async |me: Process| {
        let started = me.clock().now();
        let ask = |number| me.remote(move || number);
        let (one, two) = join!(ask(1), ask(2));
        assert_eq!((one, two), (Ok(1), Ok(2)));
        let asked: FuturesUnordered<_> = (0..5).map(ask).collect();
        let mut answers: Vec<_> = asked.map(Result::unwrap).collect().await;
        answers.sort_unstable();
        assert_eq!(answers, [0, 1, 2, 3, 4]);
        assert!(me.clock().now().since(started) < millis(20), "one after the other");
    };
    assert_eq!(breach(20, run), None);
}

#[test]
fn select_takes_what_is_ready_first() {
    let run = async |me: Process| {
        let first = select_biased! {
            () = me.sleep(millis(30)).fuse() => "late",
            () = me.sleep(millis(20)).fuse() => "early",
        };
        assert_eq!(first, "early");
    };
    assert_eq!(breach(20, run), None);
}

#[test]
fn channels_carry_between_tasks_and_processes() {
    let cluster = Cluster::new(|cluster| {
        let (sender, receiver) = mpsc::channel(1);
        let (receiver, total) = (Arc::new(Mutex::new(Some(receiver))), Arc::new(AtomicU64::new(0)));
        cluster.process(move |me| {
            let mut sender = sender.clone();
            async move {
                for number in 1..=4 {
                    me.sleep(millis(10)).await;
                    sender.send(number).await.unwrap();
                }
            }
        });
        let sum = total.clone();
        cluster.service(move |me| {
            let mut receiver = receiver.lock().unwrap().take().unwrap();
            let sum = sum.clone();
            async move {
                while let Some(number) = receiver.next().await {
                    let sum = sum.clone();
                    me.spawn(async move {
                        sum.fetch_add(number, Ordering::Relaxed);
                    });
                }
            }
        });
        cluster.eventually("all was received", move || total.load(Ordering::Relaxed) == 10);
    });
    cluster.check(20);
}

#[test]
fn which_of_two_ready_tasks_goes_first_is_left_to_chance() {
    let cluster = Cluster::new(|cluster| {
        let order = Arc::new(Mutex::new(Vec::new()));
        let (seen, again) = (order.clone(), order.clone());
        cluster.process(move |me| {
            for number in 0..2 {
                let order = order.clone();
                me.spawn(async move { order.lock().unwrap().push(number) });
            }
            async move { me.sleep(millis(1)).await }
        });
        cluster.sometimes("in order", move || *seen.lock().unwrap() == [0, 1]);
        cluster.sometimes("out of order", move || *again.lock().unwrap() == [1, 0]);
    });
    cluster.check(50);
}

#[test]
fn a_crash_drops_the_futures_and_starts_anew() {
    let cluster = Cluster::new(|cluster| {
        let lives = Arc::new(AtomicU64::new(0));
        let (seen, again) = (lives.clone(), lives.clone());
        cluster.process(move |me| {
            let lives = lives.clone();
            async move {
                lives.fetch_max(u64::from(me.life()), Ordering::Relaxed);
                let options = LockOptions::new().lease(millis(400));
                let lock = me.lock_with("job", &options).unwrap();
                let _lease = lock.acquire().await;
                me.sleep(millis(100)).await;
            }
        });
        cluster.sometimes("a second life", move || seen.load(Ordering::Relaxed) > 0);
        cluster.always("no tenth life", move || again.load(Ordering::Relaxed) < 10);
    });
    cluster.faults([Fault::ClientCrash]).check(400);
}

#[test]
fn a_process_that_crashes_hundreds_of_times_takes_its_lock_in_each_life() {
    let cluster = Cluster::new(|cluster| {
        let lives = Arc::new(AtomicU64::new(0));
        let seen = lives.clone();
        cluster.service(move |me| {
            let lives = lives.clone();
            async move {
                let lock = me.lock_with("job", &LockOptions::new().lease(millis(10))).unwrap();
                loop {
                    if let Ok(mut lease) = lock.acquire().await {
                        lives.fetch_max(u64::from(me.life()), Ordering::Relaxed);
                        let _unknown = lease.release().await;
                    }
                }
            }
        });
        cluster.sometimes("the 300th life", move || seen.load(Ordering::Relaxed) >= 300);
    });
    let lasting = Duration::from_secs(600);
    cluster.faults([Fault::ClientCrash]).lasting(lasting, millis(100)).check(2);
}

#[test]
fn a_cancelled_process_runs_its_destructors_and_starts_anew_in_the_same_life() {
    struct Begun(Arc<AtomicU64>);
    impl Drop for Begun {
        fn drop(&mut self) {
            self.0.fetch_sub(1, Ordering::Relaxed);
        }
    }
    let cluster = Cluster::new(|cluster| {
        let (open, starts, done) =
            (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let (now, again, whole) = (open.clone(), starts.clone(), done.clone());
        cluster.process(move |me| {
            starts.fetch_add(1, Ordering::Relaxed);
            let (open, done) = (open.clone(), done.clone());
            async move {
                assert_eq!(me.life(), 0);
                open.fetch_add(1, Ordering::Relaxed);
                let _begun = Begun(open);
                let lock = me.lock("job").unwrap();
                let lease = lock.acquire().await;
                // It goes on although the main task may be dropped.
                let after = done.clone();
                me.spawn(async move {
                    after.fetch_add(1, Ordering::Relaxed);
                });
                me.sleep(millis(50)).await;
                drop(lease);
            }
        });
        cluster.always("one at a time", move || now.load(Ordering::Relaxed) <= 1);
        cluster.sometimes("a third start", move || again.load(Ordering::Relaxed) > 2);
        cluster.eventually("all is done", move || whole.load(Ordering::Relaxed) > 0);
    });
    cluster.faults([Fault::Cancellation]).check(400);
}

#[test]
fn what_a_dropped_future_leaves_half_done_is_found() {
    let cluster = Cluster::new(|cluster| {
        let half = Arc::new(AtomicU64::new(0));
        cluster.process(move |me| {
            let half = half.clone();
            async move {
                assert_eq!(half.swap(1, Ordering::Relaxed), 0, "somebody left it half done");
                me.sleep(millis(10)).await;
                half.store(0, Ordering::Relaxed);
            }
        });
    });
    cluster.check(20);
    let cluster = cluster.faults([Fault::Cancellation]);
    let failure = cluster.report(200).failure.expect("it is dropped in its sleep");
    assert!(failure.to_string().contains("process A drops the future"), "{failure}");
    assert_eq!(failure.decisions().len(), 1, "{failure}");
}

#[test]
fn a_remote_call_may_be_lost_late_or_carried_out_twice() {
    let cluster = Cluster::new(|cluster| {
        let (done, told) = (Arc::new(AtomicU64::new(0)), Arc::new(Mutex::new(None)));
        let (count, result) = (done.clone(), told.clone());
        cluster.process(move |me| {
            let (done, told) = (done.clone(), told.clone());
            async move {
                let answer = me.remote(move || done.fetch_add(1, Ordering::Relaxed)).await;
                *told.lock().unwrap() = Some(answer);
            }
        });
        let is = move |times, answer: fn(&Result<u64, RemoteError>) -> bool| {
            let (count, result) = (count.clone(), result.clone());
            move || {
                let told = result.lock().unwrap();
                count.load(Ordering::Relaxed) == times && told.as_ref().is_some_and(answer)
            }
        };
        cluster.sometimes("once", is(1, |told| *told == Ok(0)));
        cluster.sometimes("twice", is(2, |told| told.is_ok()));
        cluster.sometimes("lost", is(0, |told| *told == Err(RemoteError::Broken)));
        cluster.sometimes("done, not told", is(1, |told| *told == Err(RemoteError::Broken)));
        cluster.sometimes("silence", is(0, |told| *told == Err(RemoteError::TimedOut)));
    });
    let faults = [Fault::Duplicate, Fault::RequestLoss, Fault::ReplyLoss, Fault::Partition];
    cluster.faults(faults).check(2_000);
}

#[test]
fn a_panic_is_a_finding() {
    let found = breach(1, async |me: Process| assert!(me.index() > 0, "told so"));
    let Some(Breach::Panicked(text)) = found else { panic!("{found:?}") };
    assert!(text.contains("told so") && text.contains("cluster_code.rs"), "{text}");
}

#[test]
fn who_waits_for_nothing_that_is_known_is_stuck() {
    let found = breach(1, async |_me| futures::future::pending::<()>().await);
    assert_eq!(found, Some(Breach::Stuck("A".into())));
}

#[test]
fn who_does_things_for_ever_at_one_instant_spins() {
    let found = breach(1, async |me: Process| {
        loop {
            me.clock().sleep_until(me.clock().now()).await;
        }
    });
    assert!(
        matches!(&found, Some(Breach::Panicked(text)) if text.contains("it spins")),
        "{found:?}"
    );
}

#[test]
fn a_thread_that_wakes_a_process_is_found() {
    let cluster = Cluster::new(|cluster| {
        cluster.process(async |_me| {
            let mut woken = false;
            let woken_by_a_thread = futures::future::poll_fn(|context| {
                if std::mem::replace(&mut woken, true) {
                    return Poll::Ready(());
                }
                let waker = context.waker().clone();
                thread::spawn(move || waker.wake()).join().unwrap();
                Poll::Pending
            });
            woken_by_a_thread.await;
        });
    });
    let failure = cluster.run(0).unwrap_err();
    assert_eq!(failure.breach(), &Breach::WokenFromOutside("A".into()));
}

#[test]
fn a_look_at_the_wall_clock_that_matters_is_found() {
    let found = breach(4, async |me: Process| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        me.sleep(Duration::from_micros(u64::from(now.subsec_nanos()) % 1_000_003)).await;
    });
    assert_eq!(found, Some(Breach::NotRepeatable));
}

#[test]
fn the_order_of_a_hash_map_that_matters_is_found() {
    let found = breach(4, async |me: Process| {
        let lengths: HashMap<u64, u64> = (0..50).map(|number| (number, number)).collect();
        for length in lengths.into_values().take(5) {
            me.sleep(Duration::from_micros(length)).await;
        }
    });
    assert_eq!(found, Some(Breach::NotRepeatable));
}

#[cfg(target_os = "linux")]
#[test]
fn a_real_sleep_is_found() {
    let found = breach(1, async |me: Process| {
        me.sleep(millis(1)).await;
        thread::sleep(Duration::from_millis(1));
    });
    assert_eq!(found, Some(Breach::Waits));
    assert_eq!(breach(40, async |me: Process| me.sleep(millis(1)).await), None);
}

#[test]
#[should_panic(expected = "this was never so: it is Sunday")]
fn a_situation_that_never_occurs_fails_the_check() {
    Cluster::new(|cluster| {
        cluster.process(async |me| me.sleep(millis(1)).await);
        cluster.sometimes("it is Sunday", || false);
    })
    .check(10);
}

#[test]
#[should_panic(expected = "the fault `failover` changed nothing")]
fn a_fault_that_never_effectivees_fails_the_check() {
    Cluster::new(|cluster| cluster.process(async |me| me.sleep(millis(1)).await))
        .faults([Fault::Failover])
        .check(10);
}

#[test]
fn what_does_not_come_about_after_healing_is_found() {
    let cluster = Cluster::new(|cluster| {
        cluster.process(async |me| me.sleep(millis(1)).await);
        cluster.eventually("it is Sunday", || false);
    });
    let failure = cluster.report(1).failure.unwrap();
    assert_eq!(failure.breach(), &Breach::Eventually("it is Sunday".into()));
    assert!(failure.decisions().is_empty(), "{failure}");
}

#[test]
fn the_same_seed_gives_the_same_tokens_and_choices() {
    thread_local! { static SEEN: Cell<u64> = const { Cell::new(0) }; }
    let cluster = Cluster::new(|cluster| {
        cluster.process(async |me: Process| {
            let lock = me.lock("job").unwrap();
            let lease = lock.acquire().await.unwrap();
            let token = lease.token().as_str().len() as u64;
            SEEN.set(SEEN.get() * 31 + token + u64::from(me.choose(1_000).await));
        });
    });
    let mut runs = (0..2).map(|_| {
        SEEN.set(0);
        (0..5).for_each(|schedule| cluster.run(schedule).unwrap());
        SEEN.get()
    });
    assert_eq!(runs.next(), runs.next());
}

#[test]
fn who_uses_the_time_of_tokio_is_told_what_to_use() {
    let sleeps = |_: Process| async { tokio::time::sleep(millis(50)).await };
    let times_out = |_: Process| async {
        let never = std::future::pending::<()>();
        let _over = tokio::time::timeout(millis(50), never).await;
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    for in_runtime in [false, true] {
        let _entered = in_runtime.then(|| runtime.enter());
        for breach in [breach(1, sleeps), breach(1, times_out)] {
            let told = breach.expect("it cannot work").to_string();
            for name in ["tokio", "Process::sleep", "Process::timeout"] {
                assert!(told.contains(name), "{in_runtime}: {told}");
            }
        }
    }
}
