//! A lock whose release deletes whatever is there: by then it may be the lock of another.
//!
//! `cargo run -p leasehold-sim --features redis --example delete_without_compare`

use std::time::Duration;

use leasehold_core::Clock;
use leasehold_sim::cluster::{Cluster, Process, Section, Setup, SimRedis};
use leasehold_sim::faults::Fault;
use redis::{AsyncCommands, RedisResult, Script};

const LEASE: u64 = 300;
const WORK: u64 = 50;

async fn worker(me: Process, section: Section, fixed: bool) {
    let mut redis = me.redis();
    for round in 0..4 {
        let token = format!("{}{round}", me.name());
        if acquire(&me, &mut redis, &token).await.unwrap_or(false) {
            let inside = section.enter(&me);
            me.sleep(Duration::from_millis(WORK)).await;
            drop(inside);
        }
        let _unknown = release(&mut redis, &token, fixed).await;
        me.sleep(Duration::from_millis(100)).await;
    }
}

/// Whether the lock is ours for as long as the work takes.
async fn acquire(me: &Process, redis: &mut SimRedis, token: &str) -> RedisResult<bool> {
    let asked = me.clock().now();
    let set: Option<String> = redis::cmd("SET")
        .arg("lock:job")
        .arg(token)
        .arg("NX")
        .arg("PX")
        .arg(LEASE)
        .query_async(redis)
        .await?;
    let took = me.clock().now().since(asked);
    Ok(set.is_some() && took < Duration::from_millis(LEASE - 2 * WORK))
}

async fn release(redis: &mut SimRedis, token: &str, fixed: bool) -> RedisResult<()> {
    if fixed {
        let ours =
            "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end";
        return Script::new(ours).key("lock:job").arg(token).invoke_async(redis).await;
    }
    redis.del("lock:job").await
}

/// The test of the code with the bug, or without.
pub fn test(fixed: bool) -> Cluster {
    let build = move |cluster: &mut Setup| {
        let section = cluster.mutex("job");
        for _ in 0..3 {
            let section = section.clone();
            cluster.process(move |me| worker(me, section.clone(), fixed));
        }
    };
    Cluster::new(build).faults([Fault::Latency])
}

fn main() {
    let failure = test(false).report(2_000).failure.expect("2,000 schedules find it");
    println!("{failure}");
    test(true).check(2_000);
    println!("With a release that compares: nothing is found in 2,000 schedules.");
}
