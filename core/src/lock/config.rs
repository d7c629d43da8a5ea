//! A lock's settings, checked once.

use alloc::sync::Arc;
use core::time::Duration;

#[cfg(any(feature = "std", test))]
use super::options::AcquireOptions;
use super::{Durability, Guarantee, LockKeys, LockOptions};
use crate::{
    settings::{ConfigError, MAX_LEASE, checked_margin, margin, whole_millis},
    time::{Instant, whole_micros},
    token::Token,
};

/// How many delays a waiter lets pass between two looks while a subscription is in place: the
/// notification mostly comes first, but it may be lost.
pub(super) const DELAYS_PER_SUBSCRIBED_LOOK: u64 = 10;
/// The same with the jitter.
const LONGEST_PAUSE_DELAYS: u64 = DELAYS_PER_SUBSCRIBED_LOOK * 3 / 2;
/// The longest time to live that a server is asked for.
pub(super) const LONGEST_MS: u64 = MAX_LEASE.as_secs() * 1_000;

/// A lock's settings, checked. Times are integers so that a machine can be hashed and compared.
///
/// ```
/// use std::time::Duration;
/// use leasehold_core::{ConfigError, lock::{LockConfig, LockOptions}};
///
/// let none = LockOptions::new().attempts(0);
/// assert_eq!(LockConfig::new("job", &none), Err(ConfigError::NoAttempts));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LockConfig {
    pub(super) keys: Arc<LockKeys>,
    pub(super) defaults: AcquireRequest,
    pub(super) jitter: bool,
    pub(super) call_timeout_us: u64,
    pub(super) drift_ppm: u32,
    pub(super) margin_us: u64,
    pub(super) tombstone_ms: u64,
    pub(super) fence_life_ms: u64,
    pub(super) max_renewals: Option<u32>,
    pub(super) guarantee: Guarantee,
    pub(super) replicas: u32,
    pub(super) confirm_ms: u64,
}

/// What one acquire asks for, checked: from [`LockConfig::acquire`].
///
/// ```
/// use leasehold_core::{Instant, Token, lock::{LockConfig, LockOptions, LockRequest}};
///
/// let config = LockConfig::new("job", &LockOptions::new())?;
/// let until = Instant::from_micros(5_000_000);
/// let request = config.acquire().token(Token::new("mine").expect("it is not empty"))?;
/// let request = LockRequest::Acquire(request.until(until, false));
/// # let _ = request;
/// # Ok::<(), leasehold_core::ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AcquireRequest {
    pub(super) lease_ms: u64,
    pub(super) attempts: u32,
    pub(super) delay_us: u64,
    pub(super) token: Option<Token>,
    pub(super) wait: Option<Wait>,
}

/// Trying until a deadline, instead of a number of times.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Wait {
    pub(super) until: Instant,
    /// Whether a subscription is in place; `None` if that was not asked yet.
    pub(super) subscribed: Option<bool>,
}

impl AcquireRequest {
    /// The same, but trying until `deadline` on the local clock instead of a number of times.
    /// Between two tries the machine waits for a notification, the end of the holder's lease or a
    /// bound, whichever is first. `subscribed` says that a subscription is in place since before
    /// this call, so that none has to be asked for.
    #[must_use]
    pub fn until(mut self, deadline: Instant, subscribed: bool) -> Self {
        self.wait = Some(Wait { until: deadline, subscribed: subscribed.then_some(true) });
        self
    }

    /// The same under a token of the caller's. See [`Acquire::token`](super::Acquire::token).
    ///
    /// # Errors
    ///
    /// [`ConfigError::NumberedToken`].
    pub fn token(mut self, token: Token) -> Result<Self, ConfigError> {
        // A busy answer revokes a numbered try, but a caller's token is tried again.
        if token.series().1 > 0 {
            return Err(ConfigError::NumberedToken);
        }
        self.token = Some(token);
        Ok(self)
    }

