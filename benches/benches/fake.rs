//! What one command costs on the fake Redis in this process, beside an insert into a bare map.

use std::{
    collections::HashMap,
    hint::black_box,
    time::{Duration, Instant},
};

use bytes::Bytes;
use criterion::{Criterion, criterion_group, criterion_main};
use leasehold_benches::fake::Workload;

fn fake(criterion: &mut Criterion) {
    let mut floor = Timed::default();
    let mut group = criterion.benchmark_group("fake, one command");
    group.bench_function("floor: HashMap::insert", |bencher| {
        let (key, value) = (Bytes::from_static(b"k"), Bytes::from_static(b"v"));
        let mut map = HashMap::new();
        bencher.iter_custom(|times| {
            floor.of(times, || {
                black_box(map.insert(key.clone(), value.clone()));
            })
        });
    });
    let mut ratios = Vec::new();
    for workload in Workload::all() {
        let mut timed = Timed::default();
        let mut server = workload.server();
        group.bench_function(workload.name, |bencher| {
            bencher.iter_custom(|times| {
                timed.of(times, || {
                    black_box(workload.step(&mut server));
                })
            });
        });
        ratios.push((workload.name, timed));
    }
    group.finish();
    // With `--test` each ran once, and with a filter not at all: that says nothing.
    for (name, timed) in ratios {
        if timed.times > 1 && floor.times > 1 {
            let (each, ratio) = (timed.nanos(), timed.nanos() / floor.nanos());
            println!("{name}: {each:.0} ns, {ratio:.1} times the floor");
        }
    }
}

/// How long something took, all runs together.
#[derive(Clone, Copy, Debug, Default)]
struct Timed {
    times: u64,
    elapsed: Duration,
}

impl Timed {
    fn of(&mut self, times: u64, mut step: impl FnMut()) -> Duration {
        let start = Instant::now();
        for _ in 0..times {
            step();
        }
        let elapsed = start.elapsed();
        self.times += times;
        self.elapsed += elapsed;
        elapsed
    }

    fn nanos(self) -> f64 {
        self.elapsed.as_nanos() as f64 / self.times as f64
    }
}

criterion_group!(benches, fake);
criterion_main!(benches);
