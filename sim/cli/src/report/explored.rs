//! What a search of all schedules found, as it is written to files and told to people.

use std::fmt::Write;

use serde::Serialize;

use super::{StoryReport, fit, story_of_token, width::wrap};
use leasehold_sim::words::counted;
use leasehold_sim::{
    explore::{Bounds, Cut, Explored},
    faults::Fault,
    guarantees::Guarantee,
};

/// Several searches. This is the form of the JSON.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Exploration {
    /// The version of the program that searched.
    pub(crate) version: String,
    /// What each found.
    pub(crate) explored: Vec<ExploredReport>,
}

/// What is known of one model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Finding {
    /// No schedule in the whole model breaks a guarantee.
    Exhausted,
    /// One does.
    Broken,
    /// The search was cut short, and found nothing so far.
    CutShort,
}

/// What one search found.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ExploredReport {
    /// What it is called, if it is one of `sim/cli/models.toml`.
    pub(crate) name: Option<String>,
    /// The algorithm.
    pub(crate) subject: String,
    /// The promises that were judged.
    pub(crate) guarantees: Vec<String>,
    /// The bounds, in words.
    pub(crate) bound: String,
    /// What was found.
    pub(crate) finding: Finding,
    /// How many decisions a run may have.
    pub(crate) decisions: u32,
    /// All schedules of at most so many were searched.
    pub(crate) complete: Option<u32>,
    /// How many different states there are.
    pub(crate) states: u64,
    /// How many events were run.
    pub(crate) steps: u64,
    /// How many runs ended in a state that was known.
    pub(crate) merged: u64,
    /// The most events of one run.
    pub(crate) depth: u32,
    /// Why the search was cut short: `time`, `states` or `interrupt`.
    pub(crate) cut: Option<String>,
    /// The guarantees whose situation never occurred: nothing is known of them.
    pub(crate) not_exercised: Vec<String>,
    /// The faults that never changed anything.
    pub(crate) never_effective: Vec<String>,
    /// A shortest schedule that breaks a guarantee.
    pub(crate) counterexample: Option<StoryReport>,
    /// The same as typed events, with the runs that leave some of its decisions out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) story: Option<leasehold_story::Story>,
}

impl ExploredReport {
    /// The report on a search of `bounds`.
    #[must_use]
    pub(crate) fn of(name: Option<&str>, bounds: &Bounds, explored: &Explored) -> Self {
        let finding = match (&explored.counterexample, explored.cut) {
            (Some(_), _) => Finding::Broken,
            (None, Some(_)) => Finding::CutShort,
            (None, None) => Finding::Exhausted,
        };
        let idle = |guarantee: &&Guarantee| !explored.exercised.contains(guarantee);
        let harmless =
            bounds.scale.faults.iter().filter(|fault| !explored.took_effect.contains(*fault));
        Self {
            name: name.map(Into::into),
            subject: bounds.subject.name().into(),
            guarantees: bounds.guarantees.iter().map(|known| known.name().into()).collect(),
            bound: bounds.to_string(),
            finding,
            decisions: bounds.most_decisions(),
            complete: explored.complete,
            states: explored.states,
            steps: explored.steps,
            merged: explored.merged,
            depth: explored.depth,
            cut: explored.cut.map(|cut| match cut {
                Cut::Time => "time".into(),
                Cut::States => "states".into(),
                Cut::Interrupted => "interrupt".into(),
            }),
            not_exercised: bounds
                .guarantees
                .iter()
                .filter(idle)
                .map(|guarantee| guarantee.name().into())
                .collect(),
            never_effective: harmless.map(|fault| Fault::name(fault).into()).collect(),
            counterexample: explored.counterexample.as_ref().map(StoryReport::about),
            story: None,
        }
    }

    /// Tells the story of the counterexample as typed events.
    pub(crate) fn tell_story(&mut self) {
        self.story = self.counterexample.as_ref().and_then(story_of_token);
    }

    /// Whether it proves its guarantees within its bounds: the whole model was searched, every
    /// guarantee's situation occurred and every fault changed something.
    #[must_use]
    pub(crate) fn is_exhausted(&self) -> bool {
        self.finding == Finding::Exhausted
            && self.not_exercised.is_empty()
            && self.never_effective.is_empty()
    }

    /// Whether none of its guarantees was exercised in the whole model.
    #[must_use]
    pub(crate) fn is_about_nothing(&self) -> bool {
        self.finding == Finding::Exhausted && self.not_exercised == self.guarantees
    }

    /// The report for people.
    #[must_use]
    pub(crate) fn told(&self) -> String {
        let name = self.name.as_deref().unwrap_or(&self.subject);
        let mut text = format!("{name}: {}\n", self.verdict());
        let mut line = |sentence: &str| {
            let _ = writeln!(text, "{}", wrap("  ", sentence));
        };
        line(&format!("{}: {}", self.subject, self.guarantees.join(", ")));
        line(&self.bound);
        line(&format!(
            "{} states, {} events, {} runs merged, at most {} events long",
            self.states, self.steps, self.merged, self.depth
        ));
        if !self.not_exercised.is_empty() {
            line(&format!("never about: {}", self.not_exercised.join(", ")));
        }
        if !self.never_effective.is_empty() {
            line(&format!("never changed anything: {}", self.never_effective.join(", ")));
        }
        if let Some(told) = &self.counterexample {
            let _ = write!(text, "\n{}", fit(&told.text()));
        }
        text
    }

    fn verdict(&self) -> String {
        match (&self.finding, self.complete) {
            (Finding::Exhausted, _) => "no counterexample in the whole bounded model".into(),
            (Finding::Broken, _) => {
                let count = self.counterexample.as_ref().map_or(0, |told| told.decisions.len());
                let shortest = if self.cut.is_some() { "a" } else { "the shortest" };
                format!("broken; {shortest} counterexample has {}", counted(count, "decision"))
            }
            (Finding::CutShort, Some(complete)) => format!(
                "cut short: no counterexample of at most {complete} decisions, nothing is proven \
                 of up to {}",
                self.decisions
            ),
            (Finding::CutShort, None) => "cut short: nothing is proven".into(),
        }
    }
}
