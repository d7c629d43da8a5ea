//! Every guarantee is about something that happens, and its checker can say no.

use leasehold_sim::{
    campaign::CellName,
    decide::Decisions,
    faults::{Fault, FaultSet},
    guarantees::{Guarantee, Violation},
    run::{Run, decisions_of},
    subjects::Subject,
};
use rayon::prelude::*;

const SEED: u64 = 1;

/// Within how many schedules each guarantee is broken by upstream under some fault, and
/// exercised by ours.
const SCHEDULES: u64 = 300;

/// Every fault, and none.
fn faults() -> impl Iterator<Item = Option<Fault>> {
    [None].into_iter().chain(Fault::ALL.iter().copied().map(Some))
}

/// How `guarantee` is first found to be broken by `subject`.
fn first_broken(subject: Subject, guarantee: Guarantee) -> Option<(CellName, u64, Violation)> {
    faults().find_map(|fault| {
        let cell = CellName { subject, guarantee, fault };
        let plan = cell.plan();
        (0..SCHEDULES).find_map(|schedule| {
            let run = Run::seeded(plan.clone(), SEED, schedule);
            Some((cell, schedule, run.violation(guarantee)?.clone()))
        })
    })
}

#[test]
fn every_guarantee_is_broken_by_upstream_or_by_nothing_that_is_simulated() {
    let found: Vec<_> = Guarantee::ALL
        .par_iter()
        .map(|&guarantee| (guarantee, first_broken(Subject::Upstream, guarantee)))
        .collect();
    for (guarantee, found) in found {
        println!("{}: {found:?}", guarantee.name());
    }
}
