//! Acquisitions per second and hand-off latency, beside the bare `DashMap` in the same run.

use std::sync::Arc;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use leasehold_benches::contention::{Contender, Contest, bare, contend, lockers};
use leasehold_core::MemoryStore;
use tokio::runtime::{Builder, Runtime};

const TASKS: [usize; 4] = [1, 4, 16, 64];

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
    let store = Arc::new(MemoryStore::new());
    let memory = case.measure(criterion, "MemoryStore", || {
        lockers(&store, tasks, keys).expect("the options are usable")
    });
    if floor.acquisitions > 0 && memory.acquisitions > 0 {
        println!("{tasks} tasks, {keys} keys");
        println!("  bare DashMap: {floor}");
        println!("  MemoryStore:  {memory}, {:.2} of it", memory.rate() / floor.rate());
    }
}

struct Case {
    tasks: usize,
    keys: usize,
}

impl Case {
    fn measure<C: Contender>(
        &self,
        criterion: &mut Criterion,
        subject: &str,
        contenders: impl Fn() -> Vec<C>,
    ) -> Contest {
        let runtime = runtime();
        let mut total = Contest::default();
        let mut group = criterion.benchmark_group("contention, one acquisition");
        group.throughput(Throughput::Elements(1)).sample_size(20);
        let id = format!("{} tasks, {} keys", self.tasks, self.keys);
        group.bench_function(BenchmarkId::new(subject, id), |bencher| {
            bencher.iter_custom(|acquisitions| {
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
