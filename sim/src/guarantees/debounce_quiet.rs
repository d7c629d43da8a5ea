//! No run begins before the wait has passed since the last call, unless the longest wait has.

use super::{Checker, SharedHistory, calls::name};
use crate::{
    history::{DebounceEvent, Event},
    catalog::{DEBOUNCE_MAX_WAIT as MAX_WAIT, DEBOUNCE_WAIT as WAIT},
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
    /// Whether a call put a run off.
    exercised: bool,
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
                self.first.get_or_insert(at);
                let first = self.since_run.map_or(at, |(first, _)| first);
                self.since_run = Some((first, at));
            }
            Event::Debounce(DebounceEvent::Claimed { call, .. }) => {
                let Some((earliest, last)) = self.since_run.take() else { return Ok(()) };
                self.exercised |= earliest < last;
                let first = self.first.unwrap_or(last);
                if at + ROUNDING < (last + WAIT).min(first + MAX_WAIT) {
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

    fn exercised(&self) -> bool {
        self.exercised
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
}
