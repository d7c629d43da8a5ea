//! A call that counts takes effect, or a newer one does, unless it is cancelled, while one participant or
//! sweeper lives.

use super::{Checker, SharedHistory, calls::name};
use crate::history::{DebounceEvent, Event};

#[derive(Clone, Debug, Default, Hash)]
pub(crate) struct DebounceFires {
    /// The newest call that was run with success, or cancelled.
    settled: usize,
    pub(super) exercised: bool,
}

impl Checker for DebounceFires {
    #[inline]
    fn observe(&mut self, _at: u64, event: &Event, shared: &SharedHistory) -> Result<(), String> {
        match *event {
            Event::Debounce(DebounceEvent::Wrote { call, accepted: true, .. }) => {
                self.settled = self.settled.max(shared.calls.order(call));
            }
            Event::Debounce(DebounceEvent::Cancelled) => {
                self.settled = shared.calls.counted();
            }
            Event::Finished => {
                if let Some(newest) = shared.calls.newest() {
                    self.exercised = true;
                    if shared.calls.order(newest) > self.settled {
                        return Err(format!("{} is never run, and none after it", name(newest)));
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Guarantee, stories::*};
    use crate::history::{DebounceEvent, Event};

    #[test]
    fn accepts_a_call_that_a_newer_one_covers() {
        let story = [armed(0, 1), armed(1, 1), took_effect(call(1, 1)), Event::Finished];
        assert_eq!(observer(Guarantee::DebounceFires, &story), None);
    }

    #[test]
    fn accepts_a_call_that_was_cancelled_and_rejects_one_that_came_later() {
        let cancelled = Event::Debounce(DebounceEvent::Cancelled);
        let before = [armed(0, 1), cancelled, Event::Finished];
        assert_eq!(observer(Guarantee::DebounceFires, &before), None);
        let after = [armed(0, 1), cancelled, armed(1, 1), Event::Finished];
        assert!(observer(Guarantee::DebounceFires, &after).is_some());
    }

    #[test]
    fn rejects_a_call_that_is_never_run() {
        let story = [armed(0, 1), armed(1, 1), took_effect(call(0, 1)), Event::Finished];
        assert!(observer(Guarantee::DebounceFires, &story).is_some());
    }
}
