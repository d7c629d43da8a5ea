//! What happened in a distributed run, as data: the events, messages and spans of each lane, what
//! was decided, how it ended, and how it would have ended otherwise.
//!
//! The simulator and the fake Redis write stories. Text, pages and other viewers are made from them.
//!
//! All times are **true** times in microseconds from the start of the run.

#![deny(missing_docs)]
#![forbid(unsafe_code)]

pub mod html;
mod report;

use serde::{Deserialize, Serialize};

pub use report::{Cell, CellState, Column, REPORT_FORMAT, Report, Row, SubjectSummary};

/// What [`Story::format`] says.
pub const FORMAT: &str = "leasehold-story";
/// The version of the format that this package writes. It grows when a reader must be changed.
pub const VERSION: u32 = 1;

/// A run, and how it goes without some of its decisions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Story {
    /// Always [`FORMAT`].
    pub format: String,
    /// Always [`VERSION`].
    pub version: u32,
    /// What it is about, in a few words: `lock: exclusion under failover`.
    pub title: String,
    /// The whole story in a sentence: who did what together with whom, from when, and why.
    pub headline: String,
    /// What was promised, as a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim: Option<String>,
    /// The command that replays it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// Where things happen, from left to right.
    pub lanes: Vec<Lane>,
    /// What was decided against the calmest run. An index into this list names a decision.
    pub decisions: Vec<Decision>,
    /// The run with all decisions first, then those without some of them.
    pub runs: Vec<Run>,
}

/// Somebody to whom things happen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lane {
    /// What it is called: `client A`, `server`, `replica`.
    pub name: String,
    /// What it is.
    pub kind: LaneKind,
}

/// What a lane is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LaneKind {
    /// Whoever uses the lock.
    Client,
    /// A server that answers.
    Server,
    /// A server that copies another one.
    Replica,
    /// What the lock protects.
    Resource,
}

/// A decision, in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// The name of the fault, or of a part of the workload: `failover`.
    pub kind: String,
    /// Whether it is a fault; else it is a part of the workload or of the network's calm.
    pub fault: bool,
    /// All of it, in words.
    pub text: String,
    /// For a length of time: how long, in microseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub micros: Option<u64>,
    /// For a length of time: with this many microseconds or less, the promise holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub breaks_above_micros: Option<u64>,
}

/// One run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// The decisions that it goes without; none in the story itself.
    pub without: Vec<usize>,
    /// How it ended.
    pub verdict: Verdict,
    /// Until when it is told.
    pub end: u64,
    /// What happened, in the order in which it did. An index into this list names an event.
    pub events: Vec<Event>,
    /// What was on its way.
    pub messages: Vec<Message>,
    /// What lasted.
    pub spans: Vec<Span>,
    /// The same for people, a line each.
    pub text: Vec<String>,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// Whether the promise held.
    pub holds: bool,
    /// How it broke, or that it held, as a sentence.
    pub text: String,
    /// The event that broke it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<usize>,
    /// What the protected resource makes of it, if it checks fences: that it refused the older one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fenced: Option<String>,
}

/// Something that happened at an instant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// When.
    pub at: u64,
    /// Where: an index into [`Story::lanes`].
    pub lane: usize,
    /// What.
    pub kind: EventKind,
    /// What, in a few words without the lane's name: `asks for the lock`.
    pub text: String,
    /// What its grant is called: `A1`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<String>,
    /// With which fence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fence: Option<u64>,
    /// The decision that made it so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<usize>,
    /// The earlier events that it follows from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub causes: Vec<usize>,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EventKind {
    /// A client calls.
    Call,
    /// A call returns.
    Return,
    /// A request leaves.
    Send,
    /// A request is executed.
    Apply,
    /// A server grants the lock, or a run of a debounced call.
    Grant,
    /// A client does what the lock protects, or runs the callback.
    Act,
    /// A write reaches the protected resource, which takes it.
    Write,
    /// A write reaches the protected resource, which refuses it for its fence.
    Refuse,
    /// A key expires, or is lost.
    Key,
    /// A reply arrives.
    Reply,
    /// A client no longer waits.
    GiveUp,
    /// A lease ends at its client.
    End,
    /// A fault takes effect.
    Fault,
    /// Anything else.
    Note,
}

