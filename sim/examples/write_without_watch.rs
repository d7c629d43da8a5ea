//! A number that is read, increased and written back: two may hand out the same one.
//!
//! `cargo run -p leasehold-sim --features redis --example write_without_watch`

use leasehold_sim::cluster::{Cluster, Once, Process, SimRedis};
use redis::{AsyncCommands, RedisResult};

async fn worker(me: Process, numbers: Once, fixed: bool) {
    let mut redis = me.redis();
    for _ in 0..3 {
        if let Ok(Some(number)) = next(&mut redis, fixed).await {
            numbers.happened(number);
        }
        me.sleep(std::time::Duration::from_millis(10)).await;
    }
}

async fn next(redis: &mut SimRedis, fixed: bool) -> RedisResult<Option<u64>> {
    if fixed {
        let _: () = redis::cmd("WATCH").arg("last").query_async(redis).await?;
    }
    let last: Option<u64> = redis.get("last").await?;
    let next = last.unwrap_or(0) + 1;
    if !fixed {
        let _: () = redis.set("last", next).await?;
        return Ok(Some(next));
    }
    let mut write = redis::pipe();
    let written: Option<()> = write.atomic().set("last", next).ignore().query_async(redis).await?;
    Ok(written.map(|()| next))
}

/// The test of the code with the bug, or without.
pub fn test(fixed: bool) -> Cluster {
    Cluster::new(move |cluster| {
        let numbers = cluster.at_most_once("a number is handed out");
        for _ in 0..2 {
            let numbers = numbers.clone();
            cluster.process(move |me| worker(me, numbers.clone(), fixed));
        }
    })
}

fn main() {
    let failure = test(false).report(2_000).failure.expect("2,000 schedules find it");
    println!("{failure}");
    test(true).check(2_000);
    println!("With `WATCH`: nothing is found in 2,000 schedules.");
}
