//! A clock that is moved by hand, on top of one that runs or stands still.

use std::time::Duration;

/// When a server's clock starts: 2024-01-01, in microseconds since the Unix epoch.
const START_US: u64 = 1_704_067_200_000_000;

pub(super) struct Clock {
    base: Box<dyn Fn() -> u64 + Send>,
    /// How far it was moved, in microseconds.
    moved_us: i128,
    /// How much of that is time that passed.
    passed_us: u64,
}

impl Clock {
    pub(super) fn frozen() -> Self {
        Self::running(Box::new(|| START_US))
    }

    pub(super) fn running(base: Box<dyn Fn() -> u64 + Send>) -> Self {
        Self { base, moved_us: 0, passed_us: 0 }
    }

    /// Microseconds since the Unix epoch.
    pub(super) fn now_us(&self) -> u64 {
        let now = i128::from((self.base)()) + self.moved_us;
        u64::try_from(now.max(0)).unwrap_or(u64::MAX)
    }

    /// Microseconds that have passed, from an arbitrary beginning.
    #[cfg(feature = "faults")]
    pub(super) fn elapsed_us(&self) -> u64 {
        (self.base)().saturating_add(self.passed_us)
    }

    pub(super) fn advance(&mut self, time: Duration) {
        self.moved_us += i128::from(micros(time));
        self.passed_us = self.passed_us.saturating_add(micros(time));
    }

    /// Sets it forward, or back.
    #[cfg(feature = "faults")]
    pub(super) fn jump(&mut self, by_us: i64) {
        self.moved_us += i128::from(by_us);
    }

    /// Goes on as if it had never been set. What has passed has.
    pub(super) fn reset(&mut self) {
        self.moved_us = 0;
    }

    pub(super) fn set(&mut self, since_epoch: Duration) {
        self.moved_us = i128::from(micros(since_epoch)) - i128::from((self.base)());
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
