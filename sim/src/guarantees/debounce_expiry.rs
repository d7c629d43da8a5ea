//! Every key expires.

use super::{Checker, SharedHistory};
use crate::history::{DebounceEvent, Event};

#[derive(Clone, Debug, Default, Hash)]
pub(crate) struct DebounceExpiry {
    /// Whether there was anything to expire.
    pub(super) exercised: bool,
}

impl Checker for DebounceExpiry {
    #[inline]
    fn observe(&mut self, _at: u64, event: &Event, shared: &SharedHistory) -> Result<(), String> {
        if let Event::Debounce(DebounceEvent::Immortal { keys }) = *event {
            self.exercised = shared.calls.newest().is_some();
            if keys > 0 {
                return Err(format!("{keys} of the keys that are left on the server never expire"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Guarantee, stories::*};
    use crate::history::{DebounceEvent, Event};

    #[test]
    fn accepts_mortal_keys_and_rejects_immortal_ones() {
        let story = |keys| [Event::Debounce(DebounceEvent::Immortal { keys })];
        assert_eq!(observer(Guarantee::DebounceExpiry, &story(0)), None);
        assert!(observer(Guarantee::DebounceExpiry, &story(1)).is_some());
    }
}
