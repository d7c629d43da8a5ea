//! A caller of a handle may go away wherever it has to wait: each wait of a schedule is dropped, one at
//! a time, and what is claimed to hold does.

use std::collections::{BTreeMap, BTreeSet};

use leasehold_sim::{
    catalog::{CellName, Subject, Verdict},
    claims::Claims,
    decide::{Address, DecisionKind, Decisions, Replay},
    faults::{Fault, FaultSet},
    guarantees::{CheckerSet, Guarantee},
    history::{Awaited, Client, Event},
    mutants::Mutant,
    run::decisions_of,
    systems::{Plan, World},
    world::Observer,
};
use rayon::prelude::*;

/// A call: in which schedule, whose, and in which job.
type Call = (u64, Client, u32);

/// At which of its waits each call was dropped.
type Dropped = BTreeMap<(Awaited, Call), BTreeSet<u32>>;

/// In every other schedule, replies are lost, so that calls are made again.
fn faults(schedule: u64) -> FaultSet {
    let faults = FaultSet::only(Fault::Cancellation);
    if schedule % 2 == 1 { faults.with(Fault::ReplyLoss) } else { faults }
}

/// Whoever sweeps a debounced function: it flushes and cancels what waits, too.
const SWEEPER: Client = 3;

/// A schedule without the drops, in which `client` does one thing after the other that it can.
fn calm(plan: &Plan, schedule: u64, client: Client) -> Decisions {
    let mut decisions = decisions_of(plan.clone(), 1, schedule);
    decisions.retain(|address, _| address.kind != DecisionKind::Cancellation);
    let behaviours = plan.scenario.behaviours;
    let flushes = schedule % 2 == 1;
    for job in 0..behaviours {
        let address = Address { kind: DecisionKind::Behaviour, actor: client, occurrence: job };
        let next = match client {
            SWEEPER if flushes => 4 + job % 2,
            SWEEPER => 0,
            _ => job + 4 * schedule as u32,
        };
        decisions.insert(address, next % behaviours);
    }
    decisions.retain(|_, choice| *choice > 0);
    decisions
}

/// What is promised of `subject` whoever goes away.
fn promised(subject: Subject) -> Vec<Guarantee> {
    let (claims, workload) = (Claims::current(), subject.workloads()[0]);
    let is_promised = |guarantee: &Guarantee| {
        let cell = CellName { subject, guarantee: *guarantee, fault: Some(Fault::Cancellation) };
        guarantee.workload() == workload && claims.of(cell) != Verdict::Broken
    };
    Guarantee::ALL.iter().copied().filter(is_promised).collect()
}

/// What is seen of one run.
#[derive(Default)]
struct Seen {
    checkers: CheckerSet,
    /// Whether a caller went away,
    gone: bool,
    /// and from what: whose, in which job, and at which wait.
    left: Option<(Awaited, Client, u32, u32)>,
}

impl Observer for Seen {
    fn observe(&mut self, at: u64, event: &Event) {
        self.checkers.observe(at, event);
        match *event {
            Event::TookEffect { fault: Fault::Cancellation, .. } => self.gone = true,
            Event::Left { client, job, awaited, at } => {
                self.left = Some((awaited, client, job, at));
            }
            _ => {}
        }
    }
}

impl Seen {
    fn of(plan: &Plan, decisions: &Decisions) -> Self {
        let mut seen = Self::default();
        World::new(plan.clone()).run(&mut Replay::of(decisions), &mut seen);
        seen
    }

    fn broken(&self, promised: &[Guarantee]) -> Option<String> {
        promised.iter().find_map(|&guarantee| {
            let violation = self.checkers.violation(guarantee)?;
            Some(format!("{}: {}", guarantee.name(), violation.text))
        })
    }
}

/// Drops each wait of `client` in `schedule`. What broke, and where calls were dropped.
fn each_wait(
    plan: &Plan,
    schedule: u64,
    client: Client,
    promised: &[Guarantee],
) -> (Vec<String>, Dropped) {
    let (mut found, mut dropped) = (Vec::new(), Dropped::new());
    let calm = calm(plan, schedule, client);
    for wait in 1.. {
        let address = Address { kind: DecisionKind::Cancellation, actor: client, occurrence: wait };
        let mut decisions = calm.clone();
        decisions.insert(address, 1);
        let seen = Seen::of(plan, &decisions);
        if !seen.gone {
            break;
        }
        let broken = seen.broken(promised);
        found.extend(broken.map(|text| format!("{schedule}, {client}, {wait}: {text}")));
        if let Some((awaited, client, job, at)) = seen.left {
            let call = (awaited, (schedule, client, job));
            dropped.entry(call).or_default().insert(at);
        }
    }
    (found, dropped)
}

fn each_wait_of(
    subject: Subject,
    mutant: Option<Mutant>,
    schedules: u64,
) -> (Vec<String>, Dropped) {
    let promised = promised(subject);
    let each = (0..schedules).into_par_iter().map(|schedule| {
        let mut plan = subject.plan(subject.workloads()[0], faults(schedule));
        (plan.settings.faults_end, plan.settings.end) = (2_000_000, 6_000_000);
        plan.scenario.mutant = mutant;
        let client = (schedule / 2) as Client % plan.settings.clients;
        each_wait(&plan, schedule, client, &promised)
    });
    each.reduce(Default::default, |(mut found, mut dropped), (more, others)| {
        found.extend(more);
        dropped.extend(others);
        (found, dropped)
    })
}

/// How many calls of each kind were dropped at each of their waits, and how many of these had one
/// between the first and the last.
fn counted(dropped: &Dropped) -> BTreeMap<Awaited, [u32; 2]> {
    let mut counts: BTreeMap<Awaited, [u32; 2]> = BTreeMap::new();
    for ((awaited, call), at) in dropped {
        let last = at.last().copied().unwrap_or(0);
        assert!(at.iter().copied().eq(1..=last), "{awaited:?} of {call:?} has a gap: {at:?}");
        let count = counts.entry(*awaited).or_default();
        count[0] += 1;
        count[1] += u32::from(last > 2);
    }
    counts
}

#[test]
fn every_call_of_a_handle_is_dropped_at_each_of_its_waits_and_survives() {
    let mut counts: BTreeMap<Awaited, [u32; 2]> = BTreeMap::new();
    for &subject in Subject::ALL.iter().filter(|subject| subject.runs_handles()) {
        let (found, dropped) = each_wait_of(subject, None, 8);
        assert_eq!(found, Vec::<String>::new(), "{}", subject.name());
        for (awaited, more) in counted(&dropped) {
            let count = counts.entry(awaited).or_default();
            count.iter_mut().zip(more).for_each(|(count, more)| *count += more);
        }
    }
    for awaited in Awaited::ALL {
        let [all, middle] = counts.get(&awaited).copied().unwrap_or_default();
        // These wait once, or twice: there is no middle.
        let is_short = matches!(awaited, Awaited::Cancel | Awaited::Clear | Awaited::Work);
        assert!(all > 0, "{awaited:?}: {counts:?}");
        assert!(is_short || middle > 0, "{awaited:?}: {counts:?}");
    }
}

/// The test above can fail.
#[test]
fn a_caller_who_leaves_and_wakes_nobody_is_found_out() {
    let (found, _) = each_wait_of(Subject::LockHandle, Some(Mutant::LostWakeUp), 8);
    assert!(found.iter().any(|text| text.contains("liveness")), "{found:?}");
}
