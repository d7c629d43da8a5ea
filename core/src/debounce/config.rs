//! A debounced call's settings, checked once.

use alloc::{format, sync::Arc};
use core::time::Duration;

use super::{DebounceKeys, Retention, Timing};
use crate::{
    settings::{ConfigError, MAX_LEASE, checked_margin, margin, setters, whole_millis},
    time::whole_micros,
};

/// How a debounced call behaves. All processes that share an id should share these.
///
/// ```
/// use std::time::Duration;
/// use leasehold_core::debounce::DebounceOptions;
///
/// let options = DebounceOptions::new()
///     .wait(Duration::from_millis(200))
///     .max_wait(Duration::from_secs(5))
///     .leading(true);
/// # let _ = options;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DebounceOptions {
    pub(crate) wait: Duration,
    pub(crate) max_wait: Option<Duration>,
    pub(crate) leading: bool,
    pub(crate) trailing: bool,
    pub(crate) run_lease: Duration,
    pub(crate) retry_delay: Duration,
    pub(crate) within: Option<Duration>,
    pub(crate) leave_when_superseded: bool,
    pub(crate) attempts: u32,
    pub(crate) delay: Duration,
    pub(crate) jitter: bool,
    pub(crate) call_timeout: Duration,
    pub(crate) drift_ppm: u32,
    pub(crate) margin: Duration,
    pub(crate) request_life: Duration,
    pub(crate) life: Duration,
}

impl DebounceOptions {
    /// The defaults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    setters! {
        /// How long no further call may come before the callback runs, in whole milliseconds (rounded
        /// down). Default 1 s.
        wait: Duration;

        /// How long after the first call the run is due at the latest, however many calls come.
        /// Default: no limit. Not less than [`DebounceOptions::wait`].
        max_wait: Duration;

        /// Whether the first call runs at once, if there was none within `wait` before it. Default
        /// false.
        leading: bool;

        /// Whether further calls run at the end of the wait. Default true. Without it, they only
        /// prolong the wait; then [`DebounceOptions::leading`] must be true.
        trailing: bool;

        /// How long a run may take before another participant may start over. Default 30 s.
        run_lease: Duration;

        /// How long after a failed run it is due again. Default 1 s.
        retry_delay: Duration;

        /// How long a caller participates, at the longest, after which the call is left to others.
        /// Zero leaves at once: then a sweeper must run. Default: the sum of the longer
        /// of `wait` and `max_wait`, two run leases and five call timeouts.
        within: Duration;

        /// Whether a caller leaves when it sees that a newer call has come, instead of staying as a
        /// backup in case that the newer caller crashes. Default false.
        leave_when_superseded: bool;

        /// How many times a request is sent while it is not clear whether it arrived. Default 3. Not
        /// zero.
        attempts: u32;

        /// How long to wait before a request is sent again, and before looking again whether another's
        /// run has ended (then doubled up to 16 times). Default 100 ms. Not zero.
        delay: Duration;

        /// Whether each such delay is drawn from 50 % to 150 %. Default true.
        jitter: bool;

        /// How long to wait for one reply of the store. Default 2 s. Not zero.
        call_timeout: Duration;

        /// How much faster or slower than the local clock the server's may run, in parts per million.
        /// Default 10 000 (1 %). At most 500 000. This share of a run's lease is not used.
        drift_ppm: u32;

        /// What else is taken off a run's lease. Default 2 ms. At least 1 ms.
        margin: Duration;

        /// The longest time for which a request may linger in the network after its caller gave it up.
        /// A copy of a request changes nothing for this long. Default 60 s. Not zero.
        request_life: Duration;

        /// How long a call that is due waits for somebody to run it before it is forgotten. Default 1
        /// day. At least as long as a settled record must live: that of `within`, and twice the request
        /// life.
        life: Duration;
    }
}

impl Default for DebounceOptions {
    fn default() -> Self {
        Self {
            wait: Duration::from_secs(1),
            max_wait: None,
            leading: false,
            trailing: true,
            run_lease: Duration::from_secs(30),
            retry_delay: Duration::from_secs(1),
            within: None,
            leave_when_superseded: false,
            attempts: 3,
            delay: Duration::from_millis(100),
            jitter: true,
            call_timeout: Duration::from_secs(2),
            drift_ppm: 10_000,
            margin: Duration::from_millis(2),
            request_life: Duration::from_secs(60),
            life: Duration::from_secs(24 * 60 * 60),
        }
    }
}

