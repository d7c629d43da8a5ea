//! One schedule, told from start to end.

use std::fmt::Write;

use super::{
    account::{Account, Topic, told_decisions},
    timeline::print,
};
use crate::words::{counted, wrap};
use crate::{claims::Claims, run::log_of, schedule::Schedule, systems::Run};

/// The story of a schedule: what it is about, what was decided, what happened, what that means, and
/// what would have happened without each of the decisions.
#[must_use]
pub fn replay(schedule: &Schedule) -> String {
    let (topic, mut text) = (Topic::from(schedule), head(schedule));
    let account = Account::of(&topic);
    let decisions = &schedule.decisions;
    let _ = writeln!(text, "\nWhat was decided ({}):", counted(decisions.len(), "decision"));
    for line in with_counterfactuals(&topic, account.record.violation.is_some()) {
        let _ = writeln!(text, "{line}");
    }
    text += "\nWhat happened (a star where a fault occurs):\n";
    for line in print(&account.lines()) {
        let _ = writeln!(text, "  {line}");
    }
    let verdict = match account.verdict() {
        Some(verdict) => format!("Broken: {verdict}."),
        None => "Nothing broke the guarantee in this schedule.".into(),
    };
    let _ = writeln!(text, "\n{verdict}");
    text
}

/// Every event of a schedule from start to end as the checkers see it, and the hash of its trace.
#[must_use]
pub fn every_event(schedule: &Schedule) -> String {
    let (plan, decisions) = (schedule.plan(), &schedule.decisions);
    let mut text = String::from("\nEvery event, in true ms:\n");
    for (at, event) in log_of(plan.clone(), decisions).events {
        let _ = writeln!(text, "{:>9}.{:03} {event:?}", at / 1_000, at % 1_000);
    }
    let hash = Run::replayed(plan, decisions).trace_hash();
    let _ = writeln!(text, "trace hash {hash:016x}");
    text
}

fn head(schedule: &Schedule) -> String {
    let cell = schedule.cell;
    let claim = Claims::current().of(cell).name();
    let mut text = format!("{cell}\n");
    let _ = writeln!(text, "  subject:   {}", cell.subject.title());
    let _ = writeln!(text, "  guarantee: {}", cell.guarantee.claim());
    if let Some(fault) = cell.fault {
        let _ = writeln!(text, "  fault:     {}", fault.cause());
    }
    if let Some(scale) = schedule.scale {
        let _ = writeln!(text, "{}", wrap("  cluster:   ", &scale.to_string()));
    }
    let _ = writeln!(text, "  claimed:   {claim}");
    text
}

fn with_counterfactuals(topic: &Topic, broken: bool) -> Vec<String> {
    let Topic { plan, cell, decisions, .. } = topic;
    let mut lines = Vec::new();
    for (address, told) in decisions.keys().zip(told_decisions(topic, broken)) {
        lines.push(wrap("  - ", &told.text));
        let mut without = decisions.clone();
        without.remove(address);
        let run = Run::replayed(plan.clone(), &without);
        let breaks = run.violation(cell.guarantee).is_some();
        let effects = cell.fault.is_none_or(|fault| run.effects(fault) > 0);
        let mut line = format!("    without this, {}", counterfactual(broken, breaks, effects));
        if broken
            && !breaks
            && let Some(length) = told.breaks_above_micros
        {
            line += &format!("; it breaks only if that is more than {} ms", length / 1_000);
        }
        lines.push(line);
    }
    if decisions.is_empty() {
        lines.push("  - nothing: all is as calm as can be".into());
    }
    lines
}

fn counterfactual(breaks_with: bool, breaks_without: bool, effects: bool) -> &'static str {
    match (breaks_with, breaks_without) {
        (true, false) => "it holds",
        (true, true) if !effects => "it is broken, too, although the fault has no effect",
        (true, true) => "it is broken all the same",
        (false, true) => "it is broken",
        (false, false) => "it holds, too",
    }
}
