//! The campaign's own guards, each seen to fail.

use std::sync::atomic::{AtomicU64, Ordering};

use super::*;
use crate::catalog::Workload;

const ROW: Row = Row {
    subject: Subject::LockReplicated,
    workload: Workload::Lock,
    fault: Some(Fault::Failover),
};

fn plan(faults: FaultSet) -> Plan {
    ROW.subject.plan(ROW.workload, faults)
}

fn settings() -> Settings {
    let (subjects, faults) = (vec![ROW.subject], vec![ROW.fault]);
    Settings { subjects, faults, candidates: 1, ..Settings::new(1) }
}

#[test]
fn a_schedule_in_which_the_fault_did_not_bite_does_not_count() {
    let mut tally = Tally::default();
    tally.count(ROW, 0, &Run::seeded(plan(FaultSet::NONE), 1, 0));
    assert_eq!((tally.run, tally.schedules, tally.effects), (1, 0, 0));
    assert!(tally.exercised.iter().all(|&schedules| schedules == 0));
}

#[test]
fn a_cell_that_no_schedule_was_about_is_not_exercised_and_that_is_a_surprise() {
    let name = CellName {
        subject: ROW.subject,
        guarantee: Guarantee::FencedExclusion,
        fault: Some(Fault::Failover),
    };
    let (claims, known) = (Claims::current(), KnownCounterexamples::current());
    let cell = cell((1, 1), &claims, &known, name, &Tally::default());
    assert_eq!((cell.verdict, cell.claim), (Verdict::NotExercised, Verdict::Holds));
}

#[test]
fn a_twin_that_leaves_another_trace_stops_the_campaign() {
    let native = Run::seeded(plan(FaultSet::NONE), 1, 7);
    let mut lua = plan(FaultSet::NONE);
    lua.scenario.engine = Engine::Lua;
    assert!(same_trace(ROW, 1, 7, &native, lua.clone()).is_ok());
    let mut other = lua;
    other.scenario.lease /= 2;
    let differs = same_trace(ROW, 1, 7, &native, other).unwrap_err();
    assert_eq!((differs.seed, differs.schedule), (1, 7));
}

#[test]
fn situations_that_are_new_are_counted_by_the_thousand() {
    let settings = Settings { schedules: 1_400, ..settings() };
    let coverage = run(&settings, &()).unwrap().coverage;
    assert_eq!(coverage.new_per_thousand.len(), 2);
    assert_eq!(coverage.seen, coverage.new_per_thousand.iter().sum::<u64>());
    // The more was seen, the less is new.
    assert!(coverage.new_per_thousand[0] > 5 * coverage.new_per_thousand[1], "{coverage:?}");
}

#[test]
fn what_is_found_of_each_subject_is_handed_out_in_turn_and_is_the_same_together() {
    let subjects = vec![Subject::Lock, Subject::LockReplicated];
    let settings = Settings { subjects: subjects.clone(), schedules: 120, ..settings() };
    let mut parts = Vec::new();
    run_by_subject(&settings, &(), |part| parts.push(part)).unwrap();
    let subject = |part: &Outcome| part.cells[0].name.subject;
    assert_eq!(parts.iter().map(subject).collect::<Vec<_>>(), subjects);
    let whole = run(&settings, &()).unwrap();
    assert_eq!(whole.cells.len(), parts[0].cells.len() + parts[1].cells.len());
    for (one, other) in whole.cells.iter().zip(parts.iter().flat_map(|part| &part.cells)) {
        assert_eq!((one.name, one.verdict, one.broken), (other.name, other.verdict, other.broken));
    }
    assert_eq!(whole.coverage.seen, parts.iter().map(|part| part.coverage.seen).sum::<u64>());
    assert!(!whole.interrupted);
}

/// Interrupts after three pieces.
#[derive(Default)]
struct Impatient(AtomicU64);

impl Progress for Impatient {
    fn expect(&self, _pieces: u64) {}

    fn done(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn is_interrupted(&self) -> bool {
        self.0.load(Ordering::Relaxed) >= 3
    }
}

#[test]
fn an_interrupted_campaign_says_what_it_knows_and_begins_nothing_more() {
    let subjects = vec![Subject::LockReplicated, Subject::Lock];
    // For an hour, without the interrupt.
    let time = Some(Duration::from_secs(3_600));
    let settings = Settings { subjects, schedules: 100, time, ..settings() };
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let outcome = one.install(|| run(&settings, &Impatient::default())).unwrap();
    assert!(outcome.interrupted);
    assert_eq!(outcome.schedules, 300);
    assert!(outcome.cells.iter().all(|cell| cell.name.subject == Subject::LockReplicated));
    assert!(outcome.cells.iter().any(|cell| cell.verdict == Verdict::Broken));
}
