//! Delivered messages per second of the lock's workload, beside the same on tokio's paused clock.

use std::{
    fmt,
    time::{Duration, Instant},
};

use criterion::{Criterion, criterion_group, criterion_main};
use leasehold_benches::tokio_paused;
use leasehold_sim::systems::{Run, speed_plan};

fn simulator(criterion: &mut Criterion) {
    let plan = speed_plan();
    let ours = measure(criterion, "leasehold-sim", |schedule| {
        Run::seeded(plan.clone(), 1, schedule).world().messages()
    });
    let peer =
        measure(criterion, "tokio's paused clock", |schedule| tokio_paused::run(schedule).messages);
    // With `--test` there is one run, and with a filter none: that says nothing.
    if ours.runs > 1 && peer.runs > 1 {
        println!("leasehold-sim:        {ours}");
        println!("tokio's paused clock: {peer}");
        println!("ratio: {:.1}", ours.per_second() / peer.per_second());
    }
}

fn measure(criterion: &mut Criterion, subject: &str, run: impl Fn(u64) -> u64) -> Rate {
    let mut total = Rate::default();
    let mut group = criterion.benchmark_group("simulator, one message");
    group.sample_size(20);
    group.bench_function(subject, |bencher| {
        bencher.iter_custom(|messages| total.time_of(messages, &run));
    });
    group.finish();
    total
}

/// What was measured so far.
#[derive(Clone, Copy, Debug, Default)]
struct Rate {
    runs: u64,
    messages: u64,
    elapsed: Duration,
}

impl Rate {
    fn per_second(self) -> f64 {
        self.messages as f64 / self.elapsed.as_secs_f64()
    }

    /// How long `messages` messages take, from as many whole runs as deliver them.
    fn time_of(&mut self, messages: u64, run: impl Fn(u64) -> u64) -> Duration {
        let mut delivered = 0;
        let start = Instant::now();
        while delivered < messages {
            delivered += run(self.runs);
            self.runs += 1;
        }
        let elapsed = start.elapsed();
        self.messages += delivered;
        self.elapsed += elapsed;
        elapsed.mul_f64(messages as f64 / delivered as f64)
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2} million messages/s", self.per_second() / 1e6)
    }
}

criterion_group!(benches, simulator);
criterion_main!(benches);
