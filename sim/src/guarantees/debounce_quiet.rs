//! No run of new calls begins before the wait has passed since the last of them that was not cancelled,
//! unless the longest wait has passed since the first, what waits was flushed, or it is that of a first
//! call which is due at once. A run that is repeated has no new calls.

use super::{Checker, SharedHistory, calls::name};
use crate::{
    catalog::{DEBOUNCE_MAX_WAIT as MAX_WAIT, DEBOUNCE_WAIT as WAIT},
    history::{DebounceEvent, Event},
};

/// Servers count in whole milliseconds.
const ROUNDING: u64 = 2_000;

#[derive(Clone, Debug, Default, Hash)]
pub(crate) struct DebounceQuiet {
    /// When the first call came that no run has settled.
    first: Option<u64>,
    /// When the first and the last call came since the last run began.
    since_run: Option<(u64, u64)>,
    newest: usize,
    /// Whether the first call of a burst is due at once, and if so, until when a call is no first one.
    leads: Option<u64>,
    /// Whether what waits is due at once, by such a call or since it was flushed.
    at_once: bool,
    is_leading: bool,
    /// Whether a call put a run off.
    pub(super) exercised: bool,
}

impl Checker for DebounceQuiet {
    #[inline]
    fn observe(&mut self, at: u64, event: &Event, shared: &SharedHistory) -> Result<(), String> {
        match *event {
            // A copy of a call, or one that is put back, is no call.
            Event::Debounce(DebounceEvent::Armed { call })
                if shared.calls.order(call) > self.newest =>
            {
                self.newest = shared.calls.order(call);
                let burst = *self.first.get_or_insert(at);
                self.comes(at, burst);
                let first = self.since_run.map_or(at, |(first, _)| first);
                self.since_run = Some((first, at));
            }
            Event::Debounce(DebounceEvent::Leads) => self.leads = Some(0),
            Event::Debounce(DebounceEvent::Flushed) => {
                self.at_once = true;
                self.closes(at);
            }
            Event::Debounce(DebounceEvent::Cancelled) => {
                (self.first, self.since_run) = (None, None);
                (self.at_once, self.is_leading) = (false, false);
                self.closes(0);
            }
            Event::Debounce(DebounceEvent::Claimed { call, .. }) => {
                let at_once = std::mem::take(&mut self.at_once);
                self.is_leading = false;
                let Some((earliest, last)) = self.since_run.take() else { return Ok(()) };
                self.exercised |= earliest < last;
                let first = self.first.unwrap_or(last);
                if !at_once && at + ROUNDING < (last + WAIT).min(first + MAX_WAIT) {
                    return Err(format!(
                        "{} is run only {} ms after the last call",
                        name(call),
                        (at - last) / 1_000
                    ));
                }
            }
            // A run that failed leaves its calls waiting since the first of them.
            Event::Debounce(DebounceEvent::Settled { .. }) => {
                self.first = self.since_run.map(|(first, _)| first);
            }
            _ => {}
        }
        Ok(())
    }
}

impl DebounceQuiet {
    /// A call comes at `at`, of a burst that began at `first`.
    fn comes(&mut self, at: u64, first: u64) {
        let is_first = self.since_run.is_none();
        if is_first {
            self.is_leading = self.leads.is_some_and(|closed| at + ROUNDING >= closed);
        }
        // What was flushed is put off by what comes after it; a first call is not.
        self.at_once = self.is_leading;
        self.closes((at + WAIT).min(first + MAX_WAIT));
    }

    /// Until `until`, a call is no first one.
    fn closes(&mut self, until: u64) {
        if let Some(closed) = &mut self.leads {
            *closed = until;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{CheckerSet, Guarantee, stories::*},
        *,
    };

    fn run_after(pauses: &[u64]) -> bool {
        let (mut checkers, mut at) = (CheckerSet::default(), 0);
        for (number, pause) in pauses.iter().enumerate() {
            checkers.observe(at, &armed(0, number as u16 + 1));
            at += pause;
        }
        checkers.observe(at, &claimed(call(0, pauses.len() as u16), 1, at + 1));
        checkers.violation(Guarantee::DebounceQuiet).is_none()
    }

    #[test]
    fn accepts_a_run_after_the_wait_or_after_the_longest_wait() {
        assert!(run_after(&[WAIT / 2, WAIT]));
        assert!(run_after(&[WAIT - 1, WAIT - 1, WAIT - 1, MAX_WAIT - 3 * WAIT + 3]));
    }

    #[test]
    fn rejects_a_run_before_both() {
        assert!(!run_after(&[WAIT / 2, WAIT / 2]));
    }

    fn complains(story: &[(u64, Event)]) -> bool {
        let mut checkers = CheckerSet::default();
        story.iter().for_each(|(at, event)| checkers.observe(*at, event));
        checkers.violation(Guarantee::DebounceQuiet).is_some()
    }

    #[test]
    fn accepts_the_run_of_a_first_call_where_such_lead_and_rejects_that_of_the_next_ones() {
        let leads = Event::Debounce(DebounceEvent::Leads);
        let first = [(0, leads), (5, armed(0, 1)), (9, claimed(call(0, 1), 1, 10))];
        assert!(!complains(&first));
        assert!(complains(&first[1..]));
        let second = [(20, armed(0, 2)), (30, claimed(call(0, 2), 2, 40))];
        assert!(complains(&[&first[..], &second].concat()));
        let again = second.map(|(at, event)| (at + WAIT, event));
        assert!(!complains(&[&first[..], &again].concat()));
    }

    #[test]
    fn accepts_the_run_of_what_was_flushed_and_rejects_that_of_what_came_later() {
        let flushed = (7, Event::Debounce(DebounceEvent::Flushed));
        let run = |number| (20, claimed(call(0, number), 1, 30));
        assert!(!complains(&[(5, armed(0, 1)), flushed, run(1)]));
        assert!(complains(&[(5, armed(0, 1)), flushed, (9, armed(0, 2)), run(2)]));
    }

    #[test]
    fn what_was_cancelled_counts_for_no_later_run() {
        let cancelled = (7, Event::Debounce(DebounceEvent::Cancelled));
        let late = (7 + WAIT, armed(0, 2));
        let run = (7 + WAIT * 2, claimed(call(0, 2), 1, MAX_WAIT * 2));
        assert!(!complains(&[(5, armed(0, 1)), cancelled, late, run]));
        let leads = (0, Event::Debounce(DebounceEvent::Leads));
        let at_once = [(9, armed(0, 2)), (12, claimed(call(0, 2), 1, 50))];
        assert!(!complains(&[leads, (5, armed(0, 1)), cancelled, at_once[0], at_once[1]]));
    }
}
