//! A run begins soon after the longest wait since the first call, however many calls come.
//!
//! Soon: when the run before is over, and within a second, in which no fault was injected, for the
//! participants to ask.

use super::{Checker, SharedHistory, SLACK};
use crate::{
    history::{DebounceEvent, Event},
    catalog::{DEBOUNCE_MAX_WAIT as MAX_WAIT, DEBOUNCE_WAIT as WAIT},
};

/// Time-outs, retries, and the sweeper's rounds.
const SOON: u64 = 1_000_000;

#[derive(Clone, Debug, Default, Hash)]
pub(crate) struct DebounceMaxWait {
    /// When the first call came since the last run.
    first: Option<u64>,
    newest: usize,
    /// Until when a run may be under way, or a fault.
    busy_until: u64,
    /// Whether a call came that would have put the run off beyond the longest wait, by more than
    /// what counts as soon.
    exercised: bool,
}

impl Checker for DebounceMaxWait {
    #[inline]
    fn observe(&mut self, at: u64, event: &Event, shared: &SharedHistory) -> Result<(), String> {
        match *event {
            Event::Debounce(DebounceEvent::Armed { call }) => {
                if shared.calls.order(call) > self.newest {
                    self.newest = shared.calls.order(call);
                    let first = *self.first.get_or_insert(at);
                    self.exercised |= at + WAIT > first + MAX_WAIT;
                }
                self.in_time(at)
            }
            Event::Debounce(DebounceEvent::Claimed { until, .. }) => {
                let verdict = self.in_time(at);
                self.first = None;
                self.busy_until = self.busy_until.max(until);
                verdict
            }
            Event::Injected { until, .. } if until < u64::MAX => {
                self.busy_until = self.busy_until.max(until).max(at);
                Ok(())
            }
            Event::TookEffect { .. } => {
                self.busy_until = self.busy_until.max(at);
                Ok(())
            }
            Event::Finished => self.in_time(at),
            _ => Ok(()),
        }
    }

    fn exercised(&self) -> bool {
        self.exercised
    }
}

impl DebounceMaxWait {
    fn in_time(&self, at: u64) -> Result<(), String> {
        match self.first {
            Some(first) if at > (first + MAX_WAIT).max(self.busy_until) + SOON + SLACK => {
                Err(format!(
                    "{} ms after the first call, nothing has been run, although nothing prevents it",
                    (at - first) / 1_000
                ))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{CheckerSet, Guarantee, stories::*},
        *,
    };

    fn run_at(at: u64) -> bool {
        let mut checkers = CheckerSet::default();
        checkers.observe(0, &armed(0, 1));
        checkers.observe(at, &claimed(call(0, 1), 1, at + 1));
        checkers.violation(Guarantee::DebounceMaxWait).is_none()
    }

    #[test]
    fn accepts_a_run_at_the_longest_wait_and_soon_after() {
        assert!(run_at(MAX_WAIT));
        assert!(run_at(MAX_WAIT + SOON));
    }

    #[test]
    fn rejects_a_late_run_and_none_at_all() {
        assert!(!run_at(MAX_WAIT + SOON + SLACK + 1));
        let mut checkers = CheckerSet::default();
        checkers.observe(0, &armed(0, 1));
        checkers.observe(MAX_WAIT * 3, &Event::Finished);
        assert!(checkers.violation(Guarantee::DebounceMaxWait).is_some());
    }
}
