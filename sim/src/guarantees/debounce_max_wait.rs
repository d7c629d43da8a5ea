//! However many calls come, a run begins soon after the longest wait since the first, once the run before
//! is over and no fault is at work, unless they are cancelled. A jump of the server's clock begins both
//! anew: the wait and what that run may take.
//!
//! Soon: within a second, in which no fault was injected, for the participants to ask. A run that a
//! client dropped is over at once, since that gives it back in the background, unless there was a fault
//! meanwhile.

use std::hash::{Hash, Hasher};

use super::{Checker, SLACK, SharedHistory};
use crate::{
    catalog::{DEBOUNCE_MAX_WAIT as MAX_WAIT, DEBOUNCE_WAIT as WAIT},
    decide::Fault,
    history::{DebounceEvent, Event},
};

/// Time-outs, retries, and the sweeper's rounds.
const SOON: u64 = 1_000_000;

#[derive(Clone, Debug, Default)]
pub(crate) struct DebounceMaxWait {
    /// When the first call came since the last run.
    first: Option<u64>,
    newest: usize,
    /// Until when a run may be under way,
    run_until: u64,
    /// for which it has a lease of this length, that of all runs,
    lease: u64,
    /// or a fault.
    fault_until: u64,
    /// When the run that was under way was dropped, if there was no fault since.
    dropped: Option<u64>,
    /// Whether a call came that would have put the run off beyond the longest wait, by more than
    /// what counts as soon.
    pub(super) exercised: bool,
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
                self.run_until = self.run_until.max(until);
                self.lease = until.saturating_sub(at);
                self.dropped = None;
                verdict
            }
            Event::Debounce(DebounceEvent::Vanished { .. }) => {
                self.dropped = (at >= self.fault_until).then_some(at);
                Ok(())
            }
            Event::Debounce(DebounceEvent::Cancelled) => {
                let verdict = self.in_time(at);
                self.first = None;
                verdict
            }
            Event::Injected { fault: Fault::ServerClock, .. } => {
                self.run_until = self.run_until.max(at + self.lease);
                // The next call begins it anew, which comes before the wait is over, or else a run.
                self.first = self.first.map(|first| first.max(at + WAIT));
                self.disturbed(at);
                Ok(())
            }
            Event::Injected { until, .. } if until < u64::MAX => {
                self.disturbed(until.max(at));
                Ok(())
            }
            Event::TookEffect { .. } => {
                self.disturbed(at);
                Ok(())
            }
            Event::Finished => self.in_time(at),
            _ => Ok(()),
        }
    }
}

impl Hash for DebounceMaxWait {
    /// Machines drop no run without leaving it to their next call, and only they are searched: without
    /// a run that was dropped, it does not matter whether a run or a fault is what lasts.
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        (self.first, self.newest, self.busy_until(), self.dropped, self.exercised).hash(hasher);
        // But for rounding, it is the same for all runs.
        (self.lease > 0).hash(hasher);
    }
}

impl DebounceMaxWait {
    fn disturbed(&mut self, until: u64) {
        self.fault_until = self.fault_until.max(until);
        self.dropped = None;
    }

    fn busy_until(&self) -> u64 {
        let run_until = self.dropped.map_or(self.run_until, |at| at.min(self.run_until));
        run_until.max(self.fault_until)
    }

    fn in_time(&self, at: u64) -> Result<(), String> {
        match self.first {
            Some(first) if at > (first + MAX_WAIT).max(self.busy_until()) + SOON + SLACK => {
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

    /// A run with a lease of 5 s is dropped, then maybe there is a fault, and somebody calls.
    fn never_run_after_a_drop(fault: bool) -> bool {
        let mut checkers = CheckerSet::default();
        let vanished = Event::Debounce(DebounceEvent::Vanished { client: 0 });
        checkers.observe(0, &armed(0, 1));
        checkers.observe(10, &claimed(call(0, 1), 1, 5_000_000));
        checkers.observe(20, &vanished);
        if fault {
            let fault = Fault::ReplyLoss;
            checkers.observe(30, &Event::TookEffect { fault, client: None, call: 1 });
        }
        checkers.observe(50, &armed(1, 2));
        checkers.observe(MAX_WAIT + SOON + SLACK + 51, &Event::Finished);
        checkers.violation(Guarantee::DebounceMaxWait).is_some()
    }

    #[test]
    fn a_run_that_was_dropped_holds_nobody_up_unless_there_was_a_fault() {
        assert!(never_run_after_a_drop(false));
        assert!(!never_run_after_a_drop(true));
    }

    /// A run with this lease is left behind, the clock jumps, and the next run begins so much later.
    fn run_after_a_jump(lease: u64, later: u64) -> bool {
        let mut checkers = CheckerSet::default();
        let fault = Fault::ServerClock;
        let jumped = Event::Injected { fault, client: None, choice: 4, until: 500_000 };
        checkers.observe(0, &armed(0, 1));
        checkers.observe(10, &claimed(call(0, 1), 1, 10 + lease));
        checkers.observe(20, &armed(1, 1));
        checkers.observe(500_000, &jumped);
        checkers.observe(500_000 + later, &claimed(call(1, 1), 2, 500_000 + later + lease));
        checkers.violation(Guarantee::DebounceMaxWait).is_none()
    }

    #[test]
    fn a_clock_that_jumps_begins_the_longest_wait_and_a_lease_anew_and_no_more() {
        for (lease, most) in [(1, WAIT + MAX_WAIT), (5_000_000, 5_000_000)] {
            assert!(run_after_a_jump(lease, most + SOON));
            assert!(!run_after_a_jump(lease, most + SOON + SLACK + 1));
        }
    }
}
