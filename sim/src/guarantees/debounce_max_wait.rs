//! A run begins soon after the longest wait since the first call, however many calls come.
//!
//! Soon: when the run before is over, and within a second, in which no fault was injected, for the
//! participants to ask. A run that a client dropped is over when its next call begins, which gives it
//! back, unless there was a fault meanwhile.

use std::hash::{Hash, Hasher};

use super::{Checker, SharedHistory, SLACK};
use crate::{
    history::{Client, DebounceEvent, Event},
    catalog::{DEBOUNCE_MAX_WAIT as MAX_WAIT, DEBOUNCE_WAIT as WAIT},
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
    /// or a fault.
    fault_until: u64,
    /// The run that was under way was dropped: by whom, and when that client called again. Not if
    /// there was a fault since.
    dropped: Option<(Client, Option<u64>)>,
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
                self.dropped = None;
                verdict
            }
            Event::Debounce(DebounceEvent::Vanished { client }) => {
                self.dropped = (at >= self.fault_until).then_some((client, None));
                Ok(())
            }
            Event::Debounce(DebounceEvent::Called { client: who, .. }) => {
                if let Some((client, called)) = &mut self.dropped
                    && *client == who
                {
                    called.get_or_insert(at);
                }
                Ok(())
            }
            Event::Debounce(DebounceEvent::Cancelled) => {
                let verdict = self.in_time(at);
                self.first = None;
                verdict
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
    }
}

impl DebounceMaxWait {
    fn disturbed(&mut self, until: u64) {
        self.fault_until = self.fault_until.max(until);
        self.dropped = None;
    }

    fn busy_until(&self) -> u64 {
        let run_until = match self.dropped {
            Some((_, Some(called))) => called.min(self.run_until),
            _ => self.run_until,
        };
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

    /// A run with a lease of 5 s is dropped, then maybe there is a fault, and its client calls again.
    fn never_run_after_a_drop(fault: bool) -> bool {
        let mut checkers = CheckerSet::default();
        let called = Event::Debounce(DebounceEvent::Called { client: 0, call: call(0, 2) });
        let vanished = Event::Debounce(DebounceEvent::Vanished { client: 0 });
        checkers.observe(0, &armed(0, 1));
        checkers.observe(10, &claimed(call(0, 1), 1, 5_000_000));
        checkers.observe(20, &vanished);
        if fault {
            let fault = crate::decide::Fault::ReplyLoss;
            checkers.observe(30, &Event::TookEffect { fault, client: None, call: 1 });
        }
        checkers.observe(40, &called);
        checkers.observe(50, &armed(0, 2));
        checkers.observe(MAX_WAIT + SOON + SLACK + 51, &Event::Finished);
        checkers.violation(Guarantee::DebounceMaxWait).is_some()
    }

    #[test]
    fn a_run_that_was_dropped_holds_nobody_up_once_its_client_calls_unless_there_was_a_fault() {
        assert!(never_run_after_a_drop(false));
        assert!(!never_run_after_a_drop(true));
    }
}
