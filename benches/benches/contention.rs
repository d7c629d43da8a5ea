//! Acquisitions per second and hand-off latency, beside the bare `DashMap` in the same run.

use std::{sync::Arc, time::Duration};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use leasehold_benches::{
    contention::{Contender, Contest, bare, contend, lockers},
    fake::Fake,
};
use leasehold_core::{MemoryStore, Store};
use leasehold_fake_redis::Engine;
use tokio::runtime::{Builder, Runtime};

const TASKS: [usize; 4] = [1, 4, 16, 64];
/// Fewer acquisitions say nothing: with `--test` there is one, and with a filter none.
const ENOUGH: u64 = 1_000;
const WARM_UP: u64 = 1_000;

fn contention(criterion: &mut Criterion) {
    for tasks in TASKS {
        compare(criterion, tasks, 1);
        if tasks > 1 {
            compare(criterion, tasks, tasks);
        }
    }
}

fn compare(criterion: &mut Criterion, tasks: usize, keys: usize) {
    let case = Case { tasks, keys };
    let floor = case.measure(criterion, "bare DashMap", || bare(tasks, keys));
    let memory = case.over(criterion, "MemoryStore", &Arc::new(MemoryStore::new()));
    let native = case.over(criterion, "fake Redis, native", &Arc::new(Fake::new(Engine::Native)));
    let lua = case.over(criterion, "fake Redis, Lua", &Arc::new(Fake::new(Engine::Lua)));
    if floor.acquisitions < ENOUGH {
        return;
    }
    println!("{tasks} tasks, {keys} keys");
    println!("  bare DashMap: {floor}");
    for (subject, contest) in
        [("MemoryStore", memory), ("fake, native", native), ("fake, Lua", lua)]
    {
        if contest.acquisitions >= ENOUGH {
            println!("  {subject}: {contest}, {:.3} of bare", contest.rate() / floor.rate());
        }
    }
}

struct Case {
    tasks: usize,
    keys: usize,
}

impl Case {
    fn over<S>(&self, criterion: &mut Criterion, subject: &str, store: &S) -> Contest
    where
        S: Store + Clone + Send + Sync + 'static,
    {
        self.measure(criterion, subject, || {
            lockers(store, self.tasks, self.keys).expect("the options are usable")
        })
    }

    fn measure<C: Contender>(
        &self,
        criterion: &mut Criterion,
        subject: &str,
        contenders: impl Fn() -> Vec<C>,
    ) -> Contest {
        let runtime = runtime();
        let mut total = Contest::default();
        let mut group = criterion.benchmark_group("contention, one acquisition");
        group.throughput(Throughput::Elements(1)).sample_size(10);
        group.warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(2));
        let id = format!("{} tasks, {} keys", self.tasks, self.keys);
        group.bench_function(BenchmarkId::new(subject, id), |bencher| {
            bencher.iter_custom(|acquisitions| {
                // Each thread builds its Lua machine once, which is no part of an acquisition.
                if total.acquisitions == 0 {
                    runtime.block_on(contend(contenders(), self.keys, WARM_UP));
                }
                let contest = runtime.block_on(contend(contenders(), self.keys, acquisitions));
                total.add(&contest);
                contest.elapsed
            });
        });
        group.finish();
        total
    }
}

fn runtime() -> Runtime {
    Builder::new_multi_thread().enable_time().build().expect("the system has threads to give")
}

criterion_group!(benches, contention);
criterion_main!(benches);
