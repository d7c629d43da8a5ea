//! What a campaign found, as it is written to files and told to people.

mod explored;
mod join;
mod matrix;
mod statistics;
mod subjects;
mod summary;
mod told;
mod width;

use crate::models::{BoundedModel, BoundedModels};
use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

pub(crate) use explored::{Exploration, ExploredReport, Finding};
pub(crate) use statistics::Statistics;
pub(crate) use told::Telling;
pub(crate) use width::fit;

use leasehold_sim::{
    campaign::{Cell, Counterexample, Outcome},
    catalog::{CellName, Verdict},
    faults::Fault,
    guarantees::Guarantee,
    schedule::Schedule,
    story::{StoryReport, Topic, tell},
};
use leasehold_story::Story;
use rayon::prelude::*;

/// What a campaign found, or several shards of one together. This is the form of the JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Report {
    /// The version of the program that found it.
    pub(crate) version: String,
    /// The seed of the campaign.
    pub(crate) seed: u64,
    /// Which shards of the campaign this is.
    pub(crate) shards: Shards,
    /// How many schedules were run.
    pub(crate) schedules: u64,
    /// The cells, by subject, guarantee and fault.
    pub(crate) cells: Vec<CellReport>,
    /// How much was seen.
    #[serde(default)]
    pub(crate) statistics: Statistics,
    /// Whether it was interrupted, so that schedules are missing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) interrupted: bool,
}

/// The shards of a campaign that a report is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Shards {
    /// Their numbers, from 1, in order.
    pub(crate) done: Vec<u64>,
    /// Out of how many.
    pub(crate) of: u64,
}

/// What is known of one cell of the matrix.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CellReport {
    /// The name of the algorithm.
    pub(crate) subject: String,
    /// The name of the promise.
    pub(crate) guarantee: String,
    /// The name of what went wrong, or `none`.
    pub(crate) fault: String,
    /// What was found.
    pub(crate) verdict: Verdict,
    /// What is claimed.
    pub(crate) claim: Verdict,
    /// In how many schedules the fault took effect.
    pub(crate) schedules: u64,
    /// How often it took effect.
    pub(crate) effects: u64,
    /// In how many schedules the guarantee broke.
    pub(crate) broken: u64,
    /// The small cluster of which every schedule holds, as `leasehold explore` shows, if there is one.
    pub(crate) exhausted: Option<Exhausted>,
    /// The shortest story of how it broke.
    pub(crate) counterexample: Option<StoryReport>,
    /// The same as typed events, with the runs that leave some of its decisions out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) story: Option<Story>,
}

/// All schedules within a bound hold: `leasehold explore --only NAME` runs them again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Exhausted {
    /// What it is called in `sim/cli/models.toml`.
    pub(crate) name: String,
    /// How many different states of the world there are.
    pub(crate) states: u64,
    /// The bound, in words.
    pub(crate) bound: String,
}

impl Report {
    /// The report on an outcome of shard number `shard.0`, from 0, of `shard.1`.
    #[must_use]
    pub(crate) fn of(outcome: &Outcome, shard: (u64, u64)) -> Self {
        let models = BoundedModels::current();
        let mut report = Self {
            version: env!("CARGO_PKG_VERSION").into(),
            seed: outcome.seed,
            shards: Shards { done: vec![shard.0 + 1], of: shard.1 },
            schedules: outcome.schedules,
            cells: outcome.cells.iter().map(|cell| CellReport::of(cell, &models)).collect(),
            statistics: Statistics::default(),
            interrupted: outcome.interrupted,
        };
        report.statistics = Statistics::of(&report, Some(outcome.coverage.clone()));
        report
    }

    /// Tells the story of each cell that is broken as typed events.
    pub(crate) fn tell_stories(&mut self) {
        let untold = self.cells.par_iter_mut().filter(|cell| cell.story.is_none());
        untold.for_each(|cell| {
            cell.story = cell.counterexample.as_ref().and_then(story_of_token);
        });
    }

    /// Whether all shards of the campaign are in it, each to its end.
    #[must_use]
    pub(crate) fn is_whole(&self) -> bool {
        self.shards.done.len() as u64 == self.shards.of && !self.interrupted
    }

