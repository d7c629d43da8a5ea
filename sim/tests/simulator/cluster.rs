//! Users' own code in the simulated cluster.

#![allow(clippy::future_not_send, reason = "a generic future is Send if its store and clock are")]

use std::{
    panic::{self, AssertUnwindSafe},
    sync::{Arc, Mutex},
    time::Duration,
};

use leasehold_core::{Clock, Fence, FencedResource, lock::Lock};
use leasehold_sim::{
    cluster::{Breach, Cluster, Failure, Process, Setup},
    faults::Fault,
};

/// What the jobs protect: it takes every write.
#[derive(Default)]
struct SharedHistory(Mutex<Vec<Fence>>);

impl SharedHistory {
    fn write(&self, fence: Fence) {
        self.0.lock().unwrap().push(fence);
    }

    fn is_ordered(&self) -> bool {
        self.0.lock().unwrap().is_sorted()
    }

    fn writes(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

/// A job, written against any store and clock, by an author who forgot the fence.
async fn job(lock: Lock, clock: impl Clock, me: Process, shared: Arc<SharedHistory>) {
    for _ in 0..3 {
        if let Ok(mut lease) = lock.acquire().await {
            let (fence, shared) = (lease.fence(), shared.clone());
            if lease.ensure(Duration::from_millis(100)).is_ok() {
                let _unknown = me.remote(move || shared.write(fence)).await;
            }
            let _best_effort = lease.release().await;
        }
        clock.sleep_until(clock.now() + Duration::from_millis(200)).await;
    }
}

fn jobs(cluster: &mut Setup) {
    let shared = Arc::new(SharedHistory::default());
    for _ in 0..3 {
        let shared = shared.clone();
        cluster.process(move |me| job(me.lock("job").unwrap(), me.clock(), me, shared.clone()));
    }
    let (ordered, twice) = (shared.clone(), shared);
    cluster.always("no older write after a newer one", move || ordered.is_ordered());
    cluster.sometimes("two writes", move || twice.writes() > 1);
}

fn failure(cluster: &Cluster, schedules: u64) -> Failure {
    cluster.report(schedules).failure.expect("the fault is found")
}

#[test]
fn what_holds_without_faults_is_not_reported() {
    Cluster::new(jobs).check(200);
}

#[test]
fn a_forgotten_fence_is_caught_with_a_short_story() {
    let failure = failure(&Cluster::new(jobs).faults([Fault::ClientPause, Fault::Failover]), 2_000);
    assert_eq!(failure.breach(), &Breach::Always("no older write after a newer one".into()));
    assert!(failure.decisions().len() <= 4, "{failure}");
}

#[test]
fn the_same_job_with_its_fence_holds() {
    let cluster = Cluster::new(|cluster| {
        let shared = Arc::new(Mutex::new(FencedResource::new(0)));
        let order = Arc::new(SharedHistory::default());
        for _ in 0..3 {
            let (shared, order) = (shared.clone(), order.clone());
            cluster.process(move |me| fenced(me, shared.clone(), order.clone()));
        }
        let twice = order.clone();
        cluster.always("no older write after a newer one", move || order.is_ordered());
        cluster.sometimes("two writes", move || twice.writes() > 1);
    });
    cluster.faults([Fault::ClientPause, Fault::Failover]).check(500);
}

async fn fenced(me: Process, shared: Arc<Mutex<FencedResource<u32>>>, order: Arc<SharedHistory>) {
    let lock = me.lock("job").unwrap();
    for _ in 0..3 {
        if let Ok(mut lease) = lock.acquire().await {
            let (fence, shared, order) = (lease.fence(), shared.clone(), order.clone());
            let write = move || {
                let written = shared.lock().unwrap().write(fence, |value| *value += 1);
                written.map(|()| order.write(fence))
            };
            let _unknown = me.remote(write).await;
            let _best_effort = lease.release().await;
        }
        me.sleep(Duration::from_millis(200)).await;
    }
}

#[test]
fn a_failing_run_can_be_run_again_by_its_word() {
    let cluster = Cluster::new(jobs).faults([Fault::ClientPause, Fault::Failover]);
    let failure = failure(&cluster, 2_000);
    let replayed = panic::catch_unwind(AssertUnwindSafe(|| cluster.replay(&failure.token())));
    let text = *replayed.unwrap_err().downcast::<String>().unwrap();
    assert_eq!(text, failure.to_string());
    assert!(text.contains("stands still"), "{text}");
}

#[test]
fn a_failing_run_is_kept_and_run_first_from_then_on() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("jobs.regressions");
    let cluster =
        Cluster::new(jobs).faults([Fault::ClientPause, Fault::Failover]).regressions(&file);
    let check = |schedules| {
        let checked = panic::catch_unwind(AssertUnwindSafe(|| cluster.check(schedules)));
        *checked.unwrap_err().downcast::<String>().unwrap()
    };
    assert!(check(2_000).contains("is kept in"));
    let kept = std::fs::read_to_string(&file).unwrap();
    assert!(kept.starts_with('#') && kept.contains("\nlc1_"), "{kept}");
    // No new schedule is needed to find it again.
    assert!(check(0).starts_with("a regression of"));
}
