//! x
use leasehold_sim::{faults::*, subjects::*, run::*};
fn main() {
    let n: u64 = std::env::args().nth(1).unwrap().parse().unwrap();
    let mut plan = Subject::Lock.plan(Workload::Lock, FaultSet::NONE);
    plan.clients = 8; plan.faults_end = 60_000_000; plan.end = 60_000_000;
    plan.latency = 1000; plan.jitter_step = 1; plan.jitter_choices = 19_001;
    plan.lease = 1_000_000; plan.attempts = u32::MAX; plan.delay = 100_000; plan.delay_jitter = false; plan.hold = 50_000;
    plan.idle = 0; plan.idle_step = 1; plan.idle_choices = 100_001; plan.styles = 1; plan.acts = false;
    let (mut m, mut g, mut h) = (0, 0, 0u64);
    for i in 0..n { let r = Run::seeded(plan.clone(), 1, i); m += r.world().messages(); g += r.world().grants(); h ^= r.trace_hash(); }
    println!("{m} messages {g} grants {h:x}");
}
