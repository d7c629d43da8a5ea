//! A lease that ends before the work does, now and then.
//!
//! `cargo run -p leasehold-sim --features redis --example lease_shorter_than_work`

use std::time::Duration;

use leasehold_sim::cluster::{Cluster, Process, Section, SimRedis};
use redis::{RedisResult, Script};

const LEASE: u64 = 150;
const RENEW: &str = "if redis.call('GET', KEYS[1]) == ARGV[1] then \
                     return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end return 0";

async fn worker(me: Process, section: Section, fixed: bool) {
    let mut redis = me.redis();
    let token = me.name();
    for _ in 0..3 {
        let mut set = redis::cmd("SET");
        set.arg("lock:job").arg(&token).arg("NX").arg("PX").arg(LEASE);
        if let Some(Some(_)) = in_time(&me, set.query_async::<Option<String>>(&mut redis)).await {
            let inside = section.enter(&me);
            for _ in 0..me.choose(5).await {
                me.sleep(Duration::from_millis(50)).await;
                if fixed && !renew(&me, &mut redis, &token).await {
                    break;
                }
            }
            drop(inside);
        }
        me.sleep(Duration::from_millis(LEASE)).await;
    }
}

/// Whether the lease is ours for another step.
async fn renew(me: &Process, redis: &mut SimRedis, token: &str) -> bool {
    let script = Script::new(RENEW);
    let mut renewal = script.key("lock:job");
    renewal.arg(token).arg(LEASE);
    in_time(me, renewal.invoke_async(redis)).await == Some(1)
}

/// An answer that came so soon that the lease still lasts for a step.
async fn in_time<T>(me: &Process, answer: impl Future<Output = RedisResult<T>>) -> Option<T> {
    me.timeout(Duration::from_millis(50), answer).await.ok()?.ok()
}

/// The test of the code with the bug, or without.
pub fn test(fixed: bool) -> Cluster {
    Cluster::new(move |cluster| {
        let section = cluster.mutex("job");
        for _ in 0..2 {
            let section = section.clone();
            cluster.process(move |me| worker(me, section.clone(), fixed));
        }
    })
}

fn main() {
    let failure = test(false).report(2_000).failure.expect("2,000 schedules find it");
    println!("{failure}");
    test(true).check(2_000);
    println!("With a renewal after each step: nothing is found in 2,000 schedules.");
}
