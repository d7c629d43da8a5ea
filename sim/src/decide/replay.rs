//! Choices from a recorded map; whatever it does not name is calm.

use super::{Address, DecisionSource, Decisions};

/// Replays [`Decisions`].
#[derive(Clone, Debug)]
pub struct Replay<'a> {
    decisions: &'a Decisions,
}

impl<'a> Replay<'a> {
    /// Replays `decisions`.
    #[must_use]
    pub fn of(decisions: &'a Decisions) -> Self {
        Self { decisions }
    }
}

impl DecisionSource for Replay<'_> {
    fn choose(&mut self, address: Address, options: u32) -> u32 {
        // A map that was edited may name a choice that is no longer offered: take the wildest.
        self.decisions.get(&address).map_or(0, |&choice| choice.min(options - 1))
    }
}