    /// When to stop trying.
    pub(super) fn deadline(&self) -> Instant {
        self.wait.map_or(Instant::NEVER, |wait| wait.until)
    }
}

impl LockConfig {
    /// Checks the settings of the lock called `id`.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] names the first setting that cannot work, and says what would.
    pub fn new(id: &str, options: &LockOptions) -> Result<Self, ConfigError> {
        if id.is_empty() {
            return Err(ConfigError::EmptyId);
        }
        let margin_us = checked_margin(options.drift_ppm, options.margin)?;
        if options.fence_life < options.lease {
            return Err(ConfigError::FenceLifeTooShort);
        }
        if options.guarantee == Guarantee::Lean && options.durability != Durability::Primary {
            let text =
                "a lean lock waits for no replicas: leave out the guarantee or the durability";
            return Err(ConfigError::Contradiction(text.into()));
        }
        let config = Self {
            keys: Arc::new(LockKeys::of(id)),
            defaults: AcquireRequest {
                lease_ms: whole_millis("lease", options.lease)?,
                attempts: at_least_one(options.attempts)?,
                delay_us: delay(options.delay)?,
                token: None,
                wait: None,
            },
            jitter: options.jitter,
            call_timeout_us: whole_millis("call_timeout", options.call_timeout)? * 1_000,
            drift_ppm: options.drift_ppm,
            margin_us,
            tombstone_ms: whole_millis("request_life", options.request_life)?,
            fence_life_ms: whole_millis("fence_life", options.fence_life)?,
            max_renewals: options.max_renewals,
            guarantee: options.guarantee,
            replicas: options.durability.acknowledgements(),
            confirm_ms: whole_millis("confirm_timeout", options.confirm_timeout)?,
        };
        config.usable(config.defaults.lease_ms)?;
        Ok(config)
    }

    /// The names under which the lock is stored.
    #[must_use]
    pub fn keys(&self) -> &Arc<LockKeys> {
        &self.keys
    }

    /// What an acquire with these settings asks for.
    #[must_use]
    pub fn acquire(&self) -> AcquireRequest {
        self.defaults.clone()
    }

    /// Checks what one call asks for.
    #[cfg(any(feature = "std", test))]
    pub(crate) fn acquire_with(
        &self,
        options: &AcquireOptions,
    ) -> Result<AcquireRequest, ConfigError> {
        let mut request = self.acquire();
        if let Some(lease) = options.lease {
            request.lease_ms = whole_millis("lease", lease)?;
            self.usable(request.lease_ms)?;
        }
        if let Some(attempts) = options.attempts {
            request.attempts = at_least_one(attempts)?;
        }
        if let Some(pause) = options.delay {
            request.delay_us = delay(pause)?;
        }
        match &options.token {
            Some(token) => request.token(token.clone()),
            None => Ok(request),
        }
    }

    /// Checks an extension and returns it in whole milliseconds.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Zero`] or [`ConfigError::TooLong`].
    pub fn extension(&self, by: Duration) -> Result<u64, ConfigError> {
        whole_millis("extension", by)
    }

    /// The longest that such a call takes, if every reply is missing: each try, the clean-up after
    /// it, and that of a call that was dropped before. AcquireRequest with a deadline
    /// ([`AcquireRequest::until`]) end by it, whatever this says.
    #[cfg(any(feature = "internals", test))]
    #[must_use]
    pub fn longest_acquire(&self, request: &AcquireRequest) -> Duration {
        let spread = |delay_us: u64| if self.jitter { delay_us / 2 * 3 } else { delay_us };
        let clean_up = super::RELEASE_TRIES
            * (self.call_timeout_us.saturating_add(spread(self.defaults.delay_us)));
        let confirmation = match self.replicas {
            0 => 0,
            _ => self.call_timeout_us.saturating_add(self.confirm_ms * 1_000),
        };
        let one_try = clean_up
            .saturating_add(self.call_timeout_us)
            .saturating_add(confirmation)
            .saturating_add(spread(request.delay_us));
        let tries = one_try.saturating_mul(request.attempts.into());
        Duration::from_micros(tries.saturating_add(clean_up))
    }

