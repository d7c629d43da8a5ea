//! A release that is sent again when its reply is lost, and then deletes the lock of another.
//!
//! `cargo run -p leasehold-sim --features redis --example release_retried`

use std::time::Duration;

use leasehold_sim::cluster::{Cluster, Process, Section, Setup, SimRedis};
use leasehold_sim::faults::Fault;
use redis::{AsyncCommands, RedisResult, Script};

async fn worker(me: Process, section: Section, fixed: bool) {
    let mut redis = me.redis();
    for round in 0..4 {
        let token = format!("{}{round}", me.name());
        let mut set = redis::cmd("SET");
        set.arg("lock:job").arg(&token).arg("NX").arg("PX").arg(10_000);
        if let Ok(Some(_)) = set.query_async::<Option<String>>(&mut redis).await {
            let inside = section.enter(&me);
            me.sleep(Duration::from_millis(50)).await;
            drop(inside);
            while release(&mut redis, &token, fixed).await.is_err() {
                me.sleep(Duration::from_millis(20)).await;
            }
        }
        me.sleep(Duration::from_millis(30)).await;
    }
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
    Cluster::new(build).faults([Fault::ReplyLoss])
}

fn main() {
    let failure = test(false).report(2_000).failure.expect("2,000 schedules find it");
    println!("{failure}");
    test(true).check(2_000);
    println!("With a release that compares: nothing is found in 2,000 schedules.");
}
