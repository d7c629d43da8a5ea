//! A lock that is set by one command and given an end by another: who dies in between locks for ever.
//!
//! `cargo run -p leasehold-sim --features redis --example expire_after_setnx`

use leasehold_sim::cluster::{Cluster, Process, Setup, SimRedis};
use leasehold_sim::faults::Fault;
use redis::{AsyncCommands, RedisResult};

async fn worker(me: Process, fixed: bool) {
    let mut redis = me.redis();
    for _ in 0..3 {
        if let Ok(true) = acquire(&mut redis, fixed).await {
            let _unknown: RedisResult<()> = redis.del("lock:job").await;
        }
        me.sleep(std::time::Duration::from_millis(100)).await;
    }
}

async fn acquire(redis: &mut SimRedis, fixed: bool) -> RedisResult<bool> {
    if fixed {
        let mut set = redis::cmd("SET");
        set.arg("lock:job").arg("x").arg("NX").arg("PX").arg(1_000);
        return Ok(set.query_async::<Option<String>>(redis).await?.is_some());
    }
    let ours: bool = redis.set_nx("lock:job", "x").await?;
    if ours {
        let _: () = redis.pexpire("lock:job", 1_000).await?;
    }
    Ok(ours)
}

/// The test of the code with the bug, or without.
pub fn test(fixed: bool) -> Cluster {
    let build = move |cluster: &mut Setup| {
        for _ in 0..2 {
            cluster.process(move |me| worker(me, fixed));
        }
        cluster.eventually_gone("lock:*");
    };
    Cluster::new(build).faults([Fault::ClientCrash])
}

fn main() {
    let failure = test(false).report(2_000).failure.expect("2,000 schedules find it");
    println!("{failure}");
    test(true).check(2_000);
    println!("With `SET … NX PX`: nothing is found in 2,000 schedules.");
}
