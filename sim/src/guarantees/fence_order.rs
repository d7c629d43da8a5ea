//! Each grant has a greater fence than every grant before it.

use super::{Checker, SharedHistory};
use crate::history::Event;

#[derive(Clone, Debug, Default, Hash)]
pub(crate) struct FenceOrder {
    last: Option<u64>,
    pub(super) exercised: bool,
}

impl Checker for FenceOrder {
    #[inline]
    fn observe(&mut self, _at: u64, event: &Event, _ledger: &SharedHistory) -> Result<(), String> {
        if let Event::Granted { token, fence } = *event {
            self.exercised |= self.last.is_some();
            if let Some(last) = self.last.filter(|&last| fence <= last) {
                let client = token.client();
                return Err(if fence == 0 {
                    format!("client {client} is granted the lock without any fence")
                } else {
                    format!("client {client} is granted fence {fence} after fence {last}")
                });
            }
            self.last = Some(fence);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Guarantee, stories::*};

    #[test]
    fn accepts_growing_fences() {
        let story = [granted(0, 1, 5), granted(1, 1, 6), granted(0, 2, 900)];
        assert_eq!(observer(Guarantee::FenceOrder, &story), None);
    }

    #[test]
    fn rejects_a_repeated_fence() {
        let story = [granted(0, 1, 5), granted(1, 1, 5)];
        assert!(observer(Guarantee::FenceOrder, &story).is_some());
    }
}
