//! The clock of a served fake: what `TIME` tells, what times to live follow, and what the server
//! waits by.
//!
//! It shows two times. *Unix time* is the wall clock: it drives `TIME` and every time to live, and
//! it can be set. *Elapsed time* only passes: by it the server waits (for a blocked pop, a delayed
//! reply), and by it a replica lags. Advancing moves both, a jump only the first.

use std::{
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

/// The latest Unix time that can be shown, the year 9999, in microseconds.
const LATEST_US: u64 = 253_402_300_799_000_000;

/// A clock as a value: both times as functions of the time that really passes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Times {
    real_us: u64,
    unix_us: u64,
    elapsed_us: u64,
    /// Seconds shown for each that passes; 0 is frozen.
    rate: f64,
}

impl Times {
    /// A clock that shows `unix_us` when `real_us` have really passed, and keeps pace.
    #[must_use]
    pub fn new(real_us: u64, unix_us: u64) -> Self {
        Self { real_us, unix_us: unix_us.min(LATEST_US), elapsed_us: 0, rate: 1.0 }
    }

    /// The Unix time in microseconds.
    #[must_use]
    pub fn unix_us(&self, real_us: u64) -> u64 {
        self.unix_us.saturating_add(self.passed(real_us)).min(LATEST_US)
    }

    /// Microseconds since the clock was made, by its own rate.
    #[must_use]
    pub fn elapsed_us(&self, real_us: u64) -> u64 {
        self.elapsed_us.saturating_add(self.passed(real_us))
    }

    /// How long it really takes until `elapsed_us`; `None` if the clock is frozen before.
    #[must_use]
    pub fn real_time_until(&self, real_us: u64, elapsed_us: u64) -> Option<Duration> {
        let missing = elapsed_us.saturating_sub(self.elapsed_us(real_us));
        if missing == 0 {
            return Some(Duration::ZERO);
        }
        // Rounded up: a moment too early would be a wait too many.
        (self.rate > 0.0).then(|| Duration::from_micros((missing as f64 / self.rate) as u64 + 1))
    }

    /// Applies a change.
    pub fn set(&mut self, real_us: u64, change: &ClockChange) {
        *self = Self {
            real_us,
            unix_us: self.unix_us(real_us),
            elapsed_us: self.elapsed_us(real_us),
            rate: self.rate,
        };
        match change.mode {
            Some(Mode::Real) => self.rate = 1.0,
            Some(Mode::Frozen) => self.rate = 0.0,
            None => {}
        }
        self.rate = change.rate.unwrap_or(self.rate);
        let milli_us = |milliseconds: u64| milliseconds.saturating_mul(1_000);
        self.unix_us = change.unix_ms.map_or(self.unix_us, milli_us);
        let jump_us = change.jump_ms.unwrap_or(0).saturating_mul(1_000);
        let advance_us = milli_us(change.advance_ms.unwrap_or(0));
        self.unix_us = self.unix_us.saturating_add_signed(jump_us).saturating_add(advance_us);
        self.unix_us = self.unix_us.min(LATEST_US);
        self.elapsed_us = self.elapsed_us.saturating_add(advance_us);
    }

    fn jump(&mut self, real_us: u64, jump_us: i64) {
        self.set(real_us, &ClockChange::default());
        self.unix_us = self.unix_us.saturating_add_signed(jump_us).min(LATEST_US);
    }

    fn passed(&self, real_us: u64) -> u64 {
        (real_us.saturating_sub(self.real_us) as f64 * self.rate) as u64
    }
}

/// What to do with a clock. Whatever is not named stays as it is; all of it happens at once, in the
/// order of the fields.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClockChange {
    /// At the pace of real time, or standing still.
    pub mode: Option<Mode>,
    /// Seconds to show for each that passes: from 0 to 1 000 000.
    pub rate: Option<f64>,
    /// The Unix time to show, in milliseconds.
    pub unix_ms: Option<u64>,
    /// Sets the wall clock forward or back, in milliseconds; no time passes.
    pub jump_ms: Option<i64>,
    /// Lets so many milliseconds pass at once.
    pub advance_ms: Option<u64>,
}

/// How a clock runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// At the pace of real time.
    Real,
    /// Only when it is told to.
    Frozen,
}

/// What a clock shows.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Reading {
    /// Milliseconds since the Unix epoch.
    pub unix_ms: u64,
    /// Milliseconds that passed by this clock since the server was started.
    pub elapsed_ms: u64,
    /// Seconds shown for each that passes.
    pub rate: f64,
}

