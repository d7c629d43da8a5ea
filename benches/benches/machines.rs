//! Nanoseconds per step of the lock's machine, over whole walks.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use criterion::{Criterion, criterion_group, criterion_main};
use leasehold_benches::walks::{WALKS, Walker};

fn machines(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("machines, one step");
    for (name, walk) in WALKS {
        let mut walker = Walker::new().expect("the default options are usable");
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|steps| time_of(&mut walker, walk, steps));
        });
    }
    group.finish();
}

/// How long `steps` steps take, from as many whole walks as have them.
fn time_of(walker: &mut Walker, walk: fn(&mut Walker), steps: u64) -> Duration {
    let first = walker.steps();
    let start = Instant::now();
    while walker.steps() - first < steps {
        walk(black_box(walker));
    }
    let elapsed = start.elapsed();
    assert!(walker.is_at_rest(), "a walk ends with an outcome");
    elapsed.mul_f64(steps as f64 / (walker.steps() - first) as f64)
}

criterion_group!(benches, machines);
criterion_main!(benches);
