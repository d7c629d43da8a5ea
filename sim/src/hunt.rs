//! Looks for each planted bug in schedule after schedule.
//!
//! ```
//! use leasehold_sim::{hunt::hunt, mutants::Mutant};
//!
//! let found = hunt(Mutant::BareDelete, 1);
//! assert!(found.killed_after.is_some_and(|schedules| schedules <= Mutant::BareDelete.within()));
//! assert!(found.control_survives);
//! ```

mod excused;
mod kills;

pub use excused::{EXCUSED, Excused};
pub use kills::{Hunt, Kill, KillMatrix, NotPlanted};

use crate::{
    catalog::CellName,
    decide::{Decisions, Shrunk, shrink},
    mutants::Mutant,
    run::decisions_of,
    systems::{Plan, Run},
};

impl Mutant {
    /// The plan of the runs in which it must be found.
    #[must_use]
    pub fn plan(self) -> Plan {
        let mut plan = self.control();
        plan.scenario.mutant = Some(self);
        plan.settings.reads_wall_clock = self == Self::WallClock;
        match self {
            Self::RestartWithoutDelay => plan.settings.absence = 0,
            Self::OneAcknowledgement => plan.scenario.acknowledgements = 1,
            _ => {}
        }
        plan
    }

    /// The same plan without the bug.
    #[must_use]
    pub fn control(self) -> Plan {
        let mut plan = self.matrix_plan();
        self.adjust(&mut plan);
        plan
    }

    /// The plan of the matrix's cell that the bug is about.
    fn matrix_plan(self) -> Plan {
        let (subject, guarantee, fault) = (self.subject(), self.guarantee(), self.fault());
        CellName { subject, guarantee, fault }.plan()
    }

    /// Whether it is found in the plan of the matrix itself: else it takes other habits of the
    /// clients, or another cluster.
    #[must_use]
    pub fn is_found_in_the_matrix(self) -> bool {
        let mut plan = self.matrix_plan();
        plan.scenario.mutant = Some(self);
        self.plan() == plan
    }

    /// Other habits of the clients, where it takes them to show the bug.
    fn adjust(self, plan: &mut Plan) {
        let Plan { settings, scenario } = plan;
        match self {
            // Holders work up to the end of their lease.
            Self::DeadlineFromReply | Self::ReusedToken => {
                (scenario.hold, scenario.delay) = (950_000, 20_000);
                (scenario.attempts, scenario.behaviours) = (50, 1);
            }
            // The longer the lease, the further two clocks drift apart.
            Self::NoDrift => {
                (scenario.lease, scenario.hold) = (3_000_000, 2_985_000);
                (scenario.delay, scenario.attempts, scenario.behaviours) = (5_000, 800, 1);
            }
            // What comes late finds the lock free.
            Self::NoMark => (scenario.idle, scenario.behaviours) = (600_000, 1),
            Self::ExtendRecreates => scenario.idle = 600_000,
            // Not a number of seconds.
            Self::ExtendInSeconds => scenario.lease = 1_900_000,
            // Replies come later than that.
            Self::ValidityUnderflows => scenario.lease = 300_000,
            Self::EvenVote => settings.servers = 2,
            // What is left behind stays until after the end.
            Self::KeptMinority | Self::LateGrantKept => {
                settings.end = 12_000_000;
                (scenario.lease, scenario.behaviours) = (20_000_000, 1);
            }
            // As long as the longest lease, and a little for the server's rounding. (Nobody else can take the
            // lock even if most servers go one after another; but of four, that happens more often, and
            // the lease then counts as gone.)
            Self::RestartWithoutDelay => {
                settings.servers = 3;
                settings.absence = scenario.lease + 10_000;
            }
            // As many as there are.
            Self::OneAcknowledgement => scenario.acknowledgements = 2,
            // Who misses a release waits long for the next.
            Self::HintsOnly => {
                (settings.clients, settings.end) = (2, 20_000_000);
                (scenario.waits, scenario.idle, scenario.behaviours) = (1_000_000, 1_500_000, 1);
            }
            // A run that is left behind is missed.
            Self::UnreturnedRun | Self::RunLeftToNextCall => scenario.run_lease = 3_000_000,
            Self::SilentCancel => scenario.cancels = true,
            // An extended lease is longer than another's own.
            Self::OwnLeaseTakeover => scenario.hold = 700_000,
            _ => {}
        }
    }
}

