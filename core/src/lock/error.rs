//! What a lock's handles answer when the answer is not yes.
//!
//! *Held by another*, *store down* and *do not know* are three answers, never one.

use core::{error, fmt, time::Duration};

use super::LossReason;
use crate::{
    settings::ConfigError,
    store::{Rejection, StoreError},
};

/// Why no lease came of an acquire.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use leasehold_core::{MemoryStore, lock::{Lock, NotAcquired}};
///
/// let lock = Lock::new(MemoryStore::new(), "job")?;
/// let _held = lock.acquire().await?;
/// match lock.acquire().attempts(1).await {
///     Err(NotAcquired::Busy { remaining }) => println!("held, for {remaining:?}"),
///     Err(NotAcquired::Unavailable(error)) => println!("nothing happened: {error}"),
///     Err(error) => return Err(error.into()),
///     Ok(_) => unreachable!("it is held"),
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NotAcquired {
    /// Another holds the lock. The store said so, or it is a lease of this process.
    Busy {
        /// How long, if it is not extended; zero also if the answer that said so was lost, and the
        /// store told a copy of the request only that the try is over. `None` if the key never
        /// expires, so that it was not written by a lock.
        remaining: Option<Duration>,
    },
    /// The store could not be reached, and nothing is held or left behind.
    Unavailable(StoreError),
    /// The store did not answer, and the clean-up did not succeed either: the key may be under our
    /// token until its time is up. [`Lock::clear`](super::Lock::clear), the next call, and the
    /// drop of the last clone try again.
    Unknown(StoreError),
    /// The store refused. Trying again will not help.
    Rejected(Rejection),
    /// It was ours, but on fewer replicas than [`Durability`](super::Durability) asks for, so it
    /// was released again.
    NotDurable {
        /// How many should have acknowledged.
        wanted: u32,
        /// How many did in time.
        got: u32,
    },
    /// Others of this process were before it in the queue until the time was up; the store was not
    /// asked. Only for a request that [waits](super::Acquire::within).
    Queued,
    /// The caller's own token was released before: give another.
    Revoked,
    /// What was asked for cannot work. Nothing was sent.
    Config(ConfigError),
}

/// Why a lease was not extended. Unless it is [`ExtendError::Lost`], the old deadline stands, and
/// it is safe to try again.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use leasehold_core::{MemoryStore, lock::{ExtendError, Lock}};
///
/// let mut lease = Lock::new(MemoryStore::new(), "job")?.acquire().await?;
/// lease.release().await?;
/// let late = lease.extend(Duration::from_secs(1)).await;
/// assert!(matches!(late, Err(ExtendError::Lost(_))));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ExtendError {
    /// The lease is over.
    Lost(LossReason),
    /// The store could not be reached.
    Unavailable(StoreError),
    /// The store did not answer: the key may live longer than the deadline says.
    Unknown(StoreError),
    /// The store refused.
    Rejected(Rejection),
    /// What was asked for cannot work. Nothing was sent.
    Config(ConfigError),
}

/// What a release found. Either way, the lock is not ours any more.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use leasehold_core::{MemoryStore, lock::{Lock, Released}};
///
/// let mut lease = Lock::new(MemoryStore::new(), "job")?.acquire().await?;
/// assert_eq!(lease.release().await?, Released::Released);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Released {
    /// It was ours until this release, or until an earlier copy of it.
    Released,
    /// It was not ours any more: its time was up.
    NotHeld,
}

/// Why it is not certain that a lease was released. Ask again, or leave it to the key's time to
/// live.
///
/// ```
/// use leasehold_core::lock::ReleaseError;
///
/// fn may_still_be_held(error: &ReleaseError) -> bool {
///     matches!(error, ReleaseError::Unknown(_) | ReleaseError::Unavailable(_))
/// }
/// # let _ = may_still_be_held;
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ReleaseError {
    /// The store could not be reached: the key stays until its time is up.
    Unavailable(StoreError),
    /// The store did not answer: the key may be there until its time is up.
    Unknown(StoreError),
    /// The store refused: the key, if it is still ours, stays until its time is up.
    Rejected(Rejection),
}

/// Why a hold of a lock has no result of the work.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use leasehold_core::{MemoryStore, lock::{HoldError, Lock}};
///
/// let lock = Lock::new(MemoryStore::new(), "job")?;
/// let failed = lock.acquire().hold(async |_| Err::<(), _>("the disk is full")).await;
/// assert_eq!(failed, Err(HoldError::Failed("the disk is full")));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HoldError<E> {
    /// The work was not started.
    NotAcquired(NotAcquired),
    /// The work failed, while the lease was ours.
    Failed(E),
    /// The lease ended before the work did, which was dropped where it was.
    Lost(LossReason),
}

/// The clock belongs to no runtime that could renew a lease in the background.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use leasehold_core::{MemoryStore, lock::{Lock, NoRuntime}};
///
/// let mut lease = Lock::new(MemoryStore::new(), "job")?.acquire().await?;
/// if let Err(NoRuntime) = lease.keep_alive() {
///     // … then extend it by hand …
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoRuntime;

