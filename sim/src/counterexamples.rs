//! Schedules that are known to break what is claimed to be broken, one for each such cell.
//!
//! A campaign runs them beside its own schedules, so that what is rare is not missed by a short one,
//! and the story that it tells is the shortest known. They belong to this version's world: after a
//! change to it, `leasehold check --schedules 20000 --counterexamples sim/counterexamples.txt` finds them anew.

use crate::{catalog::CellName, decide::Decisions, schedule::Schedule};

const KNOWN: &str = include_str!("../counterexamples.txt");

/// The known counterexamples of this version.
#[derive(Clone, Debug)]
pub struct KnownCounterexamples(Vec<Schedule>);

impl KnownCounterexamples {
    /// Those that are compiled in. A line that is of another version is left out.
    #[must_use]
    pub fn current() -> Self {
        Self(KNOWN.lines().filter_map(|line| line.parse().ok()).collect())
    }

    /// All of them.
    #[must_use]
    pub fn all(&self) -> &[Schedule] {
        &self.0
    }

    /// The decisions that break this cell, if any are known.
    #[must_use]
    pub fn of(&self, cell: CellName) -> Option<&Decisions> {
        self.0.iter().find(|schedule| schedule.cell == cell).map(|schedule| &schedule.decisions)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        campaign::{breaks, cell_names},
        catalog::{Guarantee, Subject, Verdict},
        claims::Claims,
        decide::Fault,
    };

    #[test]
    fn every_claim_of_a_broken_cell_has_a_known_schedule_that_breaks_it_in_few_decisions() {
        let (claims, known) = (Claims::current(), KnownCounterexamples::current());
        let stale = "find them anew: leasehold check --schedules 20000 --counterexamples sim/counterexamples.txt";
        for cell in cell_names().filter(|cell| claims.of(*cell) == Verdict::Broken) {
            let decisions = known.of(cell).unwrap_or_else(|| panic!("{cell}: none; {stale}"));
            assert!(breaks(cell, decisions), "{cell}: holds; {stale}");
            let most = if is_copied_twice(cell) {
                24
            } else if is_rare(cell) {
                8
            } else {
                4
            };
            assert!(decisions.len() <= most, "{cell}: {} decisions", decisions.len());
        }
    }

    /// Two majorities within the same milliseconds need many messages that are a little late; a call
    /// that a failover loses for good is the last one, of a caller who has left; and a longest wait
    /// that begins anew takes calls that put it off.
    fn is_rare(cell: CellName) -> bool {
        match cell.guarantee {
            Guarantee::FenceOrder | Guarantee::FencedExclusion => {
                matches!(cell.subject, Subject::Quorum | Subject::QuorumHandle)
            }
            Guarantee::DebounceFires => cell.fault == Some(Fault::Failover),
            Guarantee::DebounceMaxWait => cell.subject == Subject::DebounceHandle,
            _ => false,
        }
    }

    /// A copy of an acquire and then one of its release come late, and nobody has had the lock between
    /// the two releases: that takes all clients to be busy with something else.
    fn is_copied_twice(cell: CellName) -> bool {
        (cell.subject, cell.guarantee) == (Subject::LockLean, Guarantee::Idempotence)
    }

    #[test]
    fn every_line_is_a_schedule_of_this_version() {
        assert_eq!(KnownCounterexamples::current().all().len(), KNOWN.lines().count());
    }
}
