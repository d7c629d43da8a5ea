//! The clocks of clients: each runs at its own rate, and none shows the true time.

use leasehold_core::Instant;

/// A client's monotonic clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ClientClock {
    /// How much faster than true time, in parts per million.
    pub(crate) rate_ppm: i32,
    /// How far the wall clock is off. The monotonic clock does not follow it.
    pub(crate) wall_offset_us: i64,
}

const MILLION: i128 = 1_000_000;

/// What a wall clock shows at the start of a run: late enough to be set back.
const WALL_ORIGIN: i64 = 1_000_000_000;

impl ClientClock {
    /// What the clock shows at true time `at`.
    #[inline]
    pub(crate) fn local(self, at: u64) -> Instant {
        if self.rate_ppm == 0 {
            return Instant::from_micros(at);
        }
        let local = i128::from(at) * (MILLION + i128::from(self.rate_ppm)) / MILLION;
        Instant::from_micros(local as u64)
    }

    /// The first true time at which the clock shows at least `local`.
    #[inline]
    pub(crate) fn truth(self, local: Instant) -> u64 {
        let local = local.as_micros();
        if self.rate_ppm == 0 || local == u64::MAX {
            return local;
        }
        let rate = MILLION + i128::from(self.rate_ppm);
        ((i128::from(local) * MILLION + rate - 1) / rate) as u64
    }

    /// What the wall clock shows at true time `at`, from an origin of its own.
    pub(crate) fn wall(self, at: u64) -> Instant {
        let offset = self.wall_offset_us + WALL_ORIGIN;
        Instant::from_micros(self.local(at).as_micros().saturating_add_signed(offset))
    }

    /// The first true time at which the wall clock shows at least `wall`, if it does not jump.
    pub(crate) fn truth_of_wall(self, wall: Instant) -> u64 {
        let offset = self.wall_offset_us + WALL_ORIGIN;
        self.truth(Instant::from_micros(wall.as_micros().saturating_add_signed(-offset)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alarm_never_rings_before_the_local_time_it_is_set_for() {
        for rate_ppm in [-9_000, -1, 0, 1, 9_000] {
            let clock = ClientClock { rate_ppm, wall_offset_us: 5 };
            for local in [0, 1, 2, 999, 1_000_003, 59_999_999] {
                let at = clock.truth(Instant::from_micros(local));
                assert!(clock.local(at).as_micros() >= local);
                assert!(at == 0 || clock.local(at - 1).as_micros() < local);
                let wall = clock.wall(at);
                assert_eq!(wall.as_micros(), clock.local(at).as_micros() + 5 + 1_000_000_000);
                assert!(clock.wall(clock.truth_of_wall(wall)) >= wall);
            }
        }
    }
}
