//! Stories that the literature tells of locks, each as the few decisions that it takes.

use leasehold_sim::{
    catalog::{CellName, Subject, Workload},
    counterexamples::KnownCounterexamples,
    decide::{Address, DecisionKind, Decisions, Lengthened, shrink, threshold},
    faults::{Fault, FaultSet},
    guarantees::Guarantee,
    run::decisions_of,
    schedule::Schedule,
    story::replay,
    systems::Run,
};

/// One decision: what, for whom, at which occurrence, and the choice.
type Choice = (DecisionKind, u8, u32, u32);

fn decisions(choices: &[Choice]) -> Decisions {
    let address =
        |&(kind, actor, occurrence, choice): &Choice| (Address { kind, actor, occurrence }, choice);
    choices.iter().map(address).collect()
}

/// The run of these decisions by clients of `subject`, with every fault that they name.
fn run(subject: Subject, workload: Workload, choices: &[Choice]) -> Run {
    let named = |fault: &&Fault| choices.iter().any(|(kind, ..)| *kind == fault.kind());
    let faults =
        Fault::ALL.iter().filter(named).fold(FaultSet::NONE, |set, &fault| set.with(fault));
    let run = Run::replayed(subject.plan(workload, faults), &decisions(choices));
    for &fault in Fault::ALL.iter().filter(named) {
        assert!(run.effects(fault) > 0, "{} has no effect on {}", fault.name(), subject.name());
    }
    run
}

/// What is found against `guarantee`.
fn found(run: &Run, guarantee: Guarantee) -> Option<&str> {
    run.violation(guarantee).map(|violation| violation.text.as_str())
}

/// The primary acknowledges the first grant and dies before the replica has seen it (Redis'
/// replication is asynchronous; Kleppmann, "How to do distributed locking", 2016).
#[test]
fn a_failover_breaks_exclusion_but_not_fenced_exclusion() {
    let story = [(DecisionKind::Failover, 0, 1, 2)];
    let run = run(Subject::LockReplicated, Workload::Lock, &story);
    assert_eq!(
        found(&run, Guarantee::Exclusion),
        Some("client 0 acts under the lock while client 2 holds it")
    );
    assert_eq!(found(&run, Guarantee::FencedExclusion), None);
    assert_eq!(found(&run, Guarantee::FenceOrder), None);
}

/// The client stands still for longer than its lease between looking at it and acting (the same
/// article's figure of a collection of garbage).
#[test]
fn a_pause_between_check_and_act_breaks_exclusion_but_not_fenced_exclusion() {
    let story = [(DecisionKind::ClientPause, 0, 3, 2)];
    let run = run(Subject::Lock, Workload::Lock, &story);
    assert_eq!(
        found(&run, Guarantee::Exclusion),
        Some("client 0 acts under the lock while client 1 holds it")
    );
    assert_eq!(found(&run, Guarantee::FencedExclusion), None);
    assert_eq!(found(&run, Guarantee::TimelyLoss), None);
}

/// The first acquire is applied, but the client sees a broken connection and asks again.
#[test]
fn a_lost_reply_makes_upstream_lie_and_not_us() {
    let story = [(DecisionKind::ReplyLoss, 0, 1, 1)];
    let theirs = run(Subject::Upstream, Workload::Lock, &story);
    assert_eq!(
        found(&theirs, Guarantee::TruthfulOutcome),
        Some("client 0 is told that it did not get the lock, but the key is under its token")
    );
    for subject in [Subject::Lock, Subject::LockReplicated] {
        let ours = run(subject, Workload::Lock, &story);
        assert!(ours.exercised(Guarantee::TruthfulOutcome));
        assert_eq!(found(&ours, Guarantee::TruthfulOutcome), None);
    }
}

/// The reply to an extension is lost, and the client asks again.
#[test]
fn a_lost_reply_makes_upstream_extend_twice_and_not_us() {
    let story = [(DecisionKind::Behaviour, 0, 0, 2), (DecisionKind::ReplyLoss, 0, 2, 1)];
    let theirs = run(Subject::Upstream, Workload::Lock, &story);
    let text = found(&theirs, Guarantee::Idempotence).expect("upstream adds to what is left");
    assert!(text.starts_with("extending again adds"), "{text}");
    let ours = run(Subject::Lock, Workload::Lock, &story);
    assert!(ours.exercised(Guarantee::Idempotence));
    assert_eq!(found(&ours, Guarantee::Idempotence), None);
}

