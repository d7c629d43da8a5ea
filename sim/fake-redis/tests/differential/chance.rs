//! Where the generator draws from.

use proptest::prelude::Rng;

/// A source of small choices.
pub(crate) trait Chance: Rng {
    /// A number from 0 to `bound - 1`.
    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next_u32()).expect("32 bits fit") % bound
    }

    /// Yes, once in `times`.
    fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }
}

impl<R: Rng> Chance for R {}
