//! Every schedule of a small cluster, instead of many of a larger one.
//!
//! The driver clones the world wherever something is left to chance, and follows each choice. It
//! goes by the number of decisions that are not the calmest: first the run without any, then all
//! with one, with two and so on. So the first counterexample is a shortest one. Two states are
//! merged if nothing that can come after can tell them apart: neither the world nor a checker.
//!
//! What it says, it says of its [`Bounds`] and nothing else: so many clients and calls, so many
//! faults of those kinds within that time, with the choices that are named.
//!
//! Clients are not interchangeable: each starts at a time of its own, and its name spreads its
//! delays. So states are not merged that differ only in who is who.

mod bounds;
mod fingerprint;
mod node;
mod open_choices;
mod search;

#[cfg(test)]
mod tests;

use std::time::Duration;

pub use bounds::WORKLOAD;
pub use bounds::{Allowed, Bounds, BoundsError};

use crate::{
    campaign::Progress,
    catalog::Guarantee,
    decide::{Decisions, FaultSet},
    schedule::Schedule,
};

/// How much a search may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// About how many bytes of memory. Beyond, fewer states are merged and more is run twice, which
    /// costs time and changes no verdict.
    pub memory: u64,
    /// How long it may go on.
    pub time: Option<Duration>,
    /// How many different states it may keep.
    pub states: Option<u64>,
    /// Whether states are merged. Without, the verdict is the same and takes longer.
    pub merging: bool,
}

impl Default for Limits {
    /// 2 GiB, and no other limit.
    fn default() -> Self {
        Self { memory: 2 << 30, time: None, states: None, merging: true }
    }
}

/// Why a search is not over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// Its time is.
    Time,
    /// It has as many states as it may have.
    States,
    /// Someone interrupted it.
    Interrupted,
}

/// What a search found.
#[derive(Clone, Debug)]
pub struct Explored {
    /// Events that were run, each of which led to a state that was judged.
    pub steps: u64,
    /// Different states among those in which something was left to chance.
    pub states: u64,
    /// Runs that ended early, in a state that was known.
    pub merged: u64,
    /// The most events of one run.
    pub depth: u32,
    /// The search was over for all schedules of at most this many decisions, if for any.
    pub complete: Option<u32>,
    /// Why the rest was not searched.
    pub cut: Option<Cut>,
    /// A shortest schedule that breaks a guarantee: the fewest decisions, then the earliest.
    pub counterexample: Option<Schedule>,
    /// The guarantees whose situation occurred.
    pub exercised: Vec<Guarantee>,
    /// The faults that changed what would have happened.
    pub took_effect: FaultSet,
}

impl Explored {
    /// Whether every schedule within the bounds was searched, and none breaks a guarantee.
    #[must_use]
    pub fn is_exhausted(&self) -> bool {
        self.cut.is_none() && self.counterexample.is_none()
    }
}

/// Searches all schedules within `bounds`, on the current thread pool. The outcome is the same with
/// any number of threads, unless the time is limited.
///
/// ```
/// use leasehold_sim::explore::{Bounds, Limits, explore};
///
/// let bounds: Bounds = toml::from_str(
///     "subject = 'lock-replicated'
///      guarantees = ['exclusion']
///      clients = 2
///      calls = 1
///      faults-end-ms = 300
///      end-ms = 1500
///      decisions = 1
///      faults = { failover = { times = 1 } }",
/// )?;
/// let explored = explore(&bounds, &Limits::default(), &());
/// assert!(explored.counterexample.is_some_and(|schedule| schedule.decisions.len() == 1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn explore(bounds: &Bounds, limits: &Limits, progress: &dyn Progress) -> Explored {
    search::Search::new(bounds, limits).run(progress)
}

/// The decisions that were taken on the way to a state, in their order.
type Taken = Vec<(crate::decide::Address, u32)>;

fn decisions(taken: &Taken) -> Decisions {
    taken.iter().copied().collect()
}
