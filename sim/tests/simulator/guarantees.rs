//! Every guarantee is about something that happens, and its checker can say no.

use leasehold_sim::{
    catalog::{CellName, Subject, Verdict, Workload},
    claims::Claims,
    decide::Decisions,
    faults::{Fault, FaultSet},
    guarantees::{Guarantee, Violation},
    systems::Run,
};
use rayon::prelude::*;

const SEED: u64 = 1;

/// Within how many schedules under one fault upstream breaks each guarantee.
const SCHEDULES: u64 = 300;

/// Within how many schedules under each fault a guarantee is exercised.
const EXERCISES: u64 = 300;

/// Every fault, and none.
fn faults() -> impl Iterator<Item = Option<Fault>> {
    [None].into_iter().chain(Fault::ALL.iter().copied().map(Some))
}

/// How `guarantee` is first found to be broken by upstream.
fn first_broken(guarantee: Guarantee) -> Option<Violation> {
    faults().find_map(|fault| {
        let plan = CellName { subject: Subject::Upstream, guarantee, fault }.plan();
        (0..SCHEDULES).find_map(|schedule| {
            Run::seeded(plan.clone(), SEED, schedule).violation(guarantee).cloned()
        })
    })
}

/// A part of what only the checker of `guarantee` says.
fn complaints(guarantee: Guarantee) -> &'static [&'static str] {
    match guarantee {
        Guarantee::Exclusion => &["acts under the lock while", "believes in its lease for"],
        Guarantee::FencedExclusion => &["the resource accepts a write of"],
        Guarantee::FenceOrder => &["is granted the lock without any fence"],
        Guarantee::Ownership => &["changes the key that is under"],
        Guarantee::TruthfulOutcome => &["is told that"],
        Guarantee::NoZombie => &["is back under the key after"],
        Guarantee::TimelyLoss => &["still believes that it holds the lock"],
        Guarantee::OrphanBound => &["longer than was ever asked for"],
        Guarantee::Liveness => &["has not ended", "never gets the lock", "that nobody holds"],
        Guarantee::Idempotence => &["again adds"],
        Guarantee::DebounceFires => &["is never run, and none after it"],
        Guarantee::DebounceSingleRun => &["still runs", "run again"],
        Guarantee::DebounceLatestArgs => &["take effect after those of a newer call"],
        Guarantee::DebounceQuiet => &["after the last call"],
        Guarantee::DebounceMaxWait => &["nothing has been run, although nothing prevents it"],
        Guarantee::DebounceExpiry => &["never expire"],
        Guarantee::DebounceTruth => &["returns as if all were well"],
    }
}

#[test]
fn every_guarantee_is_broken_by_upstream_and_caught_by_its_own_checker() {
    Guarantee::ALL.par_iter().for_each(|&guarantee| {
        let name = guarantee.name();
        let Some(violation) = first_broken(guarantee) else {
            panic!("{SCHEDULES} schedules under each fault do not break {name}");
        };
        let text = &violation.text;
        let caught = |guarantee| complaints(guarantee).iter().any(|part| text.contains(part));
        assert!(caught(guarantee), "{name} is caught by another checker: {text}");
        for &other in Guarantee::ALL.iter().filter(|&&other| other != guarantee) {
            assert!(!caught(other), "{name} and {} say the same: {text}", other.name());
        }
    });
}

#[test]
fn every_guarantee_is_exercised_by_each_of_our_subjects_under_each_fault() {
    for &subject in Subject::ALL {
        for &guarantee in Guarantee::ALL {
            if !subject.workloads().contains(&guarantee.workload()) {
                continue;
            }
            for fault in
                faults().filter(|fault| fault.is_none_or(|fault| subject.can_suffer(fault)))
            {
                let cell = CellName { subject, guarantee, fault };
                // What is claimed to occur seldom need not, and what is broken is known to occur.
                if Claims::current().of(cell) != Verdict::Holds {
                    continue;
                }
                let plan = cell.plan();
                let exercised = (0..EXERCISES)
                    .any(|schedule| Run::seeded(plan.clone(), SEED, schedule).exercised(guarantee));
                assert!(exercised, "{cell} is about nothing that happens");
            }
        }
    }
}

/// Nobody contends, nothing is late, nothing fails: there is little that could have gone wrong.
#[test]
fn a_run_in_which_a_guarantee_could_not_have_failed_does_not_exercise_it() {
    let exercised = |subject: Subject, workload| {
        let mut plan = subject.plan(workload, FaultSet::NONE);
        plan.scenario.calls = 1;
        // The second client of a lock is silent: its call would contend.
        plan.settings.clients = if workload == Workload::Lock { 1 } else { 2 };
        let run = Run::replayed(plan, &Decisions::new());
        let guarantees = Guarantee::ALL.iter().copied();
        guarantees.filter(|&guarantee| run.exercised(guarantee)).collect::<Vec<_>>()
    };
    // It takes and frees the lock: the release could leave the key.
    assert_eq!(
        exercised(Subject::Lock, Workload::Lock),
        [Guarantee::TruthfulOutcome, Guarantee::OrphanBound]
    );
    assert_eq!(
        exercised(Subject::Debounce, Workload::Debounce),
        [Guarantee::DebounceFires, Guarantee::DebounceExpiry, Guarantee::DebounceTruth]
    );
}

/// The planted bug: a lease that is timed by the wall clock, which may be set back.
#[test]
fn a_lease_on_the_wall_clock_is_caught_and_one_on_the_monotonic_clock_is_not() {
    let broken = |reads_wall_clock| {
        let faults = FaultSet::only(Fault::ClientClock);
        let mut plan = Subject::Lock.plan(Workload::Lock, faults);
        plan.settings.reads_wall_clock = reads_wall_clock;
        let runs = (0..300).map(|schedule| Run::seeded(plan.clone(), 1, schedule));
        runs.filter(|run| run.violation(Guarantee::Exclusion).is_some()).count()
    };
    assert!(broken(true) > 0);
    assert_eq!(broken(false), 0);
}
