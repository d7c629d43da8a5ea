//! Many schedules, counted: what holds under what, for each subject.

use serde::{Deserialize, Serialize};

use crate::Story;

/// What [`Report::format`] says.
pub const REPORT_FORMAT: &str = "leasehold-report";

/// The matrix of a campaign, with the stories of what broke.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Always [`REPORT_FORMAT`].
    pub format: String,
    /// Always [`VERSION`](crate::VERSION).
    pub version: u32,
    /// What was run, in a few words.
    pub title: String,
    /// What to look for, in a few sentences.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub lead: String,
    /// Who was tested.
    pub subjects: Vec<SubjectSummary>,
    /// What was promised.
    pub guarantees: Vec<Row>,
    /// What went wrong meanwhile.
    pub faults: Vec<Column>,
    /// What became of each promise under each fault. A cell that is missing was not run.
    pub cells: Vec<Cell>,
    /// The stories that cells name.
    pub stories: Vec<Story>,
}

/// Who was tested, in a sentence each way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubjectSummary {
    /// What it is called: `lock`.
    pub name: String,
    /// What it promises under all faults that were tried.
    pub promise: String,
    /// What breaks which of its promises.
    pub breaks: String,
}

/// A promise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// What it is called: `exclusion`.
    pub name: String,
    /// All of it, as a sentence.
    pub claim: String,
}

/// A fault, or none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// What it is called: `failover`.
    pub name: String,
    /// Where it occurs: `network`, `clients`, `servers`, `clocks`; `none` for no fault.
    pub group: String,
    /// What causes it in the real world, as a sentence.
    pub claim: String,
}

/// One promise of one subject under one fault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cell {
    /// An index into [`Report::subjects`].
    pub subject: usize,
    /// An index into [`Report::guarantees`].
    pub guarantee: usize,
    /// An index into [`Report::faults`].
    pub fault: usize,
    /// What became of it.
    pub state: CellState,
    /// How many schedules were run.
    pub schedules: u64,
    /// In how many of them the fault took effect, and the promise could have broken.
    pub exercised: u64,
    /// Bounded models in which every schedule was run, a sentence each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub models: Vec<String>,
    /// For what is broken: an index into [`Report::stories`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub story: Option<usize>,
}

/// What became of a promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CellState {
    /// No schedule broke it.
    Holds,
    /// A schedule broke it.
    Broken,
    /// No schedule broke it, and within the bounds of a model none can.
    Proven,
    /// It could not have broken in any schedule that was run.
    NotExercised,
    /// The subject has nothing that the fault could befall.
    NotApplicable,
}
