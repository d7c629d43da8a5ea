//! What the processes of a cluster talk to, and which fault tells one topology from another.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use leasehold_core::{
    lock::{Durability, Lock, LockConfig, LockOptions},
    quorum::{Quorum, QuorumOptions},
};
use leasehold_fake_redis::Resp;
use leasehold_sim::{
    cluster::{Breach, Cluster, Process, Section},
    decide::DecisionKind,
    faults::Fault,
    world::{Promotion, Topology},
};

fn millis(length: u64) -> Duration {
    Duration::from_millis(length)
}

fn options() -> LockOptions {
    LockOptions::new().lease(Duration::from_secs(2))
}

fn of_replicas(me: &Process, replicas: u32) -> Lock {
    me.lock_with("job", &options().durability(Durability::Replicas(replicas))).unwrap()
}

fn of_quorum(me: &Process, servers: u8) -> Lock {
    let nodes = (0..servers).map(|server| me.store_of(server));
    let options_of_quorum = QuorumOptions::new().node_timeout(millis(100));
    let quorum = Quorum::new(nodes, me.clock(), &options_of_quorum).unwrap();
    let config = LockConfig::new("job", &options()).unwrap();
    Lock::from_config(quorum, me.clock(), config, me.store().tokens())
}

async fn work(me: Process, lock: Lock, section: Section) {
    for _ in 0..4 {
        if let Ok(mut lease) = lock.acquire().await {
            let inside = section.enter(&me);
            me.sleep(millis(200)).await;
            drop(inside);
            let _best_effort = lease.release().await;
        }
        me.sleep(millis(50)).await;
    }
}

fn workers(topology: Topology, lock: impl Fn(&Process) -> Lock + Copy + 'static) -> Cluster {
    let cluster = Cluster::new(move |cluster| {
        let section = cluster.mutex("job");
        for _ in 0..3 {
            let section = section.clone();
            cluster.process(move |me| work(me.clone(), lock(&me), section.clone()));
        }
    });
    cluster.topology(topology)
}

const MOST_ADVANCED: Topology = Topology::Acknowledged(Promotion::MostAdvanced);
const ANY: Topology = Topology::Acknowledged(Promotion::Any);

fn survives_failover(topology: Topology, replicas: u32) -> bool {
    let cluster = workers(
        topology,
        match replicas {
            0 => |me: &Process| me.lock_with("job", &options()).unwrap(),
            1 => |me: &Process| of_replicas(me, 1),
            _ => |me: &Process| of_replicas(me, 2),
        },
    );
    cluster.faults([Fault::Failover]).report(1_000).failure.is_none()
}

#[test]
fn a_failover_tells_replicas_that_acknowledge_from_those_that_do_not() {
    assert!(!survives_failover(Topology::Replicated, 0));
    assert!(!survives_failover(MOST_ADVANCED, 0), "nobody waited for a replica");
    assert!(survives_failover(MOST_ADVANCED, 1));
    assert!(!survives_failover(ANY, 1), "the other one takes over");
    assert!(survives_failover(ANY, 2));
}

#[test]
fn a_fault_that_a_topology_cannot_suffer_changes_nothing() {
    let cluster = workers(Topology::Single, |me| me.lock_with("job", &options()).unwrap());
    let report = cluster.faults([Fault::Failover]).report(100);
    assert!(report.failure.is_none());
    assert_eq!(report.effects, [(Fault::Failover, 0)]);
}

/// How many restarts it takes until two are inside at once.
fn restarts_to_break(cluster: Cluster) -> usize {
    let failure = cluster.faults([Fault::Restart]).report(4_000).failure.expect("it breaks");
    assert!(matches!(failure.breach(), Breach::Panicked(_) | Breach::Always(_)), "{failure}");
    let kinds = failure.decisions().keys().map(|address| address.kind);
    kinds.filter(|kind| *kind == DecisionKind::Restart).count()
}

#[test]
fn one_restart_breaks_one_server_and_two_break_a_quorum_of_three() {
    let single = workers(Topology::Single, |me| me.lock_with("job", &options()).unwrap());
    assert_eq!(restarts_to_break(single), 1);
    let quorum = workers(Topology::Independent, |me| of_quorum(me, 3));
    assert_eq!(restarts_to_break(quorum), 2);
}

#[test]
fn a_quorum_may_be_even_or_of_five() {
    for servers in [4, 5] {
        let lock: fn(&Process) -> Lock = match servers {
            4 => |me| of_quorum(me, 4),
            _ => |me| of_quorum(me, 5),
        };
        let cluster = workers(Topology::Independent, lock).servers(servers);
        cluster.faults([Fault::Partition]).check(200);
    }
}

#[test]
fn a_server_that_is_not_there_is_named() {
    let cluster = workers(Topology::Independent, |me| of_quorum(me, 4));
    let failure = cluster.report(1).failure.expect("it cannot be asked");
    assert!(failure.to_string().contains("there is no server 3: the cluster has 3"), "{failure}");
}

/// What a `WAIT` after a write is answered: the least and the greatest.
fn acknowledged(topology: Topology, faults: &[Fault]) -> (i64, i64) {
    let bounds = Arc::new((AtomicU64::new(u64::MAX), AtomicU64::new(0)));
    let seen = bounds.clone();
    let cluster = Cluster::new(move |cluster| {
        let seen = seen.clone();
        cluster.process(move |me| {
            let seen = seen.clone();
            async move {
                let redis = me.redis();
                for _ in 0..5 {
                    let _unknown = redis.send(&["INCR", "count"]).await;
                    if let Ok(Resp::Integer(count)) = redis.send(&["WAIT", "2", "100"]).await {
                        seen.0.fetch_min(count as u64, Ordering::Relaxed);
                        seen.1.fetch_max(count as u64, Ordering::Relaxed);
                    }
                }
            }
        });
    });
    let report = cluster.topology(topology).faults(faults.iter().copied()).report(200);
    assert!(report.failure.is_none(), "{:?}", report.failure);
    let [least, greatest] = [&bounds.0, &bounds.1].map(|bound| bound.load(Ordering::Relaxed));
    (least as i64, greatest as i64)
}

#[test]
fn a_users_own_wait_is_answered_by_replicas_that_acknowledge() {
    assert_eq!(acknowledged(Topology::Single, &[]), (0, 0));
    assert_eq!(acknowledged(MOST_ADVANCED, &[]), (2, 2));
    let (least, greatest) = acknowledged(MOST_ADVANCED, &[Fault::Failover]);
    assert!(least < 2 && greatest == 2, "a replica may lag for longer: {least} to {greatest}");
}
