//! What a campaign found, as it is written to files and told to people.

pub(crate) mod decisions;
mod explored;
mod join;
mod matrix;
mod replay;
mod statistics;
mod story;
mod summary;
mod timeline;
pub(crate) mod words;

use std::{collections::BTreeSet, fmt::Write};

use serde::{Deserialize, Serialize};

pub(crate) use decisions::kind_name;
pub use explored::{Exploration, ExploredReport, Finding};
pub use join::JoinError;
pub use matrix::matrix;
pub use replay::{every_event, replay};
pub use statistics::Statistics;
pub use summary::{story_of, surprises};

use crate::{
    campaign::{Cell, CellName, Counterexample, Outcome},
    claims::Verdict,
    explore::{Proof, Proofs},
    faults::Fault,
    guarantees::Guarantee,
    schedule::Schedule,
};

/// What a campaign found, or several shards of one together. This is the form of the JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The version of the program that found it.
    pub version: String,
    /// The seed of the campaign.
    pub seed: u64,
    /// Which shards of the campaign this is.
    pub shards: Shards,
    /// How many schedules were run.
    pub schedules: u64,
    /// The cells, by subject, guarantee and fault.
    pub cells: Vec<CellReport>,
    /// How much was seen.
    #[serde(default)]
    pub statistics: Statistics,
}

/// The shards of a campaign that a report is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shards {
    /// Their numbers, from 1, in order.
    pub done: Vec<u64>,
    /// Out of how many.
    pub of: u64,
}

/// What is known of one cell of the matrix.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CellReport {
    /// The name of the algorithm.
    pub subject: String,
    /// The name of the promise.
    pub guarantee: String,
    /// The name of what went wrong, or `none`.
    pub fault: String,
    /// What was found.
    pub verdict: Verdict,
    /// What is claimed.
    pub claim: Verdict,
    /// In how many schedules the fault bit.
    pub schedules: u64,
    /// How often it bit.
    pub bites: u64,
    /// In how many schedules the guarantee broke.
    pub broken: u64,
    /// The small cluster of which every schedule holds, as `leasehold explore` shows, if there is one.
    pub exhausted: Option<Exhausted>,
    /// The shortest story of how it broke.
    pub counterexample: Option<Told>,
}

/// All schedules within a bound hold: `leasehold explore --only NAME` runs them again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exhausted {
    /// What it is called in `sim/proofs.toml`.
    pub name: String,
    /// How many different states of the world there are.
    pub states: u64,
    /// The bound, in words.
    pub bound: String,
}

/// A counterexample, told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// The word that `leasehold replay` takes.
    pub token: String,
    /// How the guarantee broke, as a sentence.
    pub text: String,
    /// The decisions that break it; none can be left out.
    pub decisions: Vec<ToldDecision>,
    /// The timeline, a line an event.
    pub events: Vec<String>,
}

/// A decision, told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToldDecision {
    /// What was decided: the name of a fault, or of a part of the workload.
    pub kind: String,
    /// For whom, by number.
    pub actor: u8,
    /// The how-manieth of that actor.
    pub occurrence: u32,
    /// What was chosen; 0 would have been the calmest.
    pub choice: u32,
    /// All of it, in words.
    pub text: String,
    /// For a length of time: with this many milliseconds or less, the guarantee holds.
    #[serde(default)]
    pub needs_more_than_ms: Option<u64>,
}

impl Report {
    /// The report on an outcome of shard number `shard.0`, from 0, of `shard.1`.
    #[must_use]
    pub fn of(outcome: &Outcome, shard: (u64, u64)) -> Self {
        let proofs = Proofs::current();
        let mut report = Self {
            version: env!("CARGO_PKG_VERSION").into(),
            seed: outcome.seed,
            shards: Shards { done: vec![shard.0 + 1], of: shard.1 },
            schedules: outcome.schedules,
            cells: outcome.cells.iter().map(|cell| CellReport::of(cell, &proofs)).collect(),
            statistics: Statistics::default(),
        };
        report.statistics = Statistics::of(&report, Some(outcome.situated.clone()));
        report
    }

