//! Which faults may occur.

use super::Fault;

/// A set of faults.
///
/// ```
/// use leasehold_sim::faults::{Fault, FaultSet};
///
/// let both: FaultSet = [Fault::Hang, Fault::Failover].into_iter().collect();
/// assert!(both.contains(Fault::Hang) && !both.contains(Fault::Latency));
/// assert_eq!(both.iter().count(), 2);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct FaultSet(u32);

impl FaultSet {
    /// No fault.
    pub const NONE: Self = Self(0);

    /// This one.
    #[must_use]
    pub const fn only(fault: Fault) -> Self {
        Self(1 << fault as u8)
    }

    /// These and `fault`.
    #[must_use]
    pub const fn with(self, fault: Fault) -> Self {
        Self(self.0 | 1 << fault as u8)
    }

    /// These, in the order of the reports.
    pub fn iter(self) -> impl Iterator<Item = Fault> {
        Fault::ALL.iter().copied().filter(move |&fault| self.contains(fault))
    }

    /// As a number, for a schedule's word.
    pub(crate) const fn bits(self) -> u32 {
        self.0
    }

    /// The set with this number, if every fault in it is known.
    pub(crate) fn from_bits(bits: u32) -> Option<Self> {
        (bits >> Fault::ALL.len() == 0).then_some(Self(bits))
    }

    /// Whether `fault` is one of them.
    #[inline]
    #[must_use]
    pub const fn contains(self, fault: Fault) -> bool {
        self.0 & 1 << fault as u8 != 0
    }
}

impl FromIterator<Fault> for FaultSet {
    fn from_iter<I: IntoIterator<Item = Fault>>(faults: I) -> Self {
        faults.into_iter().fold(Self::NONE, Self::with)
    }
}