/// How many runs shrinking one schedule may take.
const SHRINK_RUNS: u32 = 1_000;

/// What came of looking for a planted bug in one campaign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hunted {
    /// After how many schedules its checker found it; `None` if it survived
    /// [`Mutant::within`] of them.
    pub killed_after: Option<u64>,
    /// What the checker said.
    pub text: Option<String>,
    /// Whether the same checker found nothing in the same schedules without the bug.
    pub control_survives: bool,
}

/// Runs the schedules of the campaign `seed` until the checker that must find `mutant` does.
#[must_use]
pub fn hunt(mutant: Mutant, seed: u64) -> Hunted {
    hunt_within(mutant, seed, mutant.within())
}

/// As [`hunt`], in so many schedules at the most.
fn hunt_within(mutant: Mutant, seed: u64, within: u64) -> Hunted {
    let (plan, control) = (mutant.plan(), mutant.control());
    let found = (0..within)
        .find_map(|schedule| Some((schedule, complaint(mutant, &plan, seed, schedule)?)));
    let run = found.as_ref().map_or(within, |(schedule, _)| schedule + 1);
    let control_survives =
        (0..run).all(|schedule| complaint(mutant, &control, seed, schedule).is_none());
    let killed_after = found.as_ref().map(|(schedule, _)| schedule + 1);
    Hunted { killed_after, text: found.map(|(_, text)| text), control_survives }
}

/// The decisions that are enough to show it.
fn shortest(mutant: Mutant, seed: u64, killed_after: u64) -> Decisions {
    let plan = mutant.plan();
    let decisions = decisions_of(plan.clone(), seed, killed_after - 1);
    let Shrunk { decisions, .. } = shrink(decisions, SHRINK_RUNS, |decisions| {
        found(mutant, &Run::replayed(plan.clone(), decisions)).is_some()
    });
    decisions
}

fn complaint(mutant: Mutant, plan: &Plan, seed: u64, schedule: u64) -> Option<String> {
    found(mutant, &Run::seeded(plan.clone(), seed, schedule))
}

/// What the checker says, if the fault that it takes has taken effect.
fn found(mutant: Mutant, run: &Run) -> Option<String> {
    let effective = mutant.fault().is_none_or(|fault| run.effects(fault) > 0);
    run.violation(mutant.guarantee()).filter(|_| effective).map(|violation| violation.text.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_bug_of_the_catalogue_is_planted_or_excused_but_not_both() {
        for number in 1..=54 {
            let planted = Mutant::ALL.iter().filter(|mutant| mutant.number() == number).count();
            let excused = EXCUSED.iter().filter(|excused| excused.number == number).count();
            assert_eq!(planted + excused, 1, "number {number}");
        }
    }

    #[test]
    fn names_are_unique_and_numbers_grow() {
        for pair in Mutant::ALL.windows(2) {
            assert!(pair[0].number() < pair[1].number());
        }
        for mutant in Mutant::ALL {
            assert_eq!(Mutant::named(mutant.id()), Some(*mutant));
            assert_eq!(Mutant::named(&mutant.number().to_string()), Some(*mutant));
        }
    }

    #[test]
    fn a_bug_is_only_found_where_the_true_algorithm_is_claimed_to_hold() {
        let claims = crate::claims::Claims::current();
        // For these two, the true algorithm takes a setting that the matrix is without.
        let is_setting = |mutant: &&Mutant| {
            matches!(mutant, Mutant::RestartWithoutDelay | Mutant::OneAcknowledgement)
        };
        for mutant in Mutant::ALL.iter().filter(|mutant| !is_setting(mutant)) {
            let name = CellName {
                subject: mutant.subject(),
                guarantee: mutant.guarantee(),
                fault: mutant.fault(),
            };
            assert_eq!(claims.of(name), crate::catalog::Verdict::Holds, "{}", mutant.id());
        }
    }
}
