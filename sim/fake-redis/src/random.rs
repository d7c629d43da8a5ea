//! Chance inside the value: equal servers draw alike.

/// The generator behind `RANDOMKEY`, `SPOP` and their like. SplitMix64: small, and good enough to
/// pick members.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Random(u64);

impl Random {
    /// Any number.
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `limit`, which is above 0.
    pub(super) fn below(&mut self, limit: usize) -> usize {
        let wide = u128::from(self.next()) * (limit as u128);
        (wide >> 64) as usize
    }

    /// `count` different numbers below `limit`, or all of them, in no order.
    pub(super) fn distinct(&mut self, count: usize, limit: usize) -> Vec<usize> {
        let mut all: Vec<_> = (0..limit).collect();
        let count = count.min(limit);
        for at in 0..count {
            let other = at + self.below(limit - at);
            all.swap(at, other);
        }
        all.truncate(count);
        all
    }
}
