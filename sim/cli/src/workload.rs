//! `leasehold workload`: how fast the simulator is.

use std::hash::Hasher;

use clap::Args;
use cpu_time::ProcessTime;
use rustc_hash::FxHasher;
use serde::Serialize;

use super::{
    Ending, Failure,
    output::{Target, print},
    progress::Bar,
};
use leasehold_sim::{
    campaign::Progress,
    systems::{Run, speed_plan},
};

/// Says how fast the simulator is.
///
/// It runs a fixed workload on one thread, with trace hash and checkers on. One server, eight clients, one key, 60 simulated seconds a seed: each client takes a lease of
/// 1 s, holds it for 50 ms, tries again after 100 ms, and idles for up to 100 ms; messages take 1
/// to 20 ms each way.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Example:
  leasehold workload --schedules 100 --json -

Exit status: 0 when it is measured, 2 after wrong use.")]
pub(super) struct Workload {
    /// Schedules to run.
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=1 << 40))]
    schedules: u64,
    /// Seed of the schedules.
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// Writes JSON to FILE; `-` is standard output.
    ///
    /// To standard output it writes nothing else then.
    #[arg(long, value_name = "FILE")]
    json: Option<Target>,
}

/// What came of it.
#[derive(Debug, Serialize)]
struct Speed {
    /// Requests and replies that were delivered.
    messages: u64,
    /// Grants of the lock.
    acquisitions: u64,
    /// Simulated seconds.
    simulated_s: f64,
    /// Seconds of processor time.
    cpu_s: f64,
    /// The traces' hashes as one, in hexadecimal.
    trace_hash: String,
}

impl Workload {
    pub(super) fn run(self) -> Result<Ending, Failure> {
        if let Some(target) = &self.json {
            target.probe()?;
        }
        let speed = measure(self.seed, self.schedules);
        if let Some(target) = &self.json {
            target.write(&speed)?;
        }
        if self.json != Some(Target::Stdout) {
            let per_second = speed.messages as f64 / speed.cpu_s.max(1e-6) / 1e6;
            let Speed { messages, acquisitions, simulated_s, cpu_s, trace_hash } = speed;
            print(&format!(
                "{messages} messages and {acquisitions} acquisitions in {simulated_s} simulated \
                 seconds\n{cpu_s:.3} s of processor time: {per_second:.2} million messages/s\n\
                 trace hash {trace_hash}\n"
            ))?;
        }
        Ok(Ending::AsClaimed)
    }
}

fn measure(seed: u64, schedules: u64) -> Speed {
    let (bar, plan) = (Bar::new("schedules", None), speed_plan());
    bar.expect(schedules);
    let start = ProcessTime::now();
    let mut hasher = FxHasher::default();
    let (mut messages, mut acquisitions) = (0, 0);
    for schedule in 0..schedules {
        let run = Run::seeded(plan.clone(), seed, schedule);
        hasher.write_u64(run.trace_hash());
        messages += run.world().messages();
        acquisitions += run.grants();
        bar.done();
    }
    Speed {
        messages,
        acquisitions,
        simulated_s: schedules as f64 * plan.settings.end as f64 / 1e6,
        cpu_s: start.elapsed().as_secs_f64(),
        trace_hash: format!("{:016x}", hasher.finish()),
    }
}
