//! How proptest draws and shrinks a schedule.

use proptest::{
    prelude::*,
    strategy::{NewTree, ValueTree},
    test_runner::TestRunner,
};

use super::{Schedule, Source};
use crate::decide::Decisions;

/// The strategy of [`schedules`](super::schedules).
#[derive(Clone, Copy, Debug, Default)]
pub struct Schedules;

impl Strategy for Schedules {
    type Tree = ScheduleTree;
    type Value = Schedule;

    fn new_tree(&self, runner: &mut TestRunner) -> NewTree<Self> {
        let seed = runner.rng().random();
        Ok(ScheduleTree { current: Schedule::of(Source::Seed(seed)), search: None })
    }
}

/// A drawn schedule, and how far it has been shrunk.
#[derive(Clone, Debug)]
pub struct ScheduleTree {
    current: Schedule,
    search: Option<Search>,
}

/// Chunks of the decisions are taken out, from halves to single ones, then choices are lowered;
/// again and again, until a whole round has changed nothing.
#[derive(Clone, Debug)]
struct Search {
    /// The least that is known to fail.
    best: Decisions,
    /// The chunk that goes next: how many decisions, and from which on. With size 0, the decision
    /// whose choice is lowered next.
    size: usize,
    start: usize,
    changed: bool,
}

impl ValueTree for ScheduleTree {
    type Value = Schedule;

    fn current(&self) -> Schedule {
        self.current.clone()
    }

    /// The current one fails: tries a smaller one.
    fn simplify(&mut self) -> bool {
        // What was decided is all that mattered, whatever the schedule offered.
        let decided = self.current.decisions();
        match &mut self.search {
            None => self.search = Some(Search::from(decided)),
            Some(search) => search.succeeded(decided),
        }
        self.attempt()
    }

    /// The current one does not fail: tries another one.
    fn complicate(&mut self) -> bool {
        let Some(search) = &mut self.search else { return false };
        search.start += search.size.max(1);
        if self.attempt() {
            return true;
        }
        let best = self.search.as_ref().map(|search| search.best.clone()).unwrap_or_default();
        self.current = Schedule::of(Source::Decisions(best));
        false
    }
}

impl ScheduleTree {
    fn attempt(&mut self) -> bool {
        let candidate = self.search.as_mut().and_then(Search::candidate);
        let found = candidate.is_some();
        if let Some(candidate) = candidate {
            self.current = Schedule::of(Source::Decisions(candidate));
        }
        found
    }
}

impl Search {
    fn from(best: Decisions) -> Self {
        let size = best.len().div_ceil(2);
        Self { best, size, start: 0, changed: false }
    }

    fn succeeded(&mut self, decided: Decisions) {
        self.best = decided;
        self.changed = true;
        if self.size == 0 {
            self.start += 1;
        }
    }

    /// The next smaller set of decisions, if there is one.
    fn candidate(&mut self) -> Option<Decisions> {
        loop {
            if self.start >= self.best.len() {
                self.next_round()?;
                continue;
            }
            let mut candidate = self.best.clone();
            if self.size > 0 {
                let (start, end) = (self.start, self.start + self.size);
                let mut index = 0;
                candidate.retain(|_, _| {
                    index += 1;
                    !(start..end).contains(&(index - 1))
                });
                return Some(candidate);
            }
            let (_, choice) = candidate.iter_mut().nth(self.start)?;
            if *choice > 1 {
                *choice = 1;
                return Some(candidate);
            }
            self.start += 1;
        }
    }

    fn next_round(&mut self) -> Option<()> {
        self.start = 0;
        self.size = match self.size {
            0 if !self.changed => return None,
            0 => {
                self.changed = false;
                self.best.len().div_ceil(2).max(1)
            }
            size => size / 2,
        };
        (!self.best.is_empty()).then_some(())
    }
}
