//! Delivered messages per second of the lock's workload, beside the same on tokio's paused clock.

use std::{
    cell::Cell,
    time::{Duration, Instant},
};

use criterion::{Criterion, criterion_group, criterion_main};
use leasehold_benches::tokio_paused;

fn simulator(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("simulator, one message");
    group.sample_size(20);
    let peer = Cell::new(Rate::default());
    let seed = Cell::new(0);
    group.bench_function("tokio's paused clock", |bencher| {
        bencher.iter_custom(|messages| {
            time_of(messages, &peer, || {
                seed.set(seed.get() + 1);
                tokio_paused::run(seed.get()).messages
            })
        });
    });
    group.finish();
    if peer.get().messages > 0 {
        println!("{:.2} million messages/s on tokio's paused clock", peer.get().per_second() / 1e6);
    }
}

/// What was measured so far.
#[derive(Clone, Copy, Debug, Default)]
struct Rate {
    messages: u64,
    elapsed: Duration,
}

impl Rate {
    fn per_second(self) -> f64 {
        self.messages as f64 / self.elapsed.as_secs_f64()
    }
}

/// How long `messages` messages take, from as many whole runs as deliver them.
fn time_of(messages: u64, total: &Cell<Rate>, run: impl Fn() -> u64) -> Duration {
    let mut delivered = 0;
    let start = Instant::now();
    while delivered < messages {
        delivered += run();
    }
    let elapsed = start.elapsed();
    let before = total.get();
    total.set(Rate { messages: before.messages + delivered, elapsed: before.elapsed + elapsed });
    elapsed.mul_f64(messages as f64 / delivered as f64)
}

criterion_group!(benches, simulator);
criterion_main!(benches);