/// Something on its way from one lane to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// The lane that sends it.
    pub from: usize,
    /// The lane that it is for.
    pub to: usize,
    /// When it leaves.
    pub sent: u64,
    /// When it arrives, or is found lost; none if it never did while the story lasts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arrived: Option<u64>,
    /// How it fared.
    pub fate: Fate,
    /// What it says: `acquire A1`.
    pub text: String,
    /// The event that sent it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent_by: Option<usize>,
    /// The event that it led to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub led_to: Option<usize>,
    /// The decision that made it fare so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<usize>,
}

/// How a message fared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// It arrived.
    Delivered,
    /// It was lost.
    Lost,
    /// It arrived when nobody waited for it any more.
    Late,
    /// It is a second copy.
    Duplicate,
    /// It arrived, and was never answered.
    Unanswered,
}

/// Something that lasted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// Where; none if everywhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lane: Option<usize>,
    /// What.
    pub kind: SpanKind,
    /// From when.
    pub from: u64,
    /// Until when, at most the end of the run.
    pub to: u64,
    /// What, in a few words: `believes that it holds the lock`.
    pub text: String,
    /// What its grant is called: `A1`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<String>,
    /// With which fence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fence: Option<u64>,
    /// The decision that made it so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<usize>,
}

/// What lasted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SpanKind {
    /// A client believes that it holds the lock, or that a run is its own; or a process is in a
    /// section that excludes others.
    Lease,
    /// A server has the lock's key, or one of the user's own that expires or excludes.
    Key,
    /// A client runs what the lock protects, or the callback.
    Work,
    /// A process does not run.
    Pause,
    /// Nothing passes.
    Partition,
    /// A clock is wrong.
    Clock,
    /// A server is down, or changes its part.
    Down,
}

impl Story {
    /// Its own run, with all decisions.
    ///
    /// # Errors
    ///
    /// If there is none, which no story of ours lacks.
    pub fn told(&self) -> Result<&Run, Unreadable> {
        self.runs.iter().find(|run| run.without.is_empty()).ok_or(Unreadable::NoRun)
    }

    /// Reads what [`Story::to_json`] wrote.
    ///
    /// # Errors
    ///
    /// If it is no story, or of another version.
    pub fn from_json(text: &str) -> Result<Self, Unreadable> {
        let story: Self = serde_json::from_str(text).map_err(Unreadable::Json)?;
        if story.format != FORMAT || story.version != VERSION {
            return Err(Unreadable::Version { format: story.format, version: story.version });
        }
        story.told().map(|_| ())?;
        Ok(story)
    }

    /// The story as JSON, on one line.
    ///
    /// # Panics
    ///
    /// Never: all of a story can be written as JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a story has only texts, numbers and lists")
    }
}

/// Why a text is no story.
#[derive(Debug)]
#[non_exhaustive]
pub enum Unreadable {
    /// It is not JSON, or lacks what a story has.
    Json(serde_json::Error),
    /// It is of another format or version.
    Version {
        /// What it says.
        format: String,
        /// Which version.
        version: u32,
    },
    /// It has no run with all of its decisions.
    NoRun,
}

impl std::fmt::Display for Unreadable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Json(_) => write!(f, "this is no story"),
            Self::Version { format, version } => {
                write!(f, "this is {format} {version}; {FORMAT} {VERSION} is read")
            }
            Self::NoRun => write!(f, "this story has no run with all of its decisions"),
        }
    }
}

impl std::error::Error for Unreadable {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Json(error) => Some(error),
            Self::Version { .. } | Self::NoRun => None,
        }
    }
}
