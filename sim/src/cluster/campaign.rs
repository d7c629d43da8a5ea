//! Many schedules of a cluster.

use super::{
    Breach, Cluster, Failure,
    run::{Looks, Ran, run},
    story::Alternatives,
};
use crate::decide::{Decisions, Fault, Replay, Seeded, shrink};

/// How many runs shrinking may take.
const SHRINK_RUNS: u32 = 2_000;

/// The first schedules, and then one in so many, run twice.
const REPEATED_FIRST: u64 = 4;
const REPEATED_SHARE: u64 = 32;

/// What a campaign found.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Report {
    /// How many schedules were run.
    pub schedules: u64,
    /// The first that failed, shrunk; nothing was run after it.
    pub failure: Option<Failure>,
    /// The situations of [`Setup::sometimes`](super::Setup::sometimes), and in how many schedules
    /// each occurred.
    pub situations: Vec<(String, u64)>,
    /// The faults that could occur, and how often each changed what would have happened.
    pub effects: Vec<(Fault, u64)>,
}

impl Report {
    /// # Panics
    ///
    /// If a situation never occurred, or a fault never took effect.
    pub(super) fn assert_meaningful(&self) {
        let schedules = self.schedules;
        for (name, occurred) in &self.situations {
            assert!(
                *occurred > 0,
                "in {schedules} schedules, this was never so: {name}. The test does not reach what \
                 it is about: run more schedules, or let the processes get there"
            );
        }
        for (fault, effects) in &self.effects {
            assert!(
                *effects > 0,
                "in {schedules} schedules, the fault `{}` changed nothing: run more of them, or \
                 leave it out",
                fault.name()
            );
        }
    }

    fn count(&mut self, ran: &Ran) {
        self.schedules += 1;
        for ((_, times), occurred) in self.situations.iter_mut().zip(&ran.occurred) {
            *times += u64::from(*occurred);
        }
        for (fault, effects) in &mut self.effects {
            *effects += u64::from(ran.effects[*fault as usize]);
        }
    }
}

/// Runs so many schedules of `cluster`, or as many as it takes until one fails.
pub(super) fn report(cluster: &Cluster, schedules: u64) -> Report {
    let mut report = blank(cluster);
    for schedule in 0..schedules {
        let seeded = || Seeded::new(cluster.seed, schedule);
        let repeated = schedule < REPEATED_FIRST || schedule.is_multiple_of(REPEATED_SHARE);
        let ran = run(cluster, seeded(), Looks { story: false, waiting: repeated });
        report.count(&ran);
        let breach = if repeated { repeat(cluster, seeded, &ran) } else { None };
        if let Some(breach) = breach {
            report.failure = Some(cluster.told(breach, &ran.decisions, Alternatives::None));
            break;
        }
        if let Some(breach) = ran.breach {
            report.failure = Some(shrunk(cluster, breach, ran.decisions));
            break;
        }
    }
    report
}

fn blank(cluster: &Cluster) -> Report {
    let mut setup = super::Setup::default();
    (cluster.build)(&mut setup);
    let situations = setup.sometimes.iter().map(|check| (check.name.clone(), 0)).collect();
    let effects = cluster.faults.iter().map(|fault| (fault, 0)).collect();
    Report { schedules: 0, failure: None, situations, effects }
}

/// Runs the same schedule again, and says what keeps it from being the same.
fn repeat(cluster: &Cluster, seeded: impl Fn() -> Seeded, first: &Ran) -> Option<Breach> {
    let looks = Looks { story: false, waiting: true };
    let again = run(cluster, seeded(), looks);
    if again.trace != first.trace {
        return Some(Breach::NotRepeatable);
    }
    // Pages and contention make a thread wait, too, but not each time at the same place.
    let mut waited: Vec<u64> = again.waited.intersection(&first.waited).copied().collect();
    for _ in 0..3 {
        if waited.is_empty() {
            return None;
        }
        let again = run(cluster, seeded(), looks);
        waited.retain(|poll| again.waited.contains(poll));
    }
    (!waited.is_empty()).then_some(Breach::Waits)
}

/// The shortest story of `breach`.
pub(super) fn shrunk(cluster: &Cluster, breach: Breach, decisions: Decisions) -> Failure {
    let shrunk = shrink(decisions, SHRINK_RUNS, |candidate| {
        let ran = run(cluster, Replay::of(candidate), Looks::default());
        ran.breach.as_ref() == Some(&breach)
    });
    cluster.told(breach, &shrunk.decisions, Alternatives::Run)
}
