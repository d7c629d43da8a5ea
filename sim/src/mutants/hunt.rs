//! Looks for a planted bug in schedule after schedule.

use super::Mutant;
use crate::{
    decide::{Shrunk, shrink},
    run::{Run, decisions_of},
    world::Plan,
};

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
pub(super) fn hunt_within(mutant: Mutant, seed: u64, within: u64) -> Hunted {
    let (plan, control) = (mutant.plan(), mutant.control());
    let found = (0..within)
        .find_map(|schedule| Some((schedule, complaint(mutant, &plan, seed, schedule)?)));
    let run = found.as_ref().map_or(within, |(schedule, _)| schedule + 1);
    let control_survives =
        (0..run).all(|schedule| complaint(mutant, &control, seed, schedule).is_none());
    let killed_after = found.as_ref().map(|(schedule, _)| schedule + 1);
    Hunted { killed_after, text: found.map(|(_, text)| text), control_survives }
}

/// How few decisions are enough to show `mutant`, shrunk from the schedule that the campaign `seed`
/// found after `killed_after` of them.
#[must_use]
pub fn fewest_decisions(mutant: Mutant, seed: u64, killed_after: u64) -> usize {
    let plan = mutant.plan();
    let decisions = decisions_of(plan.clone(), seed, killed_after - 1);
    let Shrunk { decisions, .. } = shrink(decisions, SHRINK_RUNS, |decisions| {
        found(mutant, &Run::replayed(plan.clone(), decisions)).is_some()
    });
    decisions.len()
}

fn complaint(mutant: Mutant, plan: &Plan, seed: u64, schedule: u64) -> Option<String> {
    found(mutant, &Run::seeded(plan.clone(), seed, schedule))
}

/// What the checker says, if the fault that it takes has bitten.
fn found(mutant: Mutant, run: &Run) -> Option<String> {
    let bitten = mutant.fault().is_none_or(|fault| run.bites(fault) > 0);
    run.violation(mutant.guarantee()).filter(|_| bitten).map(|violation| violation.text.clone())
}
