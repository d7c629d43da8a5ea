//! Users' own code in the simulated cluster.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use leasehold_core::{Clock, Fence, Store, lock::Lock};
use leasehold_sim::{
    cluster::{Breach, Cluster, Failure, Process, Setup},
    faults::Fault,
};

/// What the jobs protect: it takes every write.
#[derive(Default)]
struct Ledger(Mutex<Vec<Fence>>);

impl Ledger {
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
async fn job<S, C>(store: S, clock: C, me: Process, ledger: Arc<Ledger>)
where
    S: Store + Clone,
    C: Clock + Clone,
{
    let mut lock = Lock::with_clock(store, clock.clone(), "job").unwrap();
    for _ in 0..3 {
        if let Ok(mut lease) = lock.acquire().await {
            let (fence, ledger) = (lease.fence(), ledger.clone());
            if lease.ensure(Duration::from_millis(100)).is_ok() {
                let _unknown = me.remote(move || ledger.write(fence)).await;
            }
            let _best_effort = lease.release().await;
        }
        clock.sleep_until(clock.now() + Duration::from_millis(200)).await;
    }
}

fn jobs(cluster: &mut Setup) {
    let ledger = Arc::new(Ledger::default());
    for _ in 0..3 {
        let ledger = ledger.clone();
        cluster.process(move |me| job(me.store(), me.clock(), me, ledger.clone()));
    }
    let (ordered, twice) = (ledger.clone(), ledger);
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
    println!("{failure}");
}
