//! A counterexample in words: what is written to files, and told to people.

use std::fmt::Write;

use serde::{Deserialize, Serialize};

use super::{
    account::{Account, Topic, told_decisions},
    timeline::print,
};
use crate::{schedule::Schedule, words::wrap};

/// A counterexample, told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoryReport {
    /// The word that `leasehold replay` takes.
    pub token: String,
    /// How the guarantee broke, as a sentence.
    pub text: String,
    /// The decisions that break it; none can be left out.
    pub decisions: Vec<DecisionReport>,
    /// The timeline, a line an event.
    pub events: Vec<String>,
}

/// A decision, told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecisionReport {
    /// What was decided: the name of a fault, or of a part of the workload.
    pub kind: String,
    /// For whom, by number.
    pub actor: u8,
    /// Which of that actor's, counted from its first.
    pub occurrence: u32,
    /// What was chosen; 0 would have been the calmest.
    pub choice: u32,
    /// All of it, in words.
    pub text: String,
    /// For a length of time: with this many milliseconds or less, the guarantee holds.
    #[serde(default)]
    pub needs_more_than_ms: Option<u64>,
}

impl StoryReport {
    /// A schedule, told; its `text` is empty if it breaks nothing.
    #[must_use]
    pub fn about(schedule: &Schedule) -> Self {
        let topic = Topic::from(schedule);
        let account = Account::of(&topic);
        let verdict = account.verdict();
        let told = told_decisions(&topic, verdict.is_some());
        let told =
            schedule.decisions.iter().zip(told).map(|((address, &choice), told)| DecisionReport {
                kind: told.kind,
                actor: address.actor,
                occurrence: address.occurrence,
                choice,
                text: told.text,
                needs_more_than_ms: told.breaks_above_micros.map(|micros| micros / 1_000),
            });
        Self {
            token: schedule.to_string(),
            text: verdict.unwrap_or_default(),
            decisions: told.collect(),
            events: print(&account.lines()),
        }
    }

    /// Its decisions and its timeline for people, and how to replay it.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        for decision in &self.decisions {
            let _ = writeln!(text, "{}", wrap("  - ", &decision.text));
        }
        text.push('\n');
        for event in &self.events {
            let _ = writeln!(text, "  {event}");
        }
        let _ = writeln!(text, "\n{}", wrap("  ", &format!("Broken: {}.", self.text)));
        let _ = writeln!(text, "  Replay: leasehold replay {}", self.token);
        text
    }

    /// The name of the guarantee that it breaks.
    #[must_use]
    pub fn guarantee(&self) -> Option<&'static str> {
        let schedule: Schedule = self.token.parse().ok()?;
        Some(schedule.cell.guarantee.name())
    }

    /// How long it is: by decisions first.
    #[must_use]
    pub fn length(&self) -> (usize, usize) {
        (self.decisions.len(), self.events.len())
    }
}
