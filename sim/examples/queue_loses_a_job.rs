//! A queue whose worker takes a job from one list and puts it on another: who dies in between loses it.
//!
//! `cargo run -p leasehold-sim --features redis --example queue_loses_a_job`

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use leasehold_sim::cluster::{Cluster, Process, Setup, SimRedis};
use leasehold_sim::faults::Fault;
use redis::{AsyncCommands, Direction, RedisResult};

const JOBS: usize = 4;

type Done = Arc<Mutex<BTreeSet<String>>>;

fn count(done: &Done) -> usize {
    done.lock().expect("nobody panics").len()
}

async fn producer(me: Process) {
    let mut redis = me.redis();
    let jobs: Vec<usize> = (0..JOBS).collect();
    while redis.lpush::<_, _, ()>("jobs", &jobs).await.is_err() {
        me.sleep(Duration::from_millis(50)).await;
    }
}

async fn worker(me: Process, done: Done, fixed: bool) {
    let mut redis = me.redis();
    let doing = format!("doing:{}", me.name());
    while count(&done) < JOBS {
        if let Ok(Some(job)) = take(&mut redis, &doing, fixed).await {
            me.sleep(Duration::from_millis(20)).await;
            done.lock().expect("nobody panics").insert(job.clone());
            let _unknown: RedisResult<()> = redis.lrem(&doing, 1, &job).await;
        }
        me.sleep(Duration::from_millis(50)).await;
    }
}

async fn take(redis: &mut SimRedis, doing: &str, fixed: bool) -> RedisResult<Option<String>> {
    // What was begun before a crash comes first.
    if let Some(job) = redis.lindex(doing, 0).await? {
        return Ok(Some(job));
    }
    if fixed {
        return redis.lmove("jobs", doing, Direction::Right, Direction::Left).await;
    }
    let job: Option<String> = redis.rpop("jobs", None).await?;
    if let Some(job) = &job {
        let _: () = redis.lpush(doing, job).await?;
    }
    Ok(job)
}

/// The test of the code with the bug, or without.
pub fn test(fixed: bool) -> Cluster {
    let build = move |cluster: &mut Setup| {
        let done = Done::default();
        let all = done.clone();
        cluster.process(producer);
        cluster.process(move |me| worker(me, done.clone(), fixed));
        cluster.eventually("every job is done", move || count(&all) == JOBS);
    };
    Cluster::new(build).faults([Fault::ClientCrash])
}

fn main() {
    let failure = test(false).report(2_000).failure.expect("2,000 schedules find it");
    println!("{failure}");
    test(true).check(2_000);
    println!("With `LMOVE`: nothing is found in 2,000 schedules.");
}
