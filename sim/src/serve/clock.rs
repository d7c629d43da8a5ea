//! The wall clock of a served fake.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Where a served fake takes its time from.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub enum Clock {
    /// The operating system.
    #[default]
    Real,
}

impl Clock {
    /// The wall clock in microseconds since the Unix epoch.
    #[must_use]
    pub fn now_us(&self) -> u64 {
        let Self::Real = self;
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
    }

    /// How long to sleep, in real time, until this clock shows `at_us`; `None` if it never will by
    /// itself.
    #[must_use]
    pub fn until(&self, at_us: u64) -> Option<Duration> {
        Some(Duration::from_micros(at_us.saturating_sub(self.now_us())))
    }
}
