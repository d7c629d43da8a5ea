//! What went wrong in a run, and how to see it again.

use std::{error, fmt};

use leasehold_story::Story;

use super::token;
use crate::{
    decide::{Address, DecisionKind, Decisions},
    story::decisions,
    words::{client, wrap},
    world::Settings,
};

/// How many lines of a story are told, not counting the faults.
const TOLD: usize = 48;

/// What went wrong.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Breach {
    /// What must always hold does not.
    Always(String),
    /// What must come about after everything has healed did not.
    Eventually(String),
    /// A process, or an invariant, panicked.
    Panicked(String),
    /// These processes wait for something that the simulation does not know.
    Stuck(String),
    /// These processes were woken by another thread.
    WokenFromOutside(String),
    /// The same choices gave two different runs.
    NotRepeatable,
    /// The program waits inside of a poll.
    Waits,
}

const NO_TOKIO: &str = ". There is no tokio in the simulation, whose time is its own: use \
                        `Process::sleep`, `Process::timeout` and `Process::spawn` in place of \
                        `tokio::time` and `tokio::spawn`";

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Always(name) => write!(f, "this does not always hold: {name}"),
            Self::Eventually(name) => {
                write!(f, "this has not come about, although everything has healed: {name}")
            }
            Self::Panicked(message) => {
                write!(f, "panicked: {message}")?;
                if message.contains("Tokio") && message.contains("runtime") {
                    f.write_str(NO_TOKIO)?;
                }
                Ok(())
            }
            Self::Stuck(names) => write!(
                f,
                "process {names} is stuck: it waits for something that the simulation does not \
                 know, such as a thread, tokio's time or a channel that nobody sends to. Let it \
                 wait for `Process::sleep` or `Process::timeout` (in place of `tokio::time`), \
                 `SimClock`, `SimStore`, `Process::remote`, or a channel of another process; \
                 declare it with `service` if it may wait for ever"
            ),
            Self::WokenFromOutside(names) => write!(
                f,
                "process {names} was woken by another thread, whose order nobody can repeat: \
                 start no threads, and use no runtime, inside of the simulation; use \
                 `Process::spawn` for tasks, `Process::sleep` and `Process::timeout` for time"
            ),
            Self::NotRepeatable => f.write_str(
                "the same choices gave two different runs, so that nothing can be repeated. The \
                 usual culprits: the operating system's clock (`Instant::now`, `SystemTime::now`; \
                 use `Process::clock`), `futures::select!` or `tokio::select!` that draw lots (use \
                 `select_biased!`, or `biased;`), the order of a `HashMap` or `HashSet` (use \
                 `BTreeMap`), the operating system's randomness (a random token or UUID; use \
                 `Process::choose`), and state that outlives a run (make it in the function that \
                 `Cluster::new` is given)",
            ),
            Self::Waits => f.write_str(
                "a process waits inside of a poll, where simulated time stands still: a \
                 `thread::sleep`, a lock or a channel that blocks, a file or a socket. Use \
                 `SimClock` to sleep, and await everything else",
            ),
        }
    }
}

/// A run that failed: what went wrong, what was decided, what happened, and the word by which it
/// can be run again. [`fmt::Display`] tells all of that.
#[derive(Clone)]
pub struct Failure {
    pub(super) breach: Breach,
    pub(super) at: u64,
    pub(super) settings: Box<Settings>,
    pub(super) decisions: Decisions,
    pub(super) story: Vec<(u64, String)>,
    pub(super) told: Box<Story>,
}

impl Failure {
    /// What went wrong.
    #[must_use]
    pub fn breach(&self) -> &Breach {
        &self.breach
    }

    /// The decisions that are not the calmest.
    #[must_use]
    pub fn decisions(&self) -> &Decisions {
        &self.decisions
    }

    /// The run as a token, for [`Cluster::replay`](super::Cluster::replay).
    #[must_use]
    pub fn token(&self) -> String {
        token::of(&self.decisions)
    }

    /// What happened as typed events, messages and spans. The failure of [`Cluster::check`] and
    /// [`Cluster::report`](super::Cluster::report) also tells how it goes without some of the
    /// decisions.
    ///
    /// [`Cluster::check`]: super::Cluster::check
    #[must_use]
    pub fn told(&self) -> &Story {
        &self.told
    }

    /// The same as JSON, on one line.
    #[must_use]
    pub fn to_json(&self) -> String {
        self.told.to_json()
    }

    /// What happened, a line each.
    pub fn story(&self) -> impl Iterator<Item = String> {
        let faults = self.story.iter().filter(|(_, text)| text.starts_with('*')).count();
        let hidden = self.story.len().saturating_sub(TOLD + faults);
        let hint =
            (hidden > 0).then(|| format!("{hidden:>9} lines are left out here but for faults"));
        let told = self
            .story
            .iter()
            .enumerate()
            .filter(move |(index, (_, text))| *index >= hidden || text.starts_with('*'));
        let lines =
            told.map(|(_, (at, text))| format!("{:>7}.{} ms {text}", at / 1_000, at / 100 % 10));
        hint.into_iter().chain(lines)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", wrap("", &self.breach.to_string()))?;
        writeln!(f, "\nWhat was decided ({}):", self.decisions.len())?;
        for (&address, &choice) in &self.decisions {
            writeln!(f, "{}", wrap("  - ", &decision(&self.settings, address, choice)))?;
        }
        if self.decisions.is_empty() {
            writeln!(f, "  - nothing: all is as calm as can be")?;
        }
        writeln!(
            f,
            "\nWhat happened, until {}.{} ms (a star where a fault occurs):",
            self.at / 1_000,
            self.at / 100 % 10
        )?;
        for line in self.story() {
            writeln!(f, "{line}")?;
        }
        writeln!(f, "\nTo run it again, in place of `.check(…)`:\n  .replay(\"{}\")", self.token())
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl error::Error for Failure {}

/// A decision as a sentence without its full stop.
pub(super) fn decision(settings: &Settings, address: Address, choice: u32) -> String {
    if address.kind == DecisionKind::Behaviour {
        let who = client(address.actor);
        return format!("choice {} of process {who} is {choice}", address.occurrence);
    }
    decisions::describe_in_any_world(settings, address, choice).replace("client ", "process ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_needs_tokio_is_told_what_to_use() {
        let message = "there is no reactor running, must be called from the context of a Tokio 1.x \
                       runtime (src/lib.rs:1:1)";
        let text = Breach::Panicked(message.into()).to_string();
        assert!(text.contains("Process::timeout"), "{text}");
        let other = Breach::Panicked("index out of bounds".into()).to_string();
        assert!(!other.contains("Process::"), "{other}");
    }
}
