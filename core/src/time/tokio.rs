//! Tokio's clock, real or paused.

use core::{future::pending, time::Duration};
use std::sync::OnceLock;

use super::{Clock, Instant, Task};

/// What the clock shows at its origin, so that a runtime whose paused time is behind the origin,
/// by less than this, sees no time stand still.
const AT_ORIGIN: Instant = Instant::from_micros(3_600_000_000);

/// The clock of the tokio runtime. Follows `tokio::time::pause` in tests.
///
/// All copies in a process have one origin, so the instants of different handles compare.
///
/// Sleeping needs a runtime with its time driver enabled.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// use std::time::Duration;
/// use leasehold_core::{Clock, TokioClock};
///
/// let clock = TokioClock::new();
/// let deadline = clock.now() + Duration::from_millis(1);
/// clock.sleep_until(deadline).await;
/// assert!(TokioClock::new().now() >= deadline);
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct TokioClock {
    origin: tokio::time::Instant,
}

impl TokioClock {
    /// The clock of this process.
    #[must_use]
    pub fn new() -> Self {
        static ORIGIN: OnceLock<tokio::time::Instant> = OnceLock::new();
        Self { origin: *ORIGIN.get_or_init(tokio::time::Instant::now) }
    }
}

impl Default for TokioClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for TokioClock {
    fn now(&self) -> Instant {
        let now = tokio::time::Instant::now();
        match now.checked_duration_since(self.origin) {
            Some(after) => AT_ORIGIN + after,
            None => {
                let before = self.origin.duration_since(now);
                Instant::ORIGIN + AT_ORIGIN.since(Instant::ORIGIN + before)
            }
        }
    }

    async fn sleep_until(&self, deadline: Instant) {
        let after = deadline.since(AT_ORIGIN);
        let before = AT_ORIGIN.since(deadline);
        let at = match before {
            Duration::ZERO => self.origin.checked_add(after),
            before => self.origin.checked_sub(before),
        };
        match at {
            Some(at) => tokio::time::sleep_until(at).await,
            // Before the machine was started, or after the end of time.
            None if after.is_zero() => {}
            None => pending().await,
        }
    }

    fn spawn(&self, task: Task) -> bool {
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn(task)),
            Err(_) => return false,
        }
        true
    }
}