/// A debounced call's settings, checked. Times are integers so that a machine can be hashed and
/// compared.
///
/// ```
/// use std::time::Duration;
/// use leasehold_core::{ConfigError, debounce::{DebounceConfig, DebounceOptions}};
///
/// let never = DebounceOptions::new().wait(Duration::ZERO);
/// assert_eq!(DebounceConfig::new("index", &never), Err(ConfigError::Zero { what: "wait" }));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DebounceConfig {
    pub(super) keys: Arc<DebounceKeys>,
    pub(super) timing: Timing,
    pub(super) run_lease_ms: u64,
    pub(super) retry_ms: u64,
    pub(super) within_us: u64,
    pub(super) leave_when_superseded: bool,
    pub(super) attempts: u32,
    pub(super) delay_us: u64,
    pub(super) jitter: bool,
    pub(super) call_timeout_us: u64,
    pub(super) drift_ppm: u32,
    pub(super) margin_us: u64,
    pub(super) retention: Retention,
}

impl DebounceConfig {
    /// Checks the settings of the debounced call named `id`.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] names the first setting that cannot work, and says what would.
    pub fn new(id: &str, options: &DebounceOptions) -> Result<Self, ConfigError> {
        if id.is_empty() {
            return Err(ConfigError::EmptyId);
        }
        if options.attempts == 0 {
            return Err(ConfigError::NoAttempts);
        }
        let margin_us = checked_margin(options.drift_ppm, options.margin)?;
        let (timing, within) = (timing(options)?, within(options)?);
        let config = Self {
            keys: Arc::new(DebounceKeys::of(id)),
            timing,
            run_lease_ms: whole_millis("run_lease", options.run_lease)?,
            retry_ms: whole_millis("retry_delay", options.retry_delay)?,
            within_us: whole_micros(within),
            leave_when_superseded: options.leave_when_superseded,
            attempts: options.attempts,
            delay_us: whole_millis("delay", options.delay)? * 1_000,
            jitter: options.jitter,
            call_timeout_us: whole_millis("call_timeout", options.call_timeout)? * 1_000,
            drift_ppm: options.drift_ppm,
            margin_us,
            retention: retention(options, within)?,
        };
        let lease_us = config.run_lease_ms * 1_000;
        if config.margin(lease_us) >= lease_us {
            let margin = Duration::from_micros(config.margin(lease_us));
            return Err(ConfigError::LeaseTooShort { margin });
        }
        Ok(config)
    }

    /// These settings for another id.
    #[cfg(any(feature = "std", test))]
    pub(super) fn with_id(&self, id: &str) -> Result<Self, ConfigError> {
        if id.is_empty() {
            return Err(ConfigError::EmptyId);
        }
        Ok(Self { keys: Arc::new(DebounceKeys::of(id)), ..self.clone() })
    }

    /// The names under which the call is stored.
    #[must_use]
    pub fn keys(&self) -> &Arc<DebounceKeys> {
        &self.keys
    }

    pub(super) fn margin(&self, lease_us: u64) -> u64 {
        margin(lease_us, self.drift_ppm, self.margin_us)
    }
}

fn timing(options: &DebounceOptions) -> Result<Timing, ConfigError> {
    let wait_ms = whole_millis("wait", options.wait)?;
    let max_wait_ms = options.max_wait.map(|max| whole_millis("max_wait", max)).transpose()?;
    if max_wait_ms.is_some_and(|max| max < wait_ms) {
        return Err(ConfigError::Contradiction("max_wait must be at least wait".into()));
    }
    if !options.leading && !options.trailing {
        let text = "without leading and without trailing nothing would ever run: set one of them";
        return Err(ConfigError::Contradiction(text.into()));
    }
    Ok(Timing { wait_ms, max_wait_ms, leading: options.leading, trailing: options.trailing })
}

fn within(options: &DebounceOptions) -> Result<Duration, ConfigError> {
    let within = options.within.unwrap_or_else(|| {
        options
            .max_wait
            .unwrap_or(options.wait)
            .saturating_add(options.run_lease.saturating_mul(2))
            .saturating_add(options.call_timeout.saturating_mul(5))
    });
    if options.within.is_some() && within > MAX_LEASE {
        return Err(ConfigError::TooLong { what: "within" });
    }
    Ok(within.min(MAX_LEASE))
}

