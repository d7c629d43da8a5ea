//! A job runner whose author forgot the fence: caught. With the fence: nothing is found.
//!
//! `cargo run -p leasehold-sim --example forgotten_fence`

use std::sync::{Arc, Mutex};

use leasehold_core::{Fence, FencedResource};
use leasehold_sim::{
    cluster::{Cluster, Process},
    faults::Fault,
};

/// What the jobs write to: the fences of the writes that it took.
type Database = Arc<Mutex<FencedResource<Vec<Fence>>>>;

/// Runs three jobs under the lock. Without the fence, the database takes whatever comes.
async fn run_jobs(me: Process, database: Database, shows_fence: bool) {
    let lock = me.lock("nightly").expect("the id is not empty");
    for _ in 0..3 {
        let Ok(mut lease) = lock.acquire().await else { continue };
        let (fence, database) = (lease.fence(), database.clone());
        let write = move || {
            let shown = if shows_fence { fence } else { Fence(u64::MAX) };
            let mut database = database.lock().expect("no writer panics");
            let _refused = database.write(shown, |taken| taken.push(fence));
        };
        let _unknown = me.remote(write).await;
        let _best_effort = lease.release().await;
    }
}

/// Three runners, one database, paused processes and failovers.
fn runners(show_fence: bool) -> Cluster {
    Cluster::new(move |cluster| {
        let database = Database::new(Mutex::new(FencedResource::new(Vec::new())));
        for _ in 0..3 {
            let database = database.clone();
            cluster.process(move |me| run_jobs(me, database.clone(), show_fence));
        }
        let in_order = move || database.lock().expect("no writer panics").value().is_sorted();
        cluster.always("no older write after a newer one", in_order);
    })
    .faults([Fault::ClientPause, Fault::Failover])
}

/// Prints how it is caught, and checks the fix.
pub(crate) fn main() {
    let failure = runners(false).report(2_000).failure.expect("a paused runner writes late");
    println!("Without the fence:\n{failure}");
    assert!(failure.decisions().len() <= 4, "the story is short");
    runners(true).replay(&failure.token());
    runners(true).check(2_000);
    println!("With it, that run is well, and so are 2000 others.");
}
