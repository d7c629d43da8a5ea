//! No arguments take effect after those of a newer call.
//!
//! What takes effect is what the protected resource accepts: a runner that was overtaken while it
//! stood still is refused there, if it has a fence.

use super::{Checker, SharedHistory, calls::name};
use crate::history::{DebounceEvent, Event};

#[derive(Clone, Debug, Default, Hash)]
pub(crate) struct DebounceLatestArgs {
    last: usize,
    /// Whether there was a write after another.
    pub(super) exercised: bool,
}

impl Checker for DebounceLatestArgs {
    #[inline]
    fn observe(&mut self, _at: u64, event: &Event, shared: &SharedHistory) -> Result<(), String> {
        if let Event::Debounce(DebounceEvent::Wrote { call, accepted, .. }) = *event {
            self.exercised |= self.last > 0;
            if !accepted {
                return Ok(());
            }
            let order = shared.calls.order(call);
            if order < self.last {
                return Err(format!(
                    "the arguments of {} take effect after those of a newer call",
                    name(call)
                ));
            }
            self.last = order;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Guarantee, stories::*};

    #[test]
    fn accepts_newer_arguments_after_older_ones() {
        let story = [armed(0, 1), took_effect(call(0, 1)), armed(1, 1), took_effect(call(1, 1))];
        assert_eq!(observer(Guarantee::DebounceLatestArgs, &story), None);
    }

    #[test]
    fn rejects_older_arguments_after_newer_ones() {
        let story = [armed(0, 1), armed(1, 1), took_effect(call(1, 1)), took_effect(call(0, 1))];
        assert!(observer(Guarantee::DebounceLatestArgs, &story).is_some());
    }
}
