//! A resource that checks fences never accepts an older holder's write after a newer one's.

use super::{Checker, SharedHistory};
use crate::history::Event;

#[derive(Clone, Debug, Default, Hash)]
pub(crate) struct FencedExclusion {
    newest: u64,
    /// Whether an older holder's write came after a newer one's.
    pub(super) exercised: bool,
}

impl Checker for FencedExclusion {
    #[inline]
    fn observe(&mut self, _at: u64, event: &Event, shared: &SharedHistory) -> Result<(), String> {
        if let Event::Wrote { client, token, accepted, .. } = *event {
            let order = shared.order(token);
            self.exercised |= order < self.newest;
            if !accepted {
                return Ok(());
            }
            if order < self.newest {
                return Err(format!(
                    "the resource accepts a write of client {client}, whose grant is older than one \
                     that it has accepted before"
                ));
            }
            self.newest = order;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Guarantee, stories::*};

    #[test]
    fn accepts_an_older_write_that_was_refused() {
        let story = [granted(0, 1, 1), granted(1, 1, 2), wrote(1, 1, true), wrote(0, 1, false)];
        assert_eq!(observer(Guarantee::FencedExclusion, &story), None);
    }

    #[test]
    fn rejects_an_older_write_that_was_accepted() {
        let story = [granted(0, 1, 1), granted(1, 1, 2), wrote(1, 1, true), wrote(0, 1, true)];
        assert!(observer(Guarantee::FencedExclusion, &story).is_some());
    }
}
