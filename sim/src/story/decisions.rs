//! Decisions in words.

use crate::{
    catalog::Workload,
    decide::{Kind, Site},
    systems::{Plan, Scenario},
    words::{client, message, span},
    world::Settings,
};

/// The name of a kind of decision: that of its fault, or what the workload decides.
pub(crate) fn kind_name(kind: Kind) -> &'static str {
    match (kind.fault(), kind) {
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
    let Scenario { workload, idle_step, .. } = plan.scenario;
    match site.kind {
        Kind::Idle => {
            let (who, round) = (client(site.actor), u64::from(site.occurrence) + 1);
            let more = span(u64::from(choice) * idle_step);
            format!("client {who} idles {more} longer before its round {round}")
        }
        Kind::Style => {
            let (who, round) = (client(site.actor), u64::from(site.occurrence) + 1);
            let style = match workload {
                Workload::Lock => style(choice),
                Workload::Debounce => run_style(choice),
            };
            format!("in its round {round}, client {who} {style}")
        }
        _ => describe_in_any_world(&plan.settings, site, choice),
    }
}

/// As [`describe`], of a decision that does not depend on what the clients do.
pub(crate) fn describe_in_any_world(settings: &Settings, site: Site, choice: u32) -> String {
    if let Some(fault) = site.kind.fault() {
        return fault.describe(site, choice);
    }
    let who = client(site.actor);
    match site.kind {
        Kind::Jitter => {
            let more = span(u64::from(choice) * settings.jitter_step);
            format!("{} takes {more} longer, as messages may", message(site))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{catalog::Subject, faults::FaultSet};

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