/// A participant that finds no record puts its call back, so a settled record must outlive the
/// longest stay of all participants, by whose clocks it may look half as long again, and the last
/// copy of their requests.
fn retention(options: &DebounceOptions, within: Duration) -> Result<Retention, ConfigError> {
    let memo_ms = whole_millis("request_life", options.request_life)?;
    let drift = within / 1_000 * options.drift_ppm.div_ceil(1_000);
    let settled = within + drift + options.request_life * 2;
    let armed_ms = whole_millis("life", options.life)?;
    let settled_ms = settled.as_millis() as u64;
    if armed_ms < settled_ms {
        let text = format!(
            "life must be at least {settled:?}: that of within and twice the request life, by a \
             drifting clock"
        );
        return Err(ConfigError::Contradiction(text));
    }
    Ok(Retention { armed_ms, settled_ms, memo_ms })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(change: impl FnOnce(&mut DebounceOptions)) -> ConfigError {
        let mut options = DebounceOptions::default();
        change(&mut options);
        DebounceConfig::new("job", &options).unwrap_err()
    }

    #[test]
    fn settings_that_cannot_work_are_refused() {
        use ConfigError::*;
        let ms = Duration::from_millis;
        assert_eq!(DebounceConfig::new("", &DebounceOptions::default()), Err(EmptyId));
        assert_eq!(refused(|o| o.wait = Duration::ZERO), Zero { what: "wait" });
        assert_eq!(refused(|o| o.wait = Duration::from_micros(999)), Zero { what: "wait" });
        assert_eq!(refused(|o| o.wait = Duration::MAX), TooLong { what: "wait" });
        assert_eq!(refused(|o| o.max_wait = Some(Duration::MAX)), TooLong { what: "max_wait" });
        assert_eq!(refused(|o| o.within = Some(Duration::MAX)), TooLong { what: "within" });
        assert_eq!(refused(|o| o.run_lease = Duration::MAX), TooLong { what: "run_lease" });
        assert_eq!(refused(|o| o.run_lease = Duration::ZERO), Zero { what: "run_lease" });
        let margin = Duration::from_micros(2_020);
        assert_eq!(refused(|o| o.run_lease = ms(2)), LeaseTooShort { margin });
        assert_eq!(refused(|o| o.attempts = 0), NoAttempts);
        assert_eq!(refused(|o| o.delay = Duration::ZERO), Zero { what: "delay" });
        assert_eq!(refused(|o| o.retry_delay = Duration::ZERO), Zero { what: "retry_delay" });
        assert_eq!(refused(|o| o.call_timeout = Duration::ZERO), Zero { what: "call_timeout" });
        assert_eq!(refused(|o| o.request_life = Duration::ZERO), Zero { what: "request_life" });
        assert_eq!(refused(|o| o.margin = Duration::ZERO), MarginTooSmall);
        assert_eq!(refused(|o| o.drift_ppm = 600_000), DriftTooLarge { ppm: 600_000 });
    }

    #[test]
    fn settings_that_contradict_one_another_are_refused() {
        let contradicts = |error| matches!(error, ConfigError::Contradiction(_));
        assert!(contradicts(refused(|o| o.max_wait = Some(Duration::from_millis(999)))));
        assert!(contradicts(refused(|o| o.trailing = false)));
        assert!(contradicts(refused(|o| o.life = Duration::from_secs(180))));
    }

    #[test]
    fn a_setting_at_its_exact_bound_is_accepted() {
        let config = |change: fn(&mut DebounceOptions)| {
            let mut options = DebounceOptions::default();
            change(&mut options);
            DebounceConfig::new("job", &options)
        };
        let max_wait = config(|o| o.max_wait = Some(o.wait)).unwrap().timing.max_wait_ms;
        assert_eq!(max_wait, Some(1_000));
        // The longest stay of 71 s, 1 % of it, and twice the request life.
        let least = config(|o| o.life = Duration::from_millis(191_710)).unwrap().retention;
        assert_eq!((least.armed_ms, least.settled_ms), (191_710, 191_710));
        let shorter = config(|o| o.life = Duration::from_millis(191_709));
        assert!(matches!(shorter, Err(ConfigError::Contradiction(_))));
        // So long a stay is not itself refused, but no life can be long enough for it.
        let longest = config(|o| o.within = Some(MAX_LEASE));
        assert!(matches!(longest, Err(ConfigError::Contradiction(_))));
    }

    #[test]
    fn another_id_keeps_the_settings_and_must_not_be_empty() {
        let config = DebounceConfig::new("job", &DebounceOptions::default()).unwrap();
        assert_eq!(config.with_id("").unwrap_err(), ConfigError::EmptyId);
        let other = config.with_id("other").unwrap();
        assert_eq!(other.keys().id(), "other");
        assert_eq!(other.timing, config.timing);
    }
}
