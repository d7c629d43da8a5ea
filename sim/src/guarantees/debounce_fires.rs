//! A call that counts is run, or a newer one is, while one participant or sweeper lives.

use super::{Checker, SharedHistory, calls::name};
use crate::history::{DebounceEvent, Event};

#[derive(Clone, Debug, Default, Hash)]
pub(crate) struct DebounceFires {
    /// The newest call that was run with success.
    ran: usize,
    exercised: bool,
}

impl Checker for DebounceFires {
    #[inline]
    fn observe(&mut self, _at: u64, event: &Event, shared: &SharedHistory) -> Result<(), String> {
        match *event {
            Event::Debounce(DebounceEvent::Wrote { call, accepted: true, .. }) => {
                self.ran = self.ran.max(shared.calls.order(call));
            }
            Event::Finished => {
                if let Some(newest) = shared.calls.newest() {
                    self.exercised = true;
                    if shared.calls.order(newest) > self.ran {
                        return Err(format!("{} is never run, and none after it", name(newest)));
                    }
                }
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
    use super::super::{Guarantee, stories::*};
    use crate::history::Event;

    #[test]
    fn accepts_a_call_that_a_newer_one_covers() {
        let story = [armed(0, 1), armed(1, 1), took_effect(call(1, 1)), Event::Finished];
        assert_eq!(observer(Guarantee::DebounceFires, &story), None);
    }

    #[test]
    fn rejects_a_call_that_is_never_run() {
        let story = [armed(0, 1), armed(1, 1), took_effect(call(0, 1)), Event::Finished];
        assert!(observer(Guarantee::DebounceFires, &story).is_some());
    }
}