    /// How long it takes a subscribed waiter at the most to look again.
    pub(super) fn longest_pause_ms(&self, request: &AcquireRequest) -> u64 {
        let pause_us = request.delay_us.saturating_mul(LONGEST_PAUSE_DELAYS);
        pause_us.saturating_add(self.call_timeout_us).div_ceil(1_000).min(LONGEST_MS)
    }

    /// The longest that a waiter with this request stays in one call or pause.
    #[cfg(feature = "std")]
    pub(super) fn longest_step_us(&self, request: &AcquireRequest) -> u64 {
        let pause_us = request.delay_us.saturating_mul(LONGEST_PAUSE_DELAYS);
        let call_us = self.call_timeout_us.saturating_add(self.confirm_ms * 1_000);
        call_us.max(pause_us)
    }

    pub(super) fn margin(&self, lease_us: u64) -> u64 {
        margin(lease_us, self.drift_ppm, self.margin_us)
    }

    fn usable(&self, lease_ms: u64) -> Result<(), ConfigError> {
        let margin = self.margin(lease_ms * 1_000);
        if lease_ms * 1_000 > margin {
            Ok(())
        } else {
            Err(ConfigError::LeaseTooShort { margin: Duration::from_micros(margin) })
        }
    }
}

fn at_least_one(attempts: u32) -> Result<u32, ConfigError> {
    if attempts == 0 { Err(ConfigError::NoAttempts) } else { Ok(attempts) }
}

