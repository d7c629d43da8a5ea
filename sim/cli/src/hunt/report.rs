//! What a hunt found, for people and as JSON.

use serde_json::{Value, json};

use super::{
    again::{Again, join},
    rule::{Fault, Replay},
    run::{Failure, Run},
    shrink::{Found, Tally},
    tell,
};

/// How many lines of the output are shown.
const LINES: usize = 25;

/// What came of a hunt.
#[derive(Debug)]
pub(super) enum Outcome {
    /// It fails by itself.
    Calm { failure: Failure, tail: String },
    /// There is a schedule that fails.
    Found(Box<Found>),
    /// No run failed that failed again.
    Nothing,
}

/// What was done.
#[derive(Debug, Default)]
pub(super) struct Effort {
    pub(super) runs: u64,
    pub(super) injected: u64,
    /// How many runs failed once and then never again.
    pub(super) unsteady: u64,
    /// Whether a run has left processes behind.
    pub(super) left_behind: bool,
    pub(super) interrupted: bool,
    pub(super) seed: u64,
}

pub(super) fn told(outcome: &Outcome, effort: &Effort, again: &Again) -> String {
    let mut text = match outcome {
        Outcome::Calm { failure, tail } => {
            let name = again.name();
            format!("`{name}` fails without any fault: {failure}.\n{}", output(tail))
        }
        Outcome::Nothing if effort.interrupted => {
            format!("Interrupted: nothing found so far, in {}.\n", runs(effort))
        }
        Outcome::Nothing => format!("Nothing found, in {}.\n", runs(effort)),
        Outcome::Found(found) => told_found(found, effort, again),
    };
    if matches!(outcome, Outcome::Nothing) && !again.watches_locks() {
        text += "Only the command itself was asked whether it fails: with --lock 'lock:*' the server \
                 judges what is done to the keys that are locks, too.\n";
    }
    if effort.unsteady > 0 {
        let count = effort.unsteady;
        text += &format!(
            "{count} more failed once, and passed when run again: the command is not deterministic.\n"
        );
    }
    if effort.left_behind {
        text += "It left processes running, which were ended.\n";
    }
    text
}

fn runs(effort: &Effort) -> String {
    let Effort { runs, injected, seed, .. } = effort;
    format!("{runs} runs with {injected} faults, seed {seed}")
}

fn told_found(found: &Found, effort: &Effort, again: &Again) -> String {
    let count = match found.faults.len() {
        1 => "1 fault".into(),
        count => format!("{count} faults"),
    };
    let name = again.name();
    let mut text = format!("`{name}` fails under {count}, in {}:\n\n", tally(found.tally));
    for (at, fault) in found.faults.iter().enumerate() {
        text += &format!("  {}\n    {fault}\n", capital(&fault.told()));
        if let Some(without) = found.without.get(at) {
            let Tally { failed, of } = without.tally;
            text += &format!("    without it: passes {} of {of}\n", of - failed);
        }
    }
    text += &format!("\n{}.\n", capital(&found.failure.to_string()));
    text += &other_violations(&found.run);
    text += &output(&found.run.tail);
    if !found.finished {
        text += "\nInterrupted before it was shrunk to the end.\n";
    }
    text += &format!("\nReplay it:\n  {}\n", again.replay(&found.faults));
    let rules: Vec<_> = found.faults.iter().map(Fault::to_string).collect();
    let words = rules.into_iter().flat_map(|rule| ["--fault".to_owned(), rule]);
    let words = join(["leasehold", "serve"].map(str::to_owned).into_iter().chain(words));
    text += &format!("The same faults for a test by hand:\n  {words}\n");
    text + &format!("\nFound after {}.\n", runs(effort))
}

/// What else the server saw.
fn other_violations(run: &Run) -> String {
    let others = run.seen.violations.iter().skip(1).take(3);
    others.map(|violation| format!("Then: {}.\n", violation.text)).collect()
}

fn tally(Tally { failed, of }: Tally) -> String {
    format!("{failed} of {of} runs")
}

fn output(tail: &str) -> String {
    let lines: Vec<&str> = tail.trim_end().lines().collect();
    if lines.is_empty() {
        return "It printed nothing.\n".into();
    }
    let last = &lines[lines.len().saturating_sub(LINES)..];
    let shown: String = last.iter().map(|line| format!("  | {line}\n")).collect();
    format!("\nIts output ends:\n{shown}")
}

fn capital(text: &str) -> String {
    let mut characters = text.chars();
    match characters.next() {
        Some(first) if !text.starts_with('`') => {
            first.to_uppercase().collect::<String>() + characters.as_str()
        }
        _ => text.to_owned(),
    }
}

/// The same for programs.
pub(super) fn json(outcome: &Outcome, effort: &Effort, again: &Again) -> Value {
    let (name, details) = match outcome {
        Outcome::Calm { failure, tail } => {
            ("fails-calmly", json!({ "failure": failure.to_string(), "output": tail }))
        }
        Outcome::Nothing => ("nothing", json!({})),
        Outcome::Found(found) => ("found", json_found(found, again)),
    };
    let mut all = json!({
        "outcome": name,
        "command": again.command,
        "runs": effort.runs,
        "injected": effort.injected,
        "unsteady": effort.unsteady,
        "left_behind": effort.left_behind,
        "interrupted": effort.interrupted,
        "seed": effort.seed,
    });
    if let (Some(all), Value::Object(details)) = (all.as_object_mut(), details) {
        all.extend(details);
    }
    all
}

fn json_found(found: &Found, again: &Again) -> Value {
    let rule = |(at, fault): (usize, &Fault)| {
        let without = found.without.get(at).map(|without| without.tally);
        json!({
            "rule": fault.to_string(),
            "text": fault.told(),
            "failed_without": without.map(|tally| tally.failed),
            "runs_without": without.map(|tally| tally.of),
        })
    };
    json!({
        "failure": found.failure.to_string(),
        "violations": found.run.seen.violations.iter().map(|one| &one.text).collect::<Vec<_>>(),
        "faults": found.faults.iter().enumerate().map(rule).collect::<Vec<_>>(),
        "failed": found.tally.failed,
        "confirmed": found.tally.of,
        "shrunk": found.finished,
        "output": found.run.tail,
        "replay": Replay(found.faults.clone()).to_string(),
        "replay_command": again.replay(&found.faults),
        "story": tell::story(found, again),
    })
}
