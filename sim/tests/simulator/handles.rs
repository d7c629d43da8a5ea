//! Handles in the matrix: the same code that ships, and yet one seed is one run.

use std::collections::{BTreeMap, BTreeSet};

use leasehold_sim::{
    catalog::Subject,
    decide::Decisions,
    faults::{Fault, FaultSet},
    history::{Act, Answer, Ask, CallAnswer, Client, DebounceEvent, Event, TokenId},
    run::{Log, decisions_of, log_of},
    systems::{Plan, Run},
};

fn plan(subject: Subject, faults: FaultSet) -> Plan {
    subject.plan(subject.workloads()[0], faults)
}

fn log(subject: Subject, faults: FaultSet, schedule: u64) -> Log {
    let decisions: Decisions = decisions_of(plan(subject, faults), 1, schedule);
    log_of(plan(subject, faults), &decisions)
}

#[test]
fn a_seed_leaves_the_same_trace_on_another_thread_while_others_run() {
    let faults = FaultSet::only(Fault::Cancellation).with(Fault::ClientCrash);
    for &subject in Subject::ALL.iter().filter(|subject| subject.runs_handles()) {
        let hashes = move || {
            let runs = (0..40).map(|schedule| Run::seeded(plan(subject, faults), 1, schedule));
            runs.map(|run| run.trace_hash()).collect::<Vec<_>>()
        };
        let elsewhere = std::thread::spawn(hashes);
        let here = hashes();
        assert_eq!(here.iter().collect::<BTreeSet<_>>().len(), 40);
        assert_eq!(elsewhere.join().unwrap(), here);
    }
}

/// What the machine's own program never does: a call of a process begins while another's lease lasts,
/// and a lease is released without any call.
#[test]
fn jobs_of_one_process_queue_up_and_what_is_dropped_is_released() {
    let (mut overlaps, mut unasked, mut renewed) = (0, 0, 0);
    for schedule in 0..20 {
        let events = log(Subject::LockHandle, FaultSet::NONE, schedule).events;
        let mut holder: Option<Client> = None;
        let mut releasing = BTreeSet::new();
        for (_, event) in events {
            match event {
                Event::Held { client, .. } if holder == Some(client) => renewed += 1,
                Event::Held { client, .. } => holder = Some(client),
                Event::Ended { .. } => holder = None,
                Event::Asked { client, ask: Ask::Acquire, .. } => {
                    overlaps += u32::from(holder == Some(client));
                }
                Event::Asked { client, ask: Ask::Release, .. } => _ = releasing.insert(client),
                Event::Returned { client, ask: Ask::Release, answer, .. } => {
                    assert_ne!(answer, Answer::Dropped);
                    releasing.remove(&client);
                }
                Event::Sent { client, act: Act::Release, .. } => {
                    unasked += u32::from(!releasing.contains(&client));
                }
                _ => {}
            }
        }
    }
    assert!(overlaps > 50 && unasked > 50 && renewed > 50, "{overlaps}, {unasked}, {renewed}");
}

/// What the machine's own program never does: calls of one process wait at the same time, callers leave
/// them, callbacks vanish, what waits is cancelled and flushed, and the first call of a burst runs at
/// once in some of the schedules.
#[test]
fn calls_of_one_process_wait_together_and_are_left_flushed_and_cancelled() {
    let (mut together, mut left, mut vanished, mut flushed) = (0, 0, 0, 0);
    let (mut cancelled, mut told_so, mut leading) = (0, 0, 0);
    for schedule in 0..20 {
        let mut open = BTreeSet::new();
        for (_, event) in log(Subject::DebounceHandle, FaultSet::NONE, schedule).events {
            let Event::Debounce(event) = event else { continue };
            match event {
                DebounceEvent::Called { client, call } => {
                    together += u32::from(open.iter().any(|&(caller, _)| caller == client));
                    open.insert((client, call));
                }
                DebounceEvent::Returned { client, call, answer } => {
                    open.remove(&(client, call));
                    left += u32::from(answer == CallAnswer::Dropped);
                    told_so += u32::from(answer == CallAnswer::Cancelled);
                }
                DebounceEvent::Vanished { .. } => vanished += 1,
                DebounceEvent::Flushed => flushed += 1,
                DebounceEvent::Cancelled => cancelled += 1,
                DebounceEvent::Leads => leading += 1,
                _ => {}
            }
        }
    }
    assert!(together > 50 && left > 50 && vanished > 20, "{together}, {left}, {vanished}");
    assert!(flushed > 10 && cancelled > 10, "{flushed}, {cancelled}");
    assert!(told_so > 0 && (4..=16).contains(&leading), "{told_so}, {leading}");
}

/// What tells a waiter of a release goes over the network too.
#[test]
fn a_notification_is_lost_under_each_fault_that_loses_replies() {
    for fault in [Fault::Partition, Fault::ReplyLoss, Fault::Hang] {
        let logs = (0..200)
            .map(|schedule| log(Subject::LockHandle, FaultSet::only(fault), schedule).events);
        // No request has this number.
        let lost = |event: &Event| matches!(event, Event::TookEffect { call: 0, .. });
        let lost = logs.flatten().filter(|(_, event)| lost(event)).take(21).count();
        assert_eq!(lost, 21, "{}", fault.name());
    }
}

/// The client that brings its own tokens along.
const BRINGS_TOKENS: Client = 1;

/// The same number for all of its clients.
#[test]
fn a_quorum_has_three_servers_in_some_schedules_and_four_in_others() {
    let mut sizes = BTreeSet::new();
    for schedule in 0..20 {
        let mut asked: BTreeMap<(Client, TokenId), usize> = BTreeMap::new();
        for (_, event) in log(Subject::QuorumHandle, FaultSet::NONE, schedule).events {
            // Whoever brings tokens along asks for each again and again.
            if let Event::Sent { client, act: Act::Acquire, token: Some(token), .. } = event
                && client != BRINGS_TOKENS
            {
                *asked.entry((client, token)).or_default() += 1;
            }
        }
        let of_schedule: BTreeSet<usize> = asked.into_values().collect();
        assert_eq!(of_schedule.len(), 1, "schedule {schedule}: {of_schedule:?}");
        sizes.extend(of_schedule);
    }
    assert_eq!(sizes, BTreeSet::from([3, 4]));
}

/// How often a call with this question ends so, in these schedules, and what it was about is still held.
fn ended(fault: Option<Fault>, ask: Ask, answer: Answer) -> u32 {
    let mut found = 0;
    for schedule in 0..200 {
        let mut held = BTreeSet::new();
        let faults = fault.map_or(FaultSet::NONE, FaultSet::only);
        for (_, event) in log(Subject::LockHandle, faults, schedule).events {
            match event {
                Event::Held { token, .. } => _ = held.insert(token),
                Event::Ended { token, .. } => _ = held.remove(&token),
                Event::Returned { ask: asked, answer: said, token: Some(token), .. } => {
                    let is_it = (asked, said) == (ask, answer);
                    found += u32::from(is_it && (ask == Ask::Release || held.contains(&token)));
                }
                _ => {}
            }
        }
    }
    found
}

/// The caller stays, and goes on under the lease.
#[test]
fn a_caller_may_drop_an_extension_or_a_release_and_nothing_else() {
    for ask in [Ask::Extend, Ask::Release] {
        let dropped = ended(Some(Fault::Cancellation), ask, Answer::Dropped);
        assert!(dropped > 10, "{ask:?}: {dropped}");
        assert_eq!(ended(None, ask, Answer::Dropped), 0);
    }
}
