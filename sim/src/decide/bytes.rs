//! Choices from bytes, for a fuzzer: each byte is one choice, and where they end, all is calm.

use super::{Address, DecisionSource};

/// Half of the bytes stand for no fault, so that a run gets far enough for one to matter.
const STRIKES_FROM: u8 = 0x80;

/// Takes each choice from the next byte.
///
/// ```
/// use leasehold_sim::decide::{Bytes, DecisionSource, DecisionKind, Address};
///
/// let site = Address { kind: DecisionKind::Hang, actor: 0, occurrence: 1 };
/// let mut chance = Bytes::of(&[0x05, 0x81]);
/// assert_eq!([chance.choose(site, 3), chance.choose(site, 3), chance.choose(site, 3)], [0, 2, 0]);
/// ```
#[derive(Clone, Debug)]
pub struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    /// The choices of `bytes`.
    #[must_use]
    pub fn of(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }
}

impl DecisionSource for Bytes<'_> {
    fn choose(&mut self, address: Address, options: u32) -> u32 {
        // A choice of one takes no byte, so that what is switched off shifts nothing.
        if options == 1 {
            return 0;
        }
        let Some((&byte, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        if address.kind.is_workload() {
            return u32::from(byte) % options;
        }
        match byte.checked_sub(STRIKES_FROM) {
            None => 0,
            Some(choice) => 1 + u32::from(choice) % (options - 1),
        }
    }
}
