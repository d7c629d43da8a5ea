//! Strategies for `proptest!`: schedules that drive a [`Cluster`], and workloads for its processes.
//!
//! A schedule shrinks by its decisions, not by its seed: they are known once it has been followed,
//! and are then taken out and lowered while the property still fails. What proptest persists is its
//! own seed, which leads to the same schedule again.
//!
//! ```
//! use leasehold_sim::{cluster::Cluster, faults::Fault, strategy::schedules};
//! use proptest::prelude::*;
//!
//! fn cluster() -> Cluster {
//!     Cluster::new(|cluster| {
//!         for _ in 0..2 {
//!             cluster.process(async |me| {
//!                 let mut lock = me.lock("job").expect("the id is not empty");
//!                 if let Ok(mut lease) = lock.acquire().await {
//!                     let _best_effort = lease.release().await;
//!                 }
//!             });
//!         }
//!     })
//!     .faults([Fault::ReplyLoss])
//! }
//!
//! proptest! {
//!     # #![proptest_config(ProptestConfig { cases: 8, failure_persistence: None, ..ProptestConfig::default() })]
//!     # fn hidden(schedule in schedules()) { cluster().follow(&mut schedule.source())?; }
//!     #[test]
//!     fn nothing_goes_wrong(schedule in schedules()) {
//!         cluster().follow(&mut schedule.source())?;
//!     }
//! }
//! # hidden();
//! ```
//!
//! [`Cluster`]: crate::cluster::Cluster

#![allow(
    clippy::test_attr_in_doctest,
    reason = "the example shows a test, and calls it under another name"
)]

mod tree;

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use proptest::{collection, prelude::*};
pub use tree::{ScheduleTree, Schedules};

use crate::{
    cluster::token_of,
    decide::{Address, DecisionSource, Decisions, Seeded},
};

/// All that is left to chance in a run, from a seed or as decisions.
#[derive(Clone)]
pub struct Schedule {
    source: Source,
    /// What was decided when it was followed last.
    decided: Arc<Mutex<Decisions>>,
}

#[derive(Clone)]
enum Source {
    Seed(u64),
    Decisions(Decisions),
}

/// Any schedule.
#[must_use]
pub fn schedules() -> Schedules {
    Schedules
}

/// What each of 1 to `processes` processes does: up to `most` things each, drawn from `things`.
/// Shrinks to few processes that do few things.
///
/// ```
/// use leasehold_sim::strategy::workloads;
/// use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};
///
/// let holds = workloads(3, 5, 10u64..500);
/// let drawn = holds.new_tree(&mut TestRunner::deterministic()).unwrap().current();
/// assert!((1..=3).contains(&drawn.len()) && drawn.iter().all(|things| things.len() <= 5));
/// ```
pub fn workloads<T: Strategy>(
    processes: usize,
    most: usize,
    things: T,
) -> impl Strategy<Value = Vec<Vec<T::Value>>> {
    collection::vec(collection::vec(things, 0..=most), 1..=processes)
}

impl Schedule {
    /// The choices, for [`Cluster::follow`](crate::cluster::Cluster::follow).
    #[must_use]
    pub fn source(&self) -> Followed<'_> {
        self.decided.lock().unwrap_or_else(PoisonError::into_inner).clear();
        let seeded = match self.source {
            Source::Seed(seed) => Some(Seeded::new(seed, 0)),
            Source::Decisions(_) => None,
        };
        Followed { schedule: self, seeded }
    }

    fn of(source: Source) -> Self {
        Self { source, decided: Arc::default() }
    }

    /// The decisions that are not the calmest, as far as it was followed.
    #[must_use]
    pub fn decisions(&self) -> Decisions {
        self.decided.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl fmt::Debug for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            Source::Seed(seed) => write!(f, "Schedule(seed {seed})"),
            Source::Decisions(decisions) => write!(f, "Schedule({})", token_of(decisions)),
        }
    }
}

/// The choices of a [`Schedule`], which writes down what it chose.
#[derive(Debug)]
pub struct Followed<'a> {
    schedule: &'a Schedule,
    seeded: Option<Seeded>,
}

impl Followed<'_> {
    fn note(&self, address: Address, choice: u32) -> u32 {
        if choice != 0 {
            let mut decided = self.schedule.decided.lock().unwrap_or_else(PoisonError::into_inner);
            decided.insert(address, choice);
        }
        choice
    }

    fn replayed(&self, address: Address, options: u32) -> u32 {
        match &self.schedule.source {
            Source::Decisions(decisions) => {
                decisions.get(&address).map_or(0, |&choice| choice.min(options - 1))
            }
            Source::Seed(_) => 0,
        }
    }
}

impl DecisionSource for Followed<'_> {
    fn choose(&mut self, address: Address, options: u32) -> u32 {
        let choice = match &mut self.seeded {
            Some(seeded) => seeded.choose(address, options),
            None => self.replayed(address, options),
        };
        self.note(address, choice)
    }

    fn order(&mut self, address: Address, actors: &[u8]) -> u32 {
        let choice = match &mut self.seeded {
            Some(seeded) => seeded.order(address, actors),
            None => self.replayed(address, actors.len() as u32),
        };
        self.note(address, choice)
    }
}