fn delay(delay: Duration) -> Result<u64, ConfigError> {
    if delay > MAX_LEASE {
        return Err(ConfigError::TooLong { what: "delay" });
    }
    Ok(whole_micros(delay))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lock::{Durability, RELEASE_TRIES};

    fn refused(change: impl FnOnce(&mut LockOptions)) -> ConfigError {
        let mut options = LockOptions::default();
        change(&mut options);
        LockConfig::new("job", &options).unwrap_err()
    }

    #[test]
    fn settings_that_cannot_work_are_refused() {
        use ConfigError::*;
        assert_eq!(LockConfig::new("", &LockOptions::default()), Err(EmptyId));
        assert_eq!(refused(|o| o.lease = Duration::ZERO), Zero { what: "lease" });
        assert_eq!(refused(|o| o.lease = Duration::from_micros(999)), Zero { what: "lease" });
        let longest = refused(|o| (o.lease, o.fence_life) = (Duration::MAX, Duration::MAX));
        assert_eq!(longest, TooLong { what: "lease" });
        let margin = Duration::from_micros(2_020);
        assert_eq!(refused(|o| o.lease = Duration::from_millis(2)), LeaseTooShort { margin });
        assert_eq!(refused(|o| o.attempts = 0), NoAttempts);
        assert_eq!(refused(|o| o.delay = Duration::MAX), TooLong { what: "delay" });
        assert_eq!(refused(|o| o.call_timeout = Duration::ZERO), Zero { what: "call_timeout" });
        assert_eq!(refused(|o| o.fence_life = Duration::from_secs(1)), FenceLifeTooShort);
        assert_eq!(refused(|o| o.margin = Duration::ZERO), MarginTooSmall);
        let lean = refused(|o| {
            (o.guarantee, o.durability) = (Guarantee::Lean, Durability::Replicas(1));
        });
        assert!(matches!(lean, Contradiction(_)), "{lean:?}");
        assert_eq!(refused(|o| o.drift_ppm = 600_000), DriftTooLarge { ppm: 600_000 });
    }

    #[test]
    fn a_call_is_checked_as_the_settings_are_and_changes_nothing_for_the_next() {
        let config = LockConfig::new("job", &LockOptions::default()).unwrap();
        let zero = AcquireOptions { lease: Some(Duration::ZERO), ..AcquireOptions::default() };
        assert_eq!(config.acquire_with(&zero), Err(ConfigError::Zero { what: "lease" }));
        let none = AcquireOptions { attempts: Some(0), ..AcquireOptions::default() };
        assert_eq!(config.acquire_with(&none), Err(ConfigError::NoAttempts));
        assert_eq!(config.acquire_with(&AcquireOptions::default()).unwrap().lease_ms, 10_000);
        assert_eq!(config.extension(Duration::ZERO), Err(ConfigError::Zero { what: "extension" }));
        let of = |token: &str| AcquireOptions {
            token: Some(Token::new(token).unwrap()),
            ..AcquireOptions::default()
        };
        assert_eq!(config.acquire_with(&of("mine#1")), Err(ConfigError::NumberedToken));
        assert!(config.acquire_with(&of("mine")).is_ok());
    }

    #[test]
    fn a_bound_itself_is_allowed() {
        let options = |change: fn(&mut LockOptions)| {
            let mut options = LockOptions::default();
            change(&mut options);
            LockConfig::new("job", &options).map(|_| ())
        };
        let longest = |o: &mut LockOptions| (o.lease, o.fence_life) = (MAX_LEASE, MAX_LEASE);
        assert_eq!(options(longest), Ok(()));
        assert_eq!(options(|o| o.delay = MAX_LEASE), Ok(()));
        let beyond = MAX_LEASE + Duration::from_nanos(1);
        assert_eq!(whole_millis("wait", beyond), Err(ConfigError::TooLong { what: "wait" }));
        assert_eq!(whole_millis("wait", MAX_LEASE), Ok(315_360_000_000));
        // A lease that the margin uses up to the microsecond is none.
        let exact = |margin_us| LockOptions {
            drift_ppm: 0,
            margin: Duration::from_micros(margin_us),
            lease: Duration::from_millis(5),
            ..LockOptions::default()
        };
        let margin = Duration::from_millis(5);
        let refused = LockConfig::new("job", &exact(5_000));
        assert_eq!(refused, Err(ConfigError::LeaseTooShort { margin }));
        assert!(LockConfig::new("job", &exact(4_999)).is_ok());
    }

    #[test]
    fn the_longest_acquire_is_the_sum_of_every_step_at_its_longest() {
        let ms = Duration::from_millis;
        let mut options = LockOptions {
            attempts: 3,
            delay: ms(100),
            call_timeout: ms(1_000),
            jitter: false,
            ..LockOptions::default()
        };
        let longest = |options: &LockOptions, attempts, delay| {
            let config = LockConfig::new("job", options).unwrap();
            let once = AcquireOptions { attempts, delay, ..AcquireOptions::default() };
            config.longest_acquire(&config.acquire_with(&once).unwrap())
        };
        let clean_up = ms(RELEASE_TRIES * 1_100);
        assert_eq!(longest(&options, None, None), (clean_up + ms(1_100)) * 3 + clean_up);
        let slower = longest(&options, Some(1), Some(ms(400)));
        assert_eq!(slower, clean_up + ms(1_400) + clean_up);
        options.durability = Durability::Replicas(2);
        options.confirm_timeout = ms(300);
        assert_eq!(longest(&options, Some(1), None), clean_up + ms(1_100 + 1_300) + clean_up);
        options.durability = Durability::default();
        options.jitter = true;
        let clean_up = ms(RELEASE_TRIES * 1_150);
        assert_eq!(longest(&options, Some(1), None), clean_up + ms(1_150) + clean_up);
    }

    #[test]
    fn the_longest_step_is_a_call_or_a_subscribed_pause() {
        let longest_us = |call_ms| {
            let call_timeout = Duration::from_millis(call_ms);
            let options = LockOptions { call_timeout, ..LockOptions::default() };
            let config = LockConfig::new("job", &options).unwrap();
            config.longest_step_us(&config.acquire_with(&AcquireOptions::default()).unwrap())
        };
        // Fifteen delays of 100 ms; a call, and 200 ms for the replicas.
        assert_eq!((longest_us(100), longest_us(9_000)), (1_500_000, 9_200_000));
    }
}
