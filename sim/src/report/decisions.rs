//! Decisions in words.

use crate::{
    decide::{Kind, Site},
    faults::Fault,
    report::words::{client, message, span},
    subjects::Workload,
    world::{FURTHER, Plan},
};

/// The name of a kind of decision: that of its fault, or what the workload decides.
pub(crate) fn kind_name(kind: Kind) -> &'static str {
    match (fault_of(kind), kind) {
        (Some(fault), _) => fault.name(),
        (None, Kind::Idle) => "idle",
        (None, Kind::Style) => "style",
        (None, Kind::Jitter) => "jitter",
        (None, Kind::Order) => "order",
        (None, _) => "other",
    }
}

/// A decision as a sentence without its full stop.
pub(crate) fn describe(plan: &Plan, site: Site, choice: u32) -> String {
    if let Some(fault) = fault_of(site.kind) {
        return fault.describe(site, choice);
    }
    let (who, round) = (client(site.actor), u64::from(site.occurrence) + 1);
    match site.kind {
        Kind::Idle => {
            let more = u64::from(choice) * plan.idle_step;
            format!("client {who} idles {} longer before its round {round}", span(more))
        }
        Kind::Style => {
            let style = match plan.workload {
                Workload::Lock => style(choice),
                Workload::Debounce => run_style(choice),
            };
            format!("in its round {round}, client {who} {style}")
        }
        Kind::Jitter => {
            let further = if site.actor & 0x80 != 0 { FURTHER } else { 1 };
            let more = u64::from(choice) * plan.jitter_step * further;
            format!("{} takes {} longer, as messages may", message(site), span(more))
        }
        Kind::Order => format!(
            "at its tie {}, client {who} lets the next {choice} of those come first whose events \
             are due at the same instant",
            site.occurrence
        ),
        kind => format!("{kind:?} {choice} of client {who}, number {}", site.occurrence),
    }
}

/// What a client does with the lock once it has it.
fn style(choice: u32) -> &'static str {
    match choice {
        1 => "works on until the lease is over, and longer",
        2 => "extends the lease once while it works",
        _ => "has the lease renewed in the background while it works",
    }
}

/// How a debounced function goes.
fn run_style(choice: u32) -> &'static str {
    match choice {
        1 => "runs the callback, and it fails",
        _ => "runs the callback for longer than its lease, and drops it there",
    }
}

fn fault_of(kind: Kind) -> Option<Fault> {
    Fault::ALL.iter().copied().find(|fault| fault.kind() == kind)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{faults::FaultSet, subjects::Subject};

    #[test]
    fn every_decision_has_words_whatever_was_chosen() {
        let plan = Subject::LockReplicated.plan(Workload::Lock, FaultSet::NONE);
        for kind in Kind::ALL {
            for choice in [1, 2, 3, 9, 1_000] {
                let words = describe(&plan, Site { kind, actor: 1, occurrence: 1 }, choice);
                assert!(!words.contains(" 0 ms"), "{kind:?}: {words}");
                let about_someone = words.contains("client B");
                assert!(about_someone && !kind_name(kind).is_empty(), "{kind:?}: {words}");
            }
        }
    }

    #[test]
    fn a_failover_is_told_by_its_place_and_its_loss() {
        let plan = Subject::LockReplicated.plan(Workload::Lock, FaultSet::NONE);
        let site = Site { kind: Kind::Failover, actor: 0, occurrence: 1 };
        assert_eq!(
            describe(&plan, site, 2),
            "right after it has acknowledged request 1 of client A, the server dies, and a replica \
             takes over that is 20 ms behind"
        );
    }
}