impl ClockChange {
    /// Refuses what no clock can do.
    ///
    /// # Errors
    ///
    /// Says which field to change.
    pub fn check(&self) -> Result<(), String> {
        let possible = |rate: f64| (0.0..=1e6).contains(&rate);
        if self.rate.is_some_and(|rate| !possible(rate)) {
            return Err("`rate` must be from 0 to 1000000".into());
        }
        if self.mode.is_some() && self.rate.is_some() {
            return Err("give `mode` or `rate`, not both: real is 1, frozen is 0".into());
        }
        Ok(())
    }
}

/// A clock on real time, shared by all that serve. Clones are handles on the same clock.
#[derive(Clone, Debug)]
pub struct Clock(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    start: Instant,
    times: Mutex<Times>,
    changed: Notify,
    /// The pace at which it began.
    pace: OnceLock<f64>,
}

/// What this machine's clock shows.
fn machine_us() -> u64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since_epoch.as_micros()).unwrap_or(u64::MAX)
}

impl Default for Clock {
    /// A clock that shows the time of this machine.
    fn default() -> Self {
        let times = Mutex::new(Times::new(0, machine_us()));
        let (start, changed, pace) = (Instant::now(), Notify::new(), OnceLock::new());
        Self(Arc::new(Shared { start, times, changed, pace }))
    }
}

impl Clock {
    /// Microseconds since the Unix epoch.
    #[must_use]
    pub fn now_us(&self) -> u64 {
        self.times().unix_us(self.real_us())
    }

    /// How long it really takes until [`Clock::now_us`] is `at_us`; `None` if the clock is frozen
    /// before.
    #[must_use]
    pub fn until(&self, at_us: u64) -> Option<Duration> {
        let (real_us, times) = (self.real_us(), *self.times());
        let missing = at_us.saturating_sub(times.unix_us(real_us));
        times.real_time_until(real_us, times.elapsed_us(real_us).saturating_add(missing))
    }

    /// Completes the next time that somebody sets the clock.
    pub async fn changed(&self) {
        self.0.changed.notified().await;
    }

    /// Microseconds that passed by this clock.
    #[must_use]
    pub fn elapsed_us(&self) -> u64 {
        self.times().elapsed_us(self.real_us())
    }

    /// [`Clock::now_us`] and [`Clock::elapsed_us`] at the same moment.
    #[must_use]
    pub(super) fn both(&self) -> (u64, u64) {
        let (real_us, times) = (self.real_us(), *self.times());
        (times.unix_us(real_us), times.elapsed_us(real_us))
    }

    /// Both times, rounded.
    #[must_use]
    pub fn reading(&self) -> Reading {
        let (real_us, times) = (self.real_us(), *self.times());
        Reading {
            unix_ms: times.unix_us(real_us) / 1_000,
            elapsed_ms: times.elapsed_us(real_us) / 1_000,
            rate: times.rate,
        }
    }

    /// Applies a change, and wakes those whose time has come.
    ///
    /// # Errors
    ///
    /// See [`ClockChange::check`], and if more time would have passed than a clock can tell; then nothing
    /// is changed.
    pub fn set(&self, change: &ClockChange) -> Result<(), String> {
        change.check()?;
        let real_us = self.real_us();
        let mut times = self.times();
        let advance_us = change.advance_ms.unwrap_or(0).saturating_mul(1_000);
        if times.elapsed_us(real_us).saturating_add(advance_us) > LATEST_US {
            return Err("`advance_ms` goes too far: 8000 years at most may pass".into());
        }
        times.set(real_us, change);
        drop(times);
        self.0.changed.notify_waiters();
        Ok(())
    }

    /// Shows the time of this machine again, at the pace that was set first.
    pub(super) fn restart(&self) {
        let real_us = self.real_us();
        let mut times = self.times();
        let pace = *self.0.pace.get().unwrap_or(&times.rate);
        times.set(real_us, &ClockChange { rate: Some(pace), ..ClockChange::default() });
        times.unix_us = machine_us().min(LATEST_US);
        drop(times);
        self.0.changed.notify_waiters();
    }

    /// Remembers its pace as the first one.
    pub(super) fn begin(&self) {
        let rate = self.times().rate;
        self.0.pace.get_or_init(|| rate);
    }

    /// Sets the Unix time forward, or back if this is negative; no time passes.
    pub(super) fn jump(&self, jump_us: i64) {
        let real_us = self.real_us();
        self.times().jump(real_us, jump_us);
        self.0.changed.notify_waiters();
    }

