//! What the settings of a lock and of a debounced call share.

use alloc::string::String;
use core::{error, fmt, time::Duration};

use crate::time::whole_micros;

/// The longest lease, wait or extension: ten years. Longer ones would overflow a server's clock.
pub const MAX_LEASE: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

/// What is taken off a lease of `lease_us`: the share that the clocks may drift apart, and the
/// server's rounding.
pub(crate) fn margin(lease_us: u64, drift_ppm: u32, margin_us: u64) -> u64 {
    let drift_ppm = u64::from(drift_ppm);
    lease_us / 1_000_000 * drift_ppm
        + (lease_us % 1_000_000 * drift_ppm).div_ceil(1_000_000)
        + margin_us
}

/// The setters of a struct of options, one for each field.
macro_rules! setters {
    ($($(#[$doc:meta])* $name:ident: $type:ty;)*) => {
        $(
            $(#[$doc])*
            #[must_use]
            pub fn $name(mut self, $name: $type) -> Self {
                self.$name = $name.into();
                self
            }
        )*
    };
}
pub(crate) use setters;

/// What is taken off every lease beside the drift, in microseconds, if both can work.
pub(crate) fn checked_margin(drift_ppm: u32, margin: Duration) -> Result<u64, ConfigError> {
    if drift_ppm > 500_000 {
        return Err(ConfigError::DriftTooLarge { ppm: drift_ppm });
    }
    if margin < Duration::from_millis(1) {
        return Err(ConfigError::MarginTooSmall);
    }
    Ok(whole_micros(margin))
}

/// `duration` in whole milliseconds, refused if that is zero or beyond [`MAX_LEASE`].
pub(crate) fn whole_millis(what: &'static str, duration: Duration) -> Result<u64, ConfigError> {
    if duration > MAX_LEASE {
        return Err(ConfigError::TooLong { what });
    }
    match u64::try_from(duration.as_millis()) {
        Ok(0) => Err(ConfigError::Zero { what }),
        Ok(millis) => Ok(millis),
        Err(_) => Err(ConfigError::TooLong { what }),
    }
}

/// A setting that cannot work. Nothing was sent.
///
/// ```
/// use leasehold_core::{ConfigError, lock::{LockConfig, LockOptions}};
///
/// let refused = LockConfig::new("", &LockOptions::new()).unwrap_err();
/// assert_eq!(refused, ConfigError::EmptyId);
/// println!("{refused}"); // … says what to give
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ConfigError {
    /// The drift is more than half of the time.
    DriftTooLarge {
        /// What was asked for, in parts per million.
        ppm: u32,
    },
    /// The id is empty.
    EmptyId,
    /// The fence would be forgotten while a lease is still running.
    FenceLifeTooShort,
    /// The margin would take all of the lease.
    LeaseTooShort {
        /// What the margin takes off.
        margin: Duration,
    },
    /// Less than the server's rounding.
    MarginTooSmall,
    /// No attempts: nothing would ever be tried.
    NoAttempts,
    /// The caller's token ends as the tokens made here do, which are good for one try.
    NumberedToken,
    /// Longer than [`MAX_LEASE`].
    TooLong {
        /// Which setting.
        what: &'static str,
    },
    /// Zero, or less than the millisecond in which servers count.
    Zero {
        /// Which setting.
        what: &'static str,
    },
    /// Two settings contradict one another.
    Contradiction(String),
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DriftTooLarge { ppm } => {
                write!(f, "a drift of {ppm} ppm leaves no usable lease: give at most 500000")
            }
            Self::EmptyId => f.write_str("the id is empty: give the name of what is protected"),
            Self::FenceLifeTooShort => f.write_str("fence_life must be at least the lease"),
            Self::LeaseTooShort { margin } => {
                write!(f, "the lease is used up by the margin of {margin:?}: give a longer one")
            }
            Self::MarginTooSmall => f.write_str("the margin must be at least 1 ms"),
            Self::NoAttempts => f.write_str("zero attempts would never try: give at least 1"),
            Self::NumberedToken => f.write_str(
                "the token ends in # and a number, as the tokens made here do: give another, \
                 or adopt the lease that it belongs to",
            ),
            Self::TooLong { what } => {
                write!(f, "{what} is too long: give at most {} days", MAX_LEASE.as_secs() / 86_400)
            }
            Self::Zero { what } => write!(f, "{what} is zero: give at least 1 ms"),
            Self::Contradiction(text) => f.write_str(text),
        }
    }
}

impl error::Error for ConfigError {}
