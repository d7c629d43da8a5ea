//! A rate limiter whose request is sent again when its reply is lost, and counts twice.
//!
//! `cargo run -p leasehold-sim --features redis --example limit_counts_twice`

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use leasehold_sim::cluster::{Cluster, Process, Setup, SimRedis};
use leasehold_sim::faults::Fault;
use redis::{AsyncCommands, RedisResult};

const LIMIT: u64 = 5;

/// Asks as often as it may.
async fn caller(me: Process, refused: Arc<AtomicBool>, fixed: bool) {
    let mut redis = me.redis();
    for call in 0..LIMIT {
        let count = loop {
            match count(&me, &mut redis, call, fixed).await {
                Ok(count) => break count,
                Err(_) => me.sleep(Duration::from_millis(20)).await,
            }
        };
        refused.fetch_or(count > LIMIT, Ordering::Relaxed);
    }
}

/// How many calls there were, with this one.
async fn count(me: &Process, redis: &mut SimRedis, call: u64, fixed: bool) -> RedisResult<u64> {
    let key = format!("calls:{}", me.name());
    if fixed {
        // The call has a name, so that it counts once.
        let (_, count): (u64, u64) =
            redis::pipe().sadd(&key, call).scard(&key).query_async(redis).await?;
        return Ok(count);
    }
    redis.incr(&key, 1).await
}

/// The test of the code with the bug, or without.
pub fn test(fixed: bool) -> Cluster {
    let build = move |cluster: &mut Setup| {
        let refused = Arc::new(AtomicBool::new(false));
        let seen = refused.clone();
        cluster.process(move |me| caller(me, refused.clone(), fixed));
        cluster.always("nobody is refused within the limit", move || !seen.load(Ordering::Relaxed));
    };
    Cluster::new(build).faults([Fault::ReplyLoss])
}

fn main() {
    let failure = test(false).report(2_000).failure.expect("2,000 schedules find it");
    println!("{failure}");
    test(true).check(2_000);
    println!("With calls that have names: nothing is found in 2,000 schedules.");
}
