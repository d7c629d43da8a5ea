//! `proptest!` drives a cluster, and shrinks what it finds.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use leasehold_core::Fence;
use leasehold_sim::{
    cluster::Cluster,
    faults::Fault,
    strategy::{Schedule, schedules, workloads},
};
use proptest::{
    prelude::*,
    test_runner::{Config, TestError, TestRunner},
};

/// Processes that write without showing their fence, after so many ms each.
fn writers(pauses: Vec<Vec<u64>>) -> Cluster {
    let build = move |cluster: &mut leasehold_sim::cluster::Setup| {
        let written = Arc::new(Mutex::new(Vec::<Fence>::new()));
        for pauses in pauses.clone() {
            let written = written.clone();
            cluster.process(move |me| {
                let (written, pauses) = (written.clone(), pauses.clone());
                async move {
                    let lock = me.lock("job").unwrap();
                    for pause in pauses {
                        me.sleep(Duration::from_millis(pause)).await;
                        let Ok(mut lease) = lock.acquire().await else { continue };
                        let (fence, written) = (lease.fence(), written.clone());
                        let _unknown = me.remote(move || written.lock().unwrap().push(fence)).await;
                        let _best_effort = lease.release().await;
                    }
                }
            });
        }
        cluster.always("writes in order", move || written.lock().unwrap().is_sorted());
    };
    Cluster::new(build).faults([Fault::ClientPause, Fault::Failover])
}

proptest! {
    #![proptest_config(Config { cases: 40, ..Config::default() })]
    #[test]
    fn a_cluster_without_faults_keeps_its_order(
        schedule in schedules(),
        pauses in workloads(4, 3, 1u64..300),
    ) {
        writers(pauses).faults([]).follow(&mut schedule.source())?;
    }
}

#[test]
fn a_failing_schedule_shrinks_to_a_few_decisions() {
    let config = Config { cases: 5_000, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(
        config,
        proptest::test_runner::TestRng::deterministic_rng(
            proptest::test_runner::RngAlgorithm::ChaCha,
        ),
    );
    let result = runner.run(&schedules(), |schedule: Schedule| {
        writers(vec![vec![10, 150, 150], vec![20, 150, 150]]).follow(&mut schedule.source())?;
        Ok(())
    });
    let Err(TestError::Fail(_, schedule)) = result else { panic!("{result:?}") };
    let cluster = writers(vec![vec![10, 150, 150], vec![20, 150, 150]]);
    let failure = cluster.follow(&mut schedule.source()).unwrap_err();
    assert!(failure.decisions().len() <= 5, "{failure}");
    assert!(format!("{schedule:?}").contains(&failure.token()));
}
