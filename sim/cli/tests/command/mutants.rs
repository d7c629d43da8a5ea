//! Every planted bug is found by the checker that must find it, and only because it is there.

use crate::{
    common::{json, leasehold, printed},
    effort::effort,
};
use leasehold_sim::{
    campaign::Progress,
    catalog::{CellName, Guarantee, Subject, Workload},
    faults::{Fault, FaultSet},
    hunt::{Hunt, KillMatrix, hunt},
    mutants::Mutant,
    systems::Run,
};
use rayon::prelude::*;

struct Silent;

impl Progress for Silent {
    fn expect(&self, _pieces: u64) {}
    fn done(&self) {}
}

#[test]
fn every_planted_bug_is_found_by_its_checker_and_the_true_algorithm_survives_the_same_schedules() {
    let hunt = Hunt {
        mutants: Mutant::ALL.to_vec(),
        seed: 1,
        campaigns: effort(2).into(),
        schedules: None,
    };
    let matrix = KillMatrix::of(&hunt, &Silent);
    for kill in &matrix.mutants {
        let id = &kill.id;
        assert_eq!(kill.killed_by.as_ref(), Some(&kill.guarantee), "{id} survives");
        assert!(kill.slowest <= Some(kill.within), "{id} takes {:?} schedules", kill.slowest);
        assert!(kill.control_survives, "{id}: the true algorithm is accused, too");
    }
    assert_eq!(matrix.mutants.len(), Mutant::ALL.len());
}

/// A row of the matrix that no bug could turn red would say nothing.
#[test]
fn each_guarantee_has_a_bug_that_its_row_of_the_matrix_finds() {
    Guarantee::ALL.par_iter().for_each(|&guarantee| {
        let name = guarantee.name();
        let is_about =
            |mutant: &&Mutant| mutant.guarantee() == guarantee && mutant.is_found_in_the_matrix();
        let mut mutants = Mutant::ALL.iter().filter(is_about).peekable();
        assert!(mutants.peek().is_some(), "no bug breaks {name} in the plan of the matrix");
        for mutant in mutants {
            let cell = CellName { subject: mutant.subject(), guarantee, fault: mutant.fault() };
            let mut plan = cell.plan();
            plan.scenario.mutant = Some(*mutant);
            assert_eq!(mutant.plan(), plan, "{}", mutant.id());
            assert!(hunt(*mutant, 1).killed_after.is_some(), "{name}: {} survives", mutant.id());
        }
    });
}

/// If this bug can hide, nothing that is said to hold has been looked at.
#[test]
fn the_canary_never_survives() {
    for seed in 0..20 {
        let found = hunt(Mutant::Canary, seed);
        assert!(found.killed_after.is_some(), "campaign {seed}");
        assert!(found.control_survives, "campaign {seed}");
    }
}

/// What the documentation advises: to keep a server away that lost its votes, to have every replica
/// acknowledge if any may take over. And what no campaign of the matrix does: to wait for hints.
#[test]
fn the_true_algorithm_survives_many_schedules_of_the_plans_that_only_these_bugs_have() {
    for mutant in [
        Mutant::RestartWithoutDelay,
        Mutant::OneAcknowledgement,
        Mutant::HintsOnly,
        Mutant::EvenVote,
        Mutant::KeptMinority,
        Mutant::SilentCancel,
    ] {
        for schedule in 0..u64::from(effort(500)) {
            let run = Run::seeded(mutant.control(), 1, schedule);
            let found = run.violation(mutant.guarantee());
            assert_eq!(found, None, "{}, schedule {schedule}", mutant.id());
        }
    }
}

/// What is found is found because of what is rewritten, not because something may be.
#[test]
fn a_bug_that_is_planted_elsewhere_leaves_every_event_as_it_is() {
    for (subject, workload, elsewhere) in [
        (Subject::Lock, Workload::Lock, Mutant::NoFence),
        (Subject::LockReplicated, Workload::Lock, Mutant::LastCallerFires),
        (Subject::Quorum, Workload::Lock, Mutant::NoFence),
        (Subject::Debounce, Workload::Debounce, Mutant::EvenVote),
    ] {
        let faults: FaultSet =
            Fault::ALL.iter().copied().filter(|&fault| subject.can_suffer(fault)).collect();
        let plan = subject.plan(workload, faults);
        let mut planted = plan.clone();
        planted.scenario.mutant = Some(elsewhere);
        for schedule in 0..50 {
            let without = Run::seeded(plan.clone(), 1, schedule).trace_hash();
            assert_eq!(Run::seeded(planted.clone(), 1, schedule).trace_hash(), without);
        }
    }
}

#[test]
fn the_command_prints_the_kill_matrix() {
    let text = printed(&["mutants", "bare-delete", "50", "--campaigns", "3"]);
    assert!(text.contains("canary") && text.contains("bare-delete"), "{text}");
    assert!(text.contains("3 of 3 planted bugs are found in each of 3 campaigns"), "{text}");
    let found = json(&["mutants", "50", "--campaigns", "3", "--json", "-"]);
    let kill = &found["mutants"][1];
    assert_eq!(kill["id"], "first-arguments");
    assert_eq!((&kill["violates"], &kill["killed_by"]), (&"B3".into(), &"debounce-fires".into()));
    assert!(kill["origin"].is_string() && kill["schedules"].is_u64() && kill["decisions"].is_u64());
    assert!(found["excused"].as_array().is_some_and(|excused| !excused.is_empty()));
}

#[test]
fn the_command_fails_if_a_bug_survives() {
    let assert = leasehold(&["mutants", "no-fence", "--schedules", "1"]).assert().code(1);
    let text = String::from_utf8(assert.get_output().stdout.clone()).unwrap();
    assert!(text.contains("no-fence survives 1 schedules"), "{text}");
    let found = json(&["mutants", "no-fence", "--schedules", "1", "--json", "-"]);
    assert!(found["mutants"][1]["killed_by"].is_null(), "{found}");
}

#[test]
fn the_same_hunt_finds_the_same_with_any_number_of_threads() {
    let found = |jobs| printed(&["mutants", "1", "2", "--json", "-", "--jobs", jobs]);
    assert_eq!(found("1"), found("4"));
}

#[test]
fn an_unknown_bug_is_refused_with_the_known_ones() {
    let assert = leasehold(&["mutants", "no-such-bug"]).assert().code(2).stdout("");
    let text = String::from_utf8(assert.get_output().stderr.clone()).unwrap();
    assert!(text.contains("bare-delete"), "{text}");
}
