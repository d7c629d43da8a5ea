//! The examples of locks, limits and queues on the crate `redis`: each bug is found, told in a few
//! decisions, and gone with its mend.

#[path = "../../examples/delete_without_compare.rs"]
#[allow(dead_code, unreachable_pub, reason = "a program of its own")]
mod delete_without_compare;
#[path = "../../examples/expire_after_setnx.rs"]
#[allow(dead_code, unreachable_pub, reason = "a program of its own")]
mod expire_after_setnx;
#[path = "../../examples/lease_shorter_than_work.rs"]
#[allow(dead_code, unreachable_pub, reason = "a program of its own")]
mod lease_shorter_than_work;
#[path = "../../examples/limit_counts_twice.rs"]
#[allow(dead_code, unreachable_pub, reason = "a program of its own")]
mod limit_counts_twice;
#[path = "../../examples/queue_loses_a_job.rs"]
#[allow(dead_code, unreachable_pub, reason = "a program of its own")]
mod queue_loses_a_job;
#[path = "../../examples/release_retried.rs"]
#[allow(dead_code, unreachable_pub, reason = "a program of its own")]
mod release_retried;
#[path = "../../examples/write_without_watch.rs"]
#[allow(dead_code, unreachable_pub, reason = "a program of its own")]
mod write_without_watch;

use std::{cell::Cell, rc::Rc, time::Duration};

use crate::effort::effort;
use leasehold_fake_redis::Resp;
use leasehold_sim::{
    cluster::{Breach, Cluster, RedisError},
    faults::Fault,
    world::Topology,
};

fn is_found_and_mended(test: fn(bool) -> Cluster) {
    let failure = test(false).report(2_000).failure.expect("the bug is found");
    assert!(failure.decisions().len() <= 3, "{failure}");
    test(true).check(effort(2_000).into());
}

#[test]
fn delete_without_compare_is_found() {
    is_found_and_mended(delete_without_compare::test);
}

#[test]
fn expire_after_setnx_is_found() {
    is_found_and_mended(expire_after_setnx::test);
}

#[test]
fn lease_shorter_than_work_is_found() {
    is_found_and_mended(lease_shorter_than_work::test);
}

#[test]
fn release_retried_is_found() {
    is_found_and_mended(release_retried::test);
}

#[test]
fn write_without_watch_is_found() {
    is_found_and_mended(write_without_watch::test);
}

#[test]
fn limit_counts_twice_is_found() {
    is_found_and_mended(limit_counts_twice::test);
}

#[test]
fn queue_loses_a_job_is_found() {
    is_found_and_mended(queue_loses_a_job::test);
}

#[test]
fn a_key_that_never_expires_is_noticed() {
    let test = Cluster::new(|cluster| {
        cluster.no_key_without_ttl("lock:*");
        cluster.process(async |me| {
            let _ok = me.redis().send(&["SET", "other", "x"]).await;
            let _ok = me.redis().send(&["SET", "lock:job", "x", "PX", "100"]).await;
            let _ok = me.redis().send(&["PERSIST", "lock:job"]).await;
        });
    });
    let failure = test.report(1).failure.unwrap();
    let name = "no key `lock:*` is without a time to live";
    assert_eq!(failure.breach(), &Breach::Always(name.into()));
    let story: Vec<String> = failure.story().collect();
    assert!(story.last().unwrap().ends_with("A sends PERSIST lock:job"), "{failure}");
}

#[test]
fn each_of_several_servers_is_reached() {
    let test = Cluster::new(|cluster| {
        cluster.process(async |me| {
            let _ok = me.redis_of(1).send(&["SET", "job", "x"]).await;
            assert_eq!(me.redis_of(0).send(&["GET", "job"]).await, Ok(Resp::Nil));
            assert_eq!(me.redis_of(1).send(&["GET", "job"]).await, Ok(Resp::Bulk("x".into())));
        });
    });
    test.topology(Topology::Independent).check(10);
}

#[test]
fn what_a_session_knew_is_forgotten_when_its_server_fails() {
    let test = Cluster::new(|cluster| {
        let (forgotten, kept) = (Rc::new(Cell::new(false)), Rc::new(Cell::new(false)));
        let (lost, saw) = (forgotten.clone(), kept.clone());
        cluster.process(move |me| {
            let (lost, saw) = (lost.clone(), saw.clone());
            async move {
                let redis = me.redis();
                let _ok = redis.send(&["SET", "job", "x"]).await;
                let _queued = redis.send(&["MULTI"]).await;
                let _queued = redis.send(&["PING"]).await;
                match redis.send(&["EXEC"]).await {
                    Ok(Resp::Error(text)) => lost.set(text.starts_with("ERR EXEC without MULTI")),
                    Ok(Resp::Array(_)) => saw.set(true),
                    _ => {}
                }
            }
        });
        cluster.sometimes("a transaction is forgotten", move || forgotten.get());
        cluster.sometimes("a transaction is kept", move || kept.get());
    });
    test.faults([Fault::Restart]).check(200);
}

#[test]
fn a_reply_that_does_not_come_is_not_awaited_for_ever() {
    let test = Cluster::new(|cluster| {
        let unknown = Rc::new(Cell::new(0));
        let counted = unknown.clone();
        cluster.process(move |me| {
            let counted = counted.clone();
            async move {
                let redis = me.redis().response_timeout(Some(Duration::from_millis(50)));
                let answer = redis.send(&["INCR", "n"]).await;
                counted.set(counted.get() + u32::from(answer == Err(RedisError::TimedOut)));
            }
        });
        cluster.sometimes("no reply came in time", move || unknown.get() > 0);
    });
    test.faults([Fault::Hang]).check(200);
}

#[test]
fn a_command_that_would_wait_is_answered_as_if_its_time_were_over() {
    let test = Cluster::new(|cluster| {
        cluster.process(async |me| {
            let redis = me.redis();
            assert_eq!(redis.send(&["BLPOP", "jobs", "0"]).await, Ok(Resp::NilArray));
            assert_eq!(redis.send(&["PING"]).await, Ok(Resp::Simple("PONG".into())));
        });
    });
    test.check(10);
}
