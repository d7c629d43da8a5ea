//! `math.random`: the 48-bit linear congruential generator of POSIX `lrand48`, as Redis uses it,
//! so that scripts draw the same numbers on every machine.
//!
//! A server goes on from one script to the next, so that no two draw the same token.

/// Where a server's scripts have come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Random(u64);

impl Default for Random {
    fn default() -> Self {
        Self(0x1234_abcd_330e)
    }
}

impl Random {
    pub(super) fn seeded(seed: u32) -> Self {
        Self(u64::from(seed) << 16 | 0x330e)
    }

    /// A number from 0 up to and without 1.
    pub(super) fn fraction(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(0x5_deec_e66d).wrapping_add(0xb) & 0xffff_ffff_ffff;
        let drawn = (self.0 >> 17) as u32;
        f64::from(drawn % i32::MAX as u32) / f64::from(i32::MAX)
    }
}
