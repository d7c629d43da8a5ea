//! Choices from a recorded map; whatever it does not name is calm.

use super::{Chance, Decisions, Site};

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

impl Chance for Replay<'_> {
    fn choose(&mut self, site: Site, options: u32) -> u32 {
        // A map that was edited may name a choice that is no longer offered: take the wildest.
        self.decisions.get(&site).map_or(0, |&choice| choice.min(options - 1))
    }
}