    /// The names of its subjects.
    #[must_use]
    pub(crate) fn subjects(&self) -> Vec<&str> {
        distinct(self.cells.iter().map(|cell| &*cell.subject))
    }

    /// The names of its faults, with `none`.
    #[must_use]
    pub(crate) fn faults(&self) -> Vec<&str> {
        distinct(self.cells.iter().map(|cell| &*cell.fault))
    }

    /// Its guarantees.
    #[must_use]
    pub(crate) fn guarantees(&self) -> Vec<Guarantee> {
        let has = |known: &&Guarantee| self.cells.iter().any(|cell| cell.guarantee == known.name());
        Guarantee::ALL.iter().filter(has).copied().collect()
    }

    /// Whether no schedule was about any of its cells.
    #[must_use]
    pub(crate) fn is_about_nothing(&self) -> bool {
        self.cells.iter().all(|cell| cell.verdict == Verdict::NotExercised)
    }

    /// Adds what is known of other subjects of the same campaign.
    pub(crate) fn extend(&mut self, more: Self) {
        self.schedules += more.schedules;
        self.cells.extend(more.cells);
        self.interrupted |= more.interrupted;
        let coverage = self.statistics.coverage.take().zip(more.statistics.coverage);
        let coverage = coverage.map(|(mut sum, more)| {
            sum.add(&more);
            sum
        });
        self.statistics = Statistics::of(self, coverage);
    }

    /// How often faults took effect. Cells that were judged on the same schedules count once.
    #[must_use]
    pub(crate) fn effects(&self) -> u64 {
        let mut seen = BTreeSet::new();
        let workload = |name: &str| {
            let known = Guarantee::ALL.iter().find(|known| known.name() == name);
            known.map(|guarantee| guarantee.workload())
        };
        let first = self
            .cells
            .iter()
            .filter(|cell| seen.insert((&cell.subject, &cell.fault, workload(&cell.guarantee))));
        first.map(|cell| cell.effects).sum()
    }

    /// The cells that are not what is claimed of them. A part of a campaign may miss what the whole
    /// finds, so in a part only what broke against its claim counts.
    pub(crate) fn surprises(&self) -> impl Iterator<Item = &CellReport> {
        let whole = self.is_whole();
        self.cells.iter().filter(move |cell| {
            !cell.verdict.is_as_claimed(cell.claim) && (whole || cell.verdict == Verdict::Broken)
        })
    }
}

impl CellReport {
    fn of(cell: &Cell, models: &BoundedModels) -> Self {
        let CellName { subject, guarantee, fault } = cell.name;
        Self {
            subject: subject.name().into(),
            guarantee: guarantee.name().into(),
            fault: fault.map_or("none", Fault::name).into(),
            verdict: cell.verdict,
            claim: cell.claim,
            schedules: cell.schedules,
            effects: cell.effects,
            broken: cell.broken,
            exhausted: models
                .of(cell.name)
                .filter(|_| cell.verdict != Verdict::Broken)
                .map(Exhausted::of),
            counterexample: cell.counterexample.as_ref().map(|found| told(cell.name, found)),
            story: None,
        }
    }

    /// Its place in the matrix, for people.
    #[must_use]
    pub(crate) fn place(&self) -> String {
        format!("{} × {} × {}", self.subject, self.guarantee, self.fault)
    }
}

impl Exhausted {
    fn of(model: &BoundedModel) -> Self {
        Self { name: model.name.clone(), states: model.states, bound: model.bounds.to_string() }
    }
}

/// The story of a counterexample as typed events.
pub(crate) fn story_of_token(told: &StoryReport) -> Option<Story> {
    let schedule: Schedule = told.token.parse().ok()?;
    Some(tell(&Topic::from(&schedule)))
}

/// The different names, in the order of their first appearance.
pub(crate) fn distinct<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut distinct = Vec::new();
    for name in names {
        if !distinct.contains(&name) {
            distinct.push(name);
        }
    }
    distinct
}

/// A counterexample, told.
fn told(cell: CellName, found: &Counterexample) -> StoryReport {
    let told = StoryReport::about(&Schedule::of(cell, found.decisions.clone()));
    let text = if told.text.is_empty() { found.text.clone() } else { told.text };
    StoryReport { text, ..told }
}