/// A copy of an acquire arrives after its lock was released.
#[test]
fn a_late_copy_locks_upstreams_key_again_and_is_refused_by_us() {
    let late = |choice| [(DecisionKind::Idle, 0, 1, 2), (DecisionKind::Duplicate, 0, 1, choice)];
    let theirs = run(Subject::Upstream, Workload::Lock, &late(4));
    assert_eq!(
        found(&theirs, Guarantee::NoZombie),
        Some("grant #1 of client 0 is back under the key after it was released")
    );
    for choice in 1..=6 {
        let ours = run(Subject::Lock, Workload::Lock, &late(choice));
        // The first copies come while the lock is held still.
        let late = choice >= 5;
        assert!(!late || ours.exercised(Guarantee::NoZombie), "copy {choice}");
        assert_eq!(found(&ours, Guarantee::NoZombie), None, "copy {choice}");
    }
}

/// Only the last caller knows that it is the last, and its process dies as it waits.
#[test]
fn a_crash_of_the_last_caller_is_the_end_of_upstreams_run_and_not_of_ours() {
    let theirs =
        run(Subject::Upstream, Workload::Debounce, &[(DecisionKind::ClientCrash, 2, 27, 1)]);
    assert_eq!(
        found(&theirs, Guarantee::DebounceFires),
        Some("call 6 of client 2 is never run, and none after it")
    );
    let mut crashes = 0;
    for client in 0..3 {
        for step in 1..40 {
            let plan =
                Subject::Debounce.plan(Workload::Debounce, FaultSet::only(Fault::ClientCrash));
            let story = decisions(&[(DecisionKind::ClientCrash, client, step, 1)]);
            let ours = Run::replayed(plan, &story);
            crashes += ours.effects(Fault::ClientCrash);
            assert!(ours.exercised(Guarantee::DebounceFires));
            assert_eq!(
                found(&ours, Guarantee::DebounceFires),
                None,
                "client {client}, step {step}"
            );
        }
    }
    assert!(crashes > 10, "only {crashes} crashes fell into a call");
}

/// Shrinks the first schedule of each of 12 seeds that breaks `guarantee` to at most 4 decisions, each
/// of which is needed.
fn shrinks(subject: Subject, guarantee: Guarantee, fault: Fault) {
    let plan = CellName { subject, guarantee, fault: Some(fault) }.plan();
    let breaks = |decisions: &Decisions| {
        let run = Run::replayed(plan.clone(), decisions);
        run.effects(fault) > 0 && run.violation(guarantee).is_some()
    };
    for seed in 1..=12 {
        let mut seeded = (0..2_000).map(|schedule| decisions_of(plan.clone(), seed, schedule));
        let failing = seeded.find(breaks).expect("one of 2000 schedules breaks it");
        let shrunk = shrink(failing, 2_000, breaks);
        assert!(shrunk.minimal && shrunk.runs <= 2_000, "seed {seed}: {} runs", shrunk.runs);
        assert!(breaks(&shrunk.decisions));
        assert!(shrunk.decisions.len() <= 4, "seed {seed}: stuck at {:?}", shrunk.decisions);
        for address in shrunk.decisions.keys() {
            let mut without = shrunk.decisions.clone();
            without.remove(address);
            assert!(!breaks(&without), "seed {seed}: {address:?} can be spared");
        }
    }
}

#[test]
fn failover_breaks_exclusion_shrinks_to_a_few_decisions() {
    shrinks(Subject::LockReplicated, Guarantee::Exclusion, Fault::Failover);
}

#[test]
fn pause_breaks_exclusion_shrinks_to_a_few_decisions() {
    shrinks(Subject::Lock, Guarantee::Exclusion, Fault::ClientPause);
}

#[test]
fn lost_reply_breaks_upstream_shrinks_to_a_few_decisions() {
    shrinks(Subject::Upstream, Guarantee::TruthfulOutcome, Fault::ReplyLoss);
}

/// A pause does harm only if it outlasts the wait of those who take the lock next.
#[test]
fn a_pause_breaks_exclusion_only_if_it_is_long_enough() {
    let cell = CellName {
        subject: Subject::Lock,
        guarantee: Guarantee::Exclusion,
        fault: Some(Fault::ClientPause),
    };
    let known = KnownCounterexamples::current();
    let decisions = known.of(cell).expect("exclusion breaks under a pause");
    let pause = decisions.keys().find(|address| address.kind == DecisionKind::ClientPause).unwrap();
    let breaks = |length| {
        let mut source = Lengthened::of(decisions, *pause, Some(length));
        Run::of(cell.plan(), &mut source).violation(Guarantee::Exclusion).is_some()
    };
    let holds = threshold(1_200_000, breaks).expect("a short pause does no harm");
    assert!(!breaks(holds) && breaks(holds + 1_000));
    let told = replay(&Schedule::of(cell, decisions.clone()));
    assert!(told.contains("it holds; it breaks only if that is more than"), "{told}");
}
