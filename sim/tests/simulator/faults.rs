//! Every fault takes effect where it can, nowhere else, and is what makes the difference.

use leasehold_sim::{
    catalog::{CellName, Subject, Verdict, Workload},
    claims::Claims,
    counterexamples::KnownCounterexamples,
    decide::Decisions,
    faults::{Fault, FaultSet},
    guarantees::Guarantee,
    history::Event,
    run::{decisions_of, log_of},
    systems::{Plan, Run},
};
use rayon::prelude::*;

const SEED: u64 = 1;

/// Within how many schedules each fault takes effect.
const SCHEDULES: u64 = 40;

/// Each subject with each of its workloads.
fn rows() -> impl Iterator<Item = (Subject, Workload)> {
    Subject::ALL
        .iter()
        .flat_map(|&subject| subject.workloads().iter().map(move |&workload| (subject, workload)))
}

/// Each row under each fault that it can suffer.
fn rows_and_faults() -> Vec<(Subject, Workload, Fault)> {
    rows()
        .flat_map(|(subject, workload)| {
            let suffered = Fault::ALL.iter().filter(move |&&fault| subject.can_suffer(fault));
            suffered.map(move |&fault| (subject, workload, fault))
        })
        .collect()
}

/// The decisions of the schedules in which `fault` takes effect.
fn biting(plan: &Plan, fault: Fault) -> impl Iterator<Item = Decisions> {
    (0..SCHEDULES)
        .filter(move |&schedule| Run::seeded(plan.clone(), SEED, schedule).effects(fault) > 0)
        .map(move |schedule| decisions_of(plan.clone(), SEED, schedule))
}

/// The same decisions, but for those of `fault`.
fn without(fault: Fault, decisions: &Decisions) -> Decisions {
    let mut rest = decisions.clone();
    rest.retain(|address, _| address.kind != fault.kind());
    rest
}

/// What happened, without the book-keeping about faults.
fn effects(plan: &Plan, decisions: &Decisions) -> Vec<(u64, Event)> {
    let mut events = log_of(plan.clone(), decisions).events;
    events.retain(|(_, event)| !matches!(event, Event::TookEffect { .. } | Event::Injected { .. }));
    events
}

#[test]
fn every_fault_bites_every_subject_that_can_suffer_it() {
    rows_and_faults().into_par_iter().for_each(|(subject, workload, fault)| {
        let plan = subject.plan(workload, FaultSet::only(fault));
        assert!(
            biting(&plan, fault).next().is_some(),
            "{} never takes effect on {}, {workload:?}",
            fault.name(),
            subject.name()
        );
    });
}

#[test]
fn a_fault_that_cannot_be_suffered_never_takes_effect() {
    for (subject, workload) in rows() {
        for &fault in Fault::ALL.iter().filter(|&&fault| !subject.can_suffer(fault)) {
            let plan = subject.plan(workload, FaultSet::only(fault));
            let effects = biting(&plan, fault).next().is_some();
            assert!(!effects, "{} takes effect on {}", fault.name(), subject.name());
        }
    }
}

/// Whether `fault` may occur where `on` is switched on, alone or as one of a pair.
fn may(fault: Fault, on: Option<Fault>) -> bool {
    Some(fault) == on || (on == Some(Fault::NetworkPair) && fault.place() == "network")
}

#[test]
fn no_fault_bites_or_strikes_while_it_is_switched_off() {
    let sets = || [None].into_iter().chain(Fault::ALL.iter().copied().map(Some));
    for (subject, workload) in rows() {
        for on in sets() {
            let plan = subject.plan(workload, on.map_or(FaultSet::NONE, FaultSet::only));
            for schedule in 0..4 {
                let decisions = decisions_of(plan.clone(), SEED, schedule);
                for (_, event) in log_of(plan.clone(), &decisions).events {
                    if let Event::TookEffect { fault, .. } | Event::Injected { fault, .. } = event {
                        assert!(may(fault, on), "{fault:?} of {} under {on:?}", subject.name());
                    }
                }
                let run = Run::replayed(plan.clone(), &decisions);
                for &fault in Fault::ALL.iter().filter(|&&fault| !may(fault, on)) {
                    assert_eq!(run.effects(fault), 0, "{fault:?} under {on:?}, {subject:?}");
                }
            }
        }
    }
}

#[test]
fn no_fault_bites_after_everything_has_healed() {
    for (subject, workload, fault) in rows_and_faults() {
        let plan = subject.plan(workload, FaultSet::only(fault));
        for decisions in biting(&plan, fault).take(4) {
            let events = log_of(plan.clone(), &decisions).events;
            let injected =
                events.iter().rev().find(|(_, event)| matches!(event, Event::Injected { .. }));
            assert!(
                injected.is_none_or(|(at, _)| *at <= plan.settings.faults_end),
                "{fault:?}, {subject:?}"
            );
        }
    }
}

/// A fault that only counts itself would leave the same history as none.
#[test]
fn a_bite_makes_a_difference_to_what_happens() {
    rows_and_faults().into_par_iter().for_each(|(subject, workload, fault)| {
        let plan = subject.plan(workload, FaultSet::only(fault));
        let differs = biting(&plan, fault).take(10).any(|decisions| {
            effects(&plan, &decisions) != effects(&plan, &without(fault, &decisions))
        });
        // Upstream counts calls in a key that never expires, so that no clock matters to it.
        let in_vain = (Subject::Upstream, Workload::Debounce, Fault::ServerClock);
        let name = fault.name();
        assert_eq!(
            differs,
            (subject, workload, fault) != in_vain,
            "{}, {workload:?}: whether {name} makes a difference",
            subject.name()
        );
    });
}

/// What is blamed on a fault does not happen without it.
#[test]
fn each_claim_about_a_fault_breaks_with_it_and_only_with_it() {
    let (claims, known) = (Claims::current(), KnownCounterexamples::current());
    let mut cells = Vec::new();
    for &subject in Subject::ALL {
        for &guarantee in Guarantee::ALL {
            for &fault in Fault::ALL {
                let cell = |fault| CellName { subject, guarantee, fault };
                let broken = claims.of(cell(Some(fault))) == Verdict::Broken;
                if broken && claims.of(cell(None)) == Verdict::Holds {
                    cells.push((cell(Some(fault)), fault));
                }
            }
        }
    }
    assert!(!cells.is_empty());
    cells.into_par_iter().for_each(|(cell, fault)| {
        let plan = cell.plan();
        let breaks = |run: &Run| run.effects(fault) > 0 && run.violation(cell.guarantee).is_some();
        let decisions = known.of(cell).expect("each broken cell has a counterexample");
        let broken = breaks(&Run::replayed(plan.clone(), decisions));
        assert!(broken, "{cell} is claimed to be broken, but was not");
        let calm = Run::replayed(plan, &without(fault, decisions));
        assert_eq!(calm.violation(cell.guarantee), None, "{cell} breaks without its fault");
    });
}
