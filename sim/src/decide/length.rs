//! How long a fault must last to do harm.

use super::{Address, DecisionSource, Decisions, Replay};

/// To what a threshold is found, in microseconds.
const GRAIN: u64 = 1_000;

/// Replays decisions, one of which stands for another length than it does by its number.
#[derive(Clone, Debug)]
pub struct Lengthened<'a> {
    replay: Replay<'a>,
    address: Address,
    length: Option<u64>,
    /// The length that the decision stands for by its number, once it was asked for.
    asked: Option<u64>,
}

impl<'a> Lengthened<'a> {
    /// Replays `decisions`, with the decision at `site` for as long as `length`, in microseconds,
    /// or as it is.
    #[must_use]
    pub fn of(decisions: &'a Decisions, address: Address, length: Option<u64>) -> Self {
        Self { replay: Replay::of(decisions), address, length, asked: None }
    }

    /// The length that the decision stands for by its number, if it stands for one and was reached.
    #[must_use]
    pub fn asked(&self) -> Option<u64> {
        self.asked
    }
}

impl DecisionSource for Lengthened<'_> {
    fn choose(&mut self, address: Address, options: u32) -> u32 {
        self.replay.choose(address, options)
    }

    fn length(&mut self, address: Address, micros: u64) -> u64 {
        if address != self.address {
            return micros;
        }
        self.asked = Some(micros);
        self.length.unwrap_or(micros)
    }
}

/// The longest length, in whole milliseconds but given in microseconds, at which nothing fails, if
/// a run `fails` at `length` and not at nearly none: "only if it is longer than this".
///
/// It looks at some 20 lengths by halving, so it takes for granted that what fails at one fails at
/// all that are longer.
///
/// ```
/// use leasehold_sim::decide::threshold;
///
/// assert_eq!(threshold(1_200_000, |length| length > 847_300), Some(847_000));
/// assert_eq!(threshold(1_200_000, |_| true), None);
/// ```
pub fn threshold(length: u64, mut fails: impl FnMut(u64) -> bool) -> Option<u64> {
    let (mut holds, mut breaks) = (GRAIN, length - length % GRAIN);
    if breaks <= holds || !fails(breaks) || fails(holds) {
        return None;
    }
    while breaks - holds > GRAIN {
        let middle = (holds + breaks) / 2 / GRAIN * GRAIN;
        if fails(middle) {
            breaks = middle;
        } else {
            holds = middle;
        }
    }
    Some(holds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_threshold_is_found_to_the_millisecond() {
        for least in [2_000, 3_000, 600_001, 847_000, 1_199_999] {
            let found = threshold(1_200_000, |length| length >= least).unwrap();
            assert!(found < least && least <= found + GRAIN, "{least}: {found}");
        }
    }

    #[test]
    fn what_never_fails_or_always_does_has_no_threshold() {
        assert_eq!(threshold(1_200_000, |_| false), None);
        assert_eq!(threshold(1_200_000, |_| true), None);
        assert_eq!(threshold(0, |_| true), None);
    }
}
