//! Delays that do not march in step.

/// A source of delays. It need not be good, only different in each participant.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Jitter(u64);

impl Jitter {
    pub(crate) fn from_seed(seed: u64) -> Self {
        Self(seed)
    }

    /// `delay_us` times 50 % to 150 %. SplitMix64: <https://prng.di.unimi.it/splitmix64.c>
    pub(crate) fn spread(&mut self, delay_us: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut random = self.0;
        random = (random ^ (random >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        random = (random ^ (random >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        random ^= random >> 31;
        delay_us / 2 + random % (delay_us + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_spread_over_half_to_one_and_a_half() {
        let mut jitter = Jitter::from_seed(7);
        let drawn: std::vec::Vec<_> = (0..1_000).map(|_| jitter.spread(100)).collect();
        assert!(drawn.iter().all(|delay| (50..=150).contains(delay)));
        assert!(drawn.contains(&50) && drawn.contains(&150));
        assert_eq!(jitter.spread(0), 0);
    }

    #[test]
    fn the_numbers_are_those_of_splitmix64() {
        // 6457827717110365317, 3203168211198807973 and 9817491932198370423.
        let mut jitter = Jitter::from_seed(1_234_567);
        let drawn = [0; 3].map(|_| jitter.spread(999_999_999) - 499_999_999);
        assert_eq!(drawn, [110_365_317, 198_807_973, 198_370_423]);
    }
}