/// A lease is over, or less of it is left than was asked for.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use leasehold_core::{MemoryStore, lock::{Lock, Lost}};
///
/// let lease = Lock::new(MemoryStore::new(), "job")?.acquire().await?;
/// let Lost { remaining } = lease.ensure(Duration::from_secs(60)).unwrap_err();
/// assert!(remaining < Duration::from_secs(10));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lost {
    /// What is left, zero if it is over.
    pub remaining: Duration,
}

impl From<ConfigError> for NotAcquired {
    fn from(error: ConfigError) -> Self {
        Self::Config(error)
    }
}

impl From<ConfigError> for ExtendError {
    fn from(error: ConfigError) -> Self {
        Self::Config(error)
    }
}

impl NotAcquired {
    /// Whether others have the lock or are before in the queue, so that it may be asked for again.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        matches!(self, Self::Busy { .. } | Self::Queued)
    }
}

impl<E> HoldError<E> {
    /// Whether nothing was done since [others have the lock](NotAcquired::is_busy).
    #[must_use]
    pub fn is_busy(&self) -> bool {
        matches!(self, Self::NotAcquired(error) if error.is_busy())
    }
}

impl ExtendError {
    pub(super) fn of(error: StoreError) -> Self {
        match error {
            StoreError::NotSent(_) => Self::Unavailable(error),
            StoreError::Rejected(rejection) => Self::Rejected(rejection),
            StoreError::Unknown(_) => Self::Unknown(error),
        }
    }
}

impl ReleaseError {
    pub(super) fn of(error: StoreError) -> Self {
        match error {
            StoreError::NotSent(_) => Self::Unavailable(error),
            StoreError::Rejected(rejection) => Self::Rejected(rejection),
            StoreError::Unknown(_) => Self::Unknown(error),
        }
    }
}

impl fmt::Display for NotAcquired {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Busy { remaining: Some(left) } => {
                write!(f, "another holds the lock, for {left:?} unless it is extended")
            }
            Self::Busy { remaining: None } => {
                f.write_str("the key never expires: it was not written by a lock")
            }
            Self::Unavailable(error) => write!(f, "nothing is held: {error}"),
            Self::Unknown(error) => write!(f, "the lock may be ours until its time is up: {error}"),
            Self::Rejected(rejection) => write!(f, "the store refused: {}", rejection.message),
            Self::NotDurable { wanted, got } => {
                write!(f, "released again: {got} of {wanted} replicas acknowledged in time")
            }
            Self::Queued => f.write_str("others of this process wait for the lock, and were first"),
            Self::Revoked => f.write_str("this token was released before: give another"),
            Self::Config(error) => error.fmt(f),
        }
    }
}

impl fmt::Display for ExtendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lost(reason) => write!(f, "the lease is over: {reason}"),
            Self::Unavailable(error) | Self::Unknown(error) => {
                write!(f, "the old deadline stands: {error}")
            }
            Self::Rejected(rejection) => {
                write!(f, "the old deadline stands: the store refused: {}", rejection.message)
            }
            Self::Config(error) => error.fmt(f),
        }
    }
}

impl fmt::Display for ReleaseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unavailable(error) => {
                write!(f, "the lock stays until its time is up: {error}")
            }
            Self::Unknown(error) => write!(f, "the lock may stay until its time is up: {error}"),
            Self::Rejected(rejection) => write!(
                f,
                "the lock stays until its time is up: the store refused: {}",
                rejection.message
            ),
        }
    }
}

impl<E: fmt::Display> fmt::Display for HoldError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAcquired(error) => error.fmt(f),
            Self::Failed(error) => error.fmt(f),
            Self::Lost(reason) => write!(f, "the work was dropped, the lease is over: {reason}"),
        }
    }
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.remaining.is_zero() {
            f.write_str("the lease is over")
        } else {
            write!(f, "only {:?} of the lease is left", self.remaining)
        }
    }
}

impl fmt::Display for LossReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Expired => "its time is up",
            Self::RenewalLimit => "it was renewed as often as allowed",
            Self::Taken => "the server says that it is not ours",
        })
    }
}

impl fmt::Display for NoRuntime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no runtime is there to renew in the background: hold the lock instead")
    }
}

impl error::Error for NotAcquired {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Unavailable(error) | Self::Unknown(error) => Some(error),
            Self::Config(error) => Some(error),
            Self::Busy { .. }
            | Self::NotDurable { .. }
            | Self::Queued
            | Self::Rejected(_)
            | Self::Revoked => None,
        }
    }
}

impl error::Error for ExtendError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Unavailable(error) | Self::Unknown(error) => Some(error),
            Self::Config(error) => Some(error),
            Self::Lost(_) | Self::Rejected(_) => None,
        }
    }
}

impl error::Error for ReleaseError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Unavailable(error) | Self::Unknown(error) => Some(error),
            Self::Rejected(_) => None,
        }
    }
}

impl<E: error::Error + 'static> error::Error for HoldError<E> {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::NotAcquired(error) => Some(error),
            Self::Failed(error) => Some(error),
            Self::Lost(_) => None,
        }
    }
}

impl error::Error for Lost {}
impl error::Error for NoRuntime {}
