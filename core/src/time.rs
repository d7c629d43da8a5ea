//! Local monotonic time: one number, and a clock that can also sleep.

#[cfg(feature = "std")]
mod erased;
#[cfg(feature = "tokio")]
mod tokio;

#[cfg(feature = "std")]
pub(crate) use self::erased::DynClock;

#[cfg(feature = "tokio")]
pub use self::tokio::TokioClock;

use alloc::{boxed::Box, sync::Arc};
use core::{fmt, future::Future, pin::Pin, time::Duration};

/// Work that goes on by itself: see [`Clock::spawn`].
pub type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A point in time in **microseconds** on the local **monotonic** clock, counted from an
/// arbitrary origin.
///
/// Only differences mean anything. The server's clock, which expires keys, is a different clock;
/// the two are never compared. All arithmetic saturates.
///
/// ```
/// use core::time::Duration;
/// use leasehold_core::Instant;
///
/// let start = Instant::from_micros(1_000);
/// let later = start + Duration::from_millis(2);
/// assert_eq!(later.as_micros(), 3_000);
/// assert_eq!(later.since(start), Duration::from_millis(2));
/// assert_eq!(start.since(later), Duration::ZERO);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Instant(u64);

impl Instant {
    /// The origin of the clock.
    pub const ORIGIN: Self = Self(0);
    /// A time that never comes.
    pub const NEVER: Self = Self(u64::MAX);

    /// The point `micros` microseconds after the origin.
    #[must_use]
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// Microseconds since the origin.
    #[must_use]
    pub const fn as_micros(self) -> u64 {
        self.0
    }

    /// The time from `earlier` to `self`, zero if `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }

    /// The point `micros` microseconds later, or [`Instant::NEVER`].
    #[must_use]
    pub const fn plus_micros(self, micros: u64) -> Self {
        Self(self.0.saturating_add(micros))
    }
}

impl core::ops::Add<Duration> for Instant {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        self.plus_micros(whole_micros(duration))
    }
}

impl fmt::Debug for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}µs", self.0)
    }
}

/// `duration` in whole microseconds, saturating.
pub(crate) fn whole_micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// A local monotonic clock that can also sleep.
///
/// # Contract
///
/// * `now` never goes back, and its rate differs from the server's by less than the configured
///   drift (1 % by default). It should keep counting while the machine is suspended: a clock that
///   stops (Linux `CLOCK_MONOTONIC`) makes a lease look younger than it is, just as a pause does.
/// * `sleep_until` completes at or after `deadline`, never before, and at once for a time that
///   has passed. Dropping the future cancels the sleep.
///
/// ```
/// use leasehold_core::{Clock, Instant};
///
/// /// A clock that a test moves: its sleeps end at once.
/// struct Still(Instant);
///
/// impl Clock for Still {
///     fn now(&self) -> Instant {
///         self.0
///     }
///
///     async fn sleep_until(&self, _: Instant) {}
/// }
/// ```
pub trait Clock {
    /// The current time.
    fn now(&self) -> Instant;

    /// Completes once [`Clock::now`] has reached `deadline`.
    fn sleep_until(&self, deadline: Instant) -> impl Future<Output = ()> + Send;

    /// Runs `task` in the background, if the clock belongs to a runtime that can, and says whether
    /// it does. The default cannot.
    ///
    /// [`Lease::keep_alive`](crate::lock::Lease::keep_alive) renews so. What a dropped lease or a
    /// dropped call leaves behind is given back so.
    fn spawn(&self, task: Task) -> bool {
        drop(task);
        false
    }
}

impl<C: Clock + ?Sized> Clock for &C {
    fn now(&self) -> Instant {
        (**self).now()
    }

    fn sleep_until(&self, deadline: Instant) -> impl Future<Output = ()> + Send {
        (**self).sleep_until(deadline)
    }

    fn spawn(&self, task: Task) -> bool {
        (**self).spawn(task)
    }
}

impl<C: Clock + ?Sized> Clock for Arc<C> {
    fn now(&self) -> Instant {
        (**self).now()
    }

    fn sleep_until(&self, deadline: Instant) -> impl Future<Output = ()> + Send {
        (**self).sleep_until(deadline)
    }

    fn spawn(&self, task: Task) -> bool {
        (**self).spawn(task)
    }
}

#[cfg(test)]
mod tests {
    use alloc::{format, sync::Arc};
    use core::future::ready;

    use super::*;

    struct Stopped(Instant);

    impl Clock for Stopped {
        fn now(&self) -> Instant {
            self.0
        }

        fn sleep_until(&self, _deadline: Instant) -> impl Future<Output = ()> + Send {
            ready(())
        }
    }

    #[test]
    fn what_points_to_a_clock_tells_its_time() {
        let clock = Arc::new(Stopped(Instant::from_micros(7)));
        assert_eq!(Clock::now(&clock), Instant::from_micros(7));
        assert_eq!(Clock::now(&&*clock), Instant::from_micros(7));
        assert_eq!(format!("{:?}", clock.now()), "7µs");
    }
}