    /// Whether all shards of the campaign are in it.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.shards.done.len() as u64 == self.shards.of
    }

    /// How often faults bit. Cells that were judged on the same schedules count once.
    #[must_use]
    pub fn bites(&self) -> u64 {
        let mut seen = BTreeSet::new();
        let workload = |name: &str| {
            let known = Guarantee::ALL.iter().find(|known| known.name() == name);
            known.map(|guarantee| guarantee.workload())
        };
        let first = self
            .cells
            .iter()
            .filter(|cell| seen.insert((&cell.subject, &cell.fault, workload(&cell.guarantee))));
        first.map(|cell| cell.bites).sum()
    }

    /// The cells that are not what is claimed of them. A part of a campaign may miss what the whole
    /// finds, so in a part only what broke against its claim counts.
    pub fn surprises(&self) -> impl Iterator<Item = &CellReport> {
        let whole = self.is_whole();
        self.cells.iter().filter(move |cell| {
            !cell.verdict.is_as_claimed(cell.claim) && (whole || cell.verdict == Verdict::Broken)
        })
    }
}

impl CellReport {
    fn of(cell: &Cell, proofs: &Proofs) -> Self {
        let CellName { subject, guarantee, fault } = cell.name;
        Self {
            subject: subject.name().into(),
            guarantee: guarantee.name().into(),
            fault: fault.map_or("none", Fault::name).into(),
            verdict: cell.verdict,
            claim: cell.claim,
            schedules: cell.schedules,
            bites: cell.bites,
            broken: cell.broken,
            exhausted: proofs
                .of(cell.name)
                .filter(|_| cell.verdict != Verdict::Broken)
                .map(Exhausted::of),
            counterexample: cell.counterexample.as_ref().map(|found| Told::of(cell.name, found)),
        }
    }

    /// Its place in the matrix, for people.
    #[must_use]
    pub fn place(&self) -> String {
        format!("{} × {} × {}", self.subject, self.guarantee, self.fault)
    }
}

impl Exhausted {
    fn of(proof: &Proof) -> Self {
        Self { name: proof.name.clone(), states: proof.states, bound: proof.bounds.to_string() }
    }
}

impl Told {
    fn of(cell: CellName, found: &Counterexample) -> Self {
        let told = Self::about(&Schedule::of(cell, found.decisions.clone()));
        let text = if told.text.is_empty() { found.text.clone() } else { told.text };
        Self { text, ..told }
    }

    /// A schedule, told; its `text` is empty if it breaks nothing.
    #[must_use]
    pub fn about(schedule: &Schedule) -> Self {
        let story = story::Story::of(schedule);
        Self {
            token: schedule.to_string(),
            text: story.verdict().unwrap_or_default(),
            decisions: told_decisions(schedule),
            events: timeline::print(&timeline::timeline(&story)),
        }
    }

    /// Its decisions and its timeline for people, and how to replay it.
    fn story(&self) -> String {
        let mut text = String::new();
        for decision in &self.decisions {
            let _ = writeln!(text, "{}", words::wrap("  - ", &decision.text));
        }
        text.push('\n');
        for event in &self.events {
            let _ = writeln!(text, "  {event}");
        }
        let _ = writeln!(text, "\n{}", words::wrap("  ", &format!("Broken: {}.", self.text)));
        let _ = writeln!(text, "  Replay: leasehold replay {}", self.token);
        text
    }

    /// How long it is: by decisions first.
    fn length(&self) -> (usize, usize) {
        (self.decisions.len(), self.events.len())
    }
}

fn told_decisions(schedule: &Schedule) -> Vec<ToldDecision> {
    let plan = schedule.plan();
    let told = schedule.decisions.iter().map(|(&site, &choice)| ToldDecision {
        kind: kind_name(site.kind).into(),
        actor: site.actor,
        occurrence: site.occurrence,
        choice,
        text: decisions::describe(&plan, site, choice),
        needs_more_than_ms: replay::needed(schedule, site).map(|micros| micros / 1_000),
    });
    told.collect()
}
