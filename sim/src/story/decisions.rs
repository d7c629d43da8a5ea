//! Decisions in words.

use crate::{
    catalog::{Subject, Workload},
    decide::{Address, DecisionKind},
    systems::{Plan, Scenario, debounce::is_sweeper},
    words::{client, message, span},
    world::{FURTHER, Settings},
};

/// The name of a kind of decision: that of its fault, or what the workload decides.
pub(crate) fn kind_name(kind: DecisionKind) -> &'static str {
    match (kind.fault(), kind) {
        (Some(fault), _) => fault.name(),
        (None, DecisionKind::Idle) => "idle",
        (None, DecisionKind::Behaviour) => "behaviour",
        (None, DecisionKind::Jitter) => "jitter",
        (None, DecisionKind::Order) => "order",
        (None, _) => "other",
    }
}

/// A decision as a sentence without its full stop.
pub(crate) fn describe(plan: &Plan, address: Address, choice: u32) -> String {
    let Scenario { subject, workload, idle_step, .. } = plan.scenario;
    match address.kind {
        DecisionKind::Idle => {
            let (who, round) = (client(address.actor), u64::from(address.occurrence) + 1);
            let more = span(u64::from(choice) * idle_step);
            format!("client {who} idles {more} longer before its round {round}")
        }
        DecisionKind::Behaviour if address.actor == plan.settings.clients => match workload {
            Workload::Lock => "four servers vote for all clients, not three".into(),
            Workload::Debounce => {
                "the first call of a burst is due at once, by the settings of all clients".into()
            }
        },
        DecisionKind::Behaviour if subject == Subject::DebounceHandle => {
            let (who, round) = (client(address.actor), u64::from(address.occurrence) + 1);
            format!(
                "in its round {round}, client {who} {}",
                handled(choice, is_sweeper(plan, address.actor))
            )
        }
        DecisionKind::Behaviour => {
            let (who, round) = (client(address.actor), u64::from(address.occurrence) + 1);
            let behaviour = match workload {
                Workload::Lock if subject.runs_handles() => held(choice),
                Workload::Lock => behaviour(choice),
                Workload::Debounce => run_style(choice),
            };
            format!("in its round {round}, client {who} {behaviour}")
        }
        _ => describe_in_any_world(&plan.settings, address, choice),
    }
}

/// As [`describe`], of a decision that does not depend on what the clients do.
pub(crate) fn describe_in_any_world(settings: &Settings, address: Address, choice: u32) -> String {
    if let Some(fault) = address.kind.fault() {
        return fault.describe(address, choice);
    }
    let who = client(address.actor);
    match address.kind {
        DecisionKind::Jitter => {
            let further = if address.actor & 0x80 != 0 { FURTHER } else { 1 };
            let more = span(u64::from(choice) * settings.jitter_step * further);
            format!("{} takes {more} longer, as messages may", message(address))
        }
        DecisionKind::Order => format!(
            "at its tie {}, client {who} lets the next {choice} of those come first whose events \
             are due at the same instant",
            address.occurrence
        ),
        kind => format!("{kind:?} {choice} of client {who}, number {}", address.occurrence),
    }
}

/// What a client does with the lock once it has it.
fn behaviour(choice: u32) -> &'static str {
    match choice {
        1 => "works on until the lease is over, and longer",
        2 => "extends the lease once while it works",
        _ => "has the lease renewed in the background while it works",
    }
}

/// What a client does with the handle of a lock.
fn held(choice: u32) -> &'static str {
    match choice {
        1 => "works on until the lease is over, and longer",
        2 => "extends the lease once while it works",
        3 => "holds the lease for longer than it lasts, and has it renewed",
        4 => "drops the lease in place of releasing it",
        5 => "extends the lease while that is renewed in the background",
        6 => "does not wait for the answer to its release",
        7 => "goes away if it is not served at once",
        8 => "drops the lease while that is renewed in the background",
        _ => "does as usual",
    }
}

/// How a debounced function goes.
fn run_style(choice: u32) -> &'static str {
    match choice {
        1 => "runs the callback, and it fails",
        3 => "goes away in the middle of a run, and leaves that behind",
        _ => "runs the callback for longer than its lease, and drops it there",
    }
}

/// What a client does with the handle of a debounced function.
fn handled(choice: u32, sweeps: bool) -> &'static str {
    match (choice, sweeps) {
        (1, _) => "runs the callback, if it falls to it, and it fails",
        (2, _) => "runs the callback, if it falls to it, for longer than its lease",
        (3, _) => "runs the callback, if it falls to it, and it panics",
        (4, true) => "makes due what waits, and runs it",
        (5, true) => "drops what waits",
        (4, false) => "leaves its call as soon as it is sent",
        (5, false) => "leaves its call while that waits",
        (6, _) | (9, false) => "drops the call while it runs the callback, if that falls to it",
        _ => "does as usual",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::decide::FaultSet;

    #[test]
    fn every_decision_has_words_whatever_was_chosen() {
        let plan = Subject::LockReplicated.plan(Workload::Lock, FaultSet::NONE);
        for kind in DecisionKind::ALL {
            for choice in [1, 2, 3, 9, 1_000] {
                let words = describe(&plan, Address { kind, actor: 1, occurrence: 1 }, choice);
                assert!(!words.contains(" 0 ms"), "{kind:?}: {words}");
                // What may occur, or not, in the whole run is about nobody.
                let about_someone = kind == DecisionKind::NetworkPair || words.contains("client B");
                assert!(about_someone && !kind_name(kind).is_empty(), "{kind:?}: {words}");
            }
        }
    }

    #[test]
    fn what_clients_of_handles_do_is_told_apart() {
        for (subject, workload) in [
            (Subject::LockHandle, Workload::Lock),
            (Subject::LockAckedHandle, Workload::Lock),
            (Subject::QuorumHandle, Workload::Lock),
            (Subject::DebounceHandle, Workload::Debounce),
        ] {
            let plan = subject.plan(workload, FaultSet::NONE);
            let address = Address { kind: DecisionKind::Behaviour, actor: 1, occurrence: 1 };
            // Some are those of others: of a sweeper, or of one who leaves a run.
            let choices = if workload == Workload::Lock { 1..9 } else { 1..7 };
            let told: BTreeSet<String> =
                choices.clone().map(|choice| describe(&plan, address, choice)).collect();
            assert_eq!(told.len(), choices.len(), "{told:?}");
            assert!(!told.iter().any(|words| words.contains("as usual")), "{told:?}");
        }
    }

    #[test]
    fn a_failover_is_told_by_its_place_and_its_loss() {
        let plan = Subject::LockReplicated.plan(Workload::Lock, FaultSet::NONE);
        let address = Address { kind: DecisionKind::Failover, actor: 0, occurrence: 1 };
        assert_eq!(
            describe(&plan, address, 2),
            "right after it has acknowledged request 1 of client A, the server dies, and a replica \
             takes over that is 20 ms behind"
        );
    }
}