    /// What [`Clock::elapsed_us`] is once so much time has passed from now.
    #[must_use]
    pub(crate) fn elapsed_us_after(&self, time: Duration) -> u64 {
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        self.elapsed_us().saturating_add(micros)
    }

    /// Waits until so much time has passed by this clock: forever if it is frozen and nobody
    /// advances it. Dropping the future forgets the wait.
    pub async fn sleep(&self, time: Duration) {
        self.sleep_until(self.elapsed_us_after(time)).await;
    }

    /// Waits until [`Clock::elapsed_us`] is reached. Dropping the future forgets the wait.
    pub async fn sleep_until(&self, elapsed_us: u64) {
        loop {
            let mut changed = pin!(self.0.changed.notified());
            // Before the clock is read, so that no change in between is missed.
            changed.as_mut().enable();
            let real_us = self.real_us();
            let wait = self.times().real_time_until(real_us, elapsed_us);
            match wait {
                Some(Duration::ZERO) => return,
                None => changed.await,
                Some(time) => tokio::select! {
                    () = changed => {}
                    () = tokio::time::sleep(time) => {}
                },
            }
        }
    }

    fn real_us(&self) -> u64 {
        u64::try_from(self.0.start.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    fn times(&self) -> MutexGuard<'_, Times> {
        self.0.times.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Waker};

    use super::*;

    fn change(json: &str) -> ClockChange {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn it_keeps_pace_until_it_is_frozen() {
        let mut times = Times::new(10, 1_000);
        assert_eq!((times.unix_us(15), times.elapsed_us(15)), (1_005, 5));
        times.set(20, &change(r#"{"mode": "frozen"}"#));
        assert_eq!((times.unix_us(900), times.elapsed_us(900)), (1_010, 10));
        times.set(900, &change(r#"{"mode": "real"}"#));
        assert_eq!((times.unix_us(901), times.elapsed_us(901)), (1_011, 11));
    }

    #[test]
    fn an_advance_passes_and_a_jump_does_not() {
        let mut times = Times::new(0, 50_000);
        times.set(0, &change(r#"{"mode": "frozen", "advance_ms": 2}"#));
        assert_eq!((times.unix_us(0), times.elapsed_us(0)), (52_000, 2_000));
        times.set(0, &change(r#"{"jump_ms": -12}"#));
        assert_eq!((times.unix_us(0), times.elapsed_us(0)), (40_000, 2_000));
        times.set(0, &change(r#"{"unix_ms": 7}"#));
        assert_eq!((times.unix_us(0), times.elapsed_us(0)), (7_000, 2_000));
        times.set(0, &change(r#"{"jump_ms": -8}"#));
        assert_eq!(times.unix_us(0), 0);
    }

    #[test]
    fn a_rate_stretches_real_time() {
        let mut times = Times::new(0, 0);
        times.set(0, &change(r#"{"rate": 10}"#));
        assert_eq!(times.elapsed_us(5), 50);
        assert_eq!(times.real_time_until(0, 50), Some(Duration::from_micros(6)));
        assert_eq!(times.real_time_until(5, 50), Some(Duration::ZERO));
        times.set(5, &change(r#"{"rate": 0}"#));
        assert_eq!(times.real_time_until(5, 51), None);
    }

    #[test]
    fn an_impossible_change_is_refused() {
        for wrong in [r#"{"rate": -1}"#, r#"{"rate": 1e7}"#, r#"{"rate": 2, "mode": "real"}"#] {
            assert!(change(wrong).check().is_err(), "{wrong}");
        }
        assert!(serde_json::from_str::<ClockChange>(r#"{"advance": 5}"#).is_err());
    }

    #[test]
    fn a_sleeper_on_a_frozen_clock_wakes_when_its_time_is_reached() {
        let clock = Clock::default();
        clock.set(&change(r#"{"mode": "frozen"}"#)).unwrap();
        let mut sleep = pin!(clock.sleep(Duration::from_millis(5)));
        let mut context = Context::from_waker(Waker::noop());
        assert!(sleep.as_mut().poll(&mut context).is_pending());
        clock.set(&change(r#"{"advance_ms": 4}"#)).unwrap();
        assert!(sleep.as_mut().poll(&mut context).is_pending());
        clock.set(&change(r#"{"advance_ms": 1}"#)).unwrap();
        assert!(sleep.as_mut().poll(&mut context).is_ready());
    }
}
