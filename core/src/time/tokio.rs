//! Tokio's clock, real or paused.

use core::future::pending;

use super::{Clock, Instant};

/// The clock of the tokio runtime, counted from when the first copy was made. Follows
/// `tokio::time::pause` in tests.
///
/// Sleeping needs a runtime with its time driver enabled.
#[derive(Clone, Copy, Debug)]
pub struct TokioClock {
    origin: tokio::time::Instant,
}

impl TokioClock {
    /// A clock that starts now.
    #[must_use]
    pub fn new() -> Self {
        Self { origin: tokio::time::Instant::now() }
    }
}

impl Default for TokioClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for TokioClock {
    fn now(&self) -> Instant {
        Instant::ORIGIN + self.origin.elapsed()
    }

    async fn sleep_until(&self, deadline: Instant) {
        match self.origin.checked_add(deadline.since(Instant::ORIGIN)) {
            Some(deadline) => tokio::time::sleep_until(deadline).await,
            None => pending().await,
        }
    }
}
