//! What a caller can choose.

use core::time::Duration;

use super::{Durability, Guarantee};
use crate::settings::setters;
#[cfg(any(feature = "std", test))]
use crate::token::Token;

/// How a lock behaves unless a call says otherwise.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use leasehold_core::{MemoryStore, lock::{Lock, LockOptions}};
///
/// let options = LockOptions::new().lease(Duration::from_secs(30)).attempts(10);
/// let lock = Lock::with_options(MemoryStore::new(), "job", &options)?;
/// # let _ = lock;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockOptions {
    pub(crate) lease: Duration,
    pub(crate) attempts: u32,
    pub(crate) delay: Duration,
    pub(crate) jitter: bool,
    pub(crate) call_timeout: Duration,
    pub(crate) drift_ppm: u32,
    pub(crate) margin: Duration,
    pub(crate) request_life: Duration,
    pub(crate) fence_life: Duration,
    pub(crate) guarantee: Guarantee,
    pub(crate) durability: Durability,
    pub(crate) confirm_timeout: Duration,
    pub(crate) max_renewals: Option<u32>,
}

impl LockOptions {
    /// The defaults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    setters! {
        /// How long a lease lasts, in whole milliseconds (rounded down). Default 10 s. Must be longer
        /// than the margin that [`LockOptions::drift_ppm`] and [`LockOptions::margin`] take off.
        lease: Duration;

        /// How many times to try before saying busy. Default 3. Not zero.
        attempts: u32;

        /// How long to wait between two tries. Default 100 ms.
        delay: Duration;

        /// Whether each delay is drawn from 50 % to 150 %, so that waiters do not march in step.
        /// Default true.
        jitter: bool;

        /// How long to wait for one reply of the store. Default 2 s. Not zero.
        call_timeout: Duration;

        /// How much faster or slower than the local clock the server's may run, in parts per million.
        /// Default 10 000 (1 %). At most 500 000. This share of every lease is not used.
        drift_ppm: u32;

        /// What else is taken off every lease, for the server's rounding to milliseconds.
        /// Default 2 ms. At least 1 ms.
        margin: Duration;

        /// The longest time for which a request may linger in the network after its caller gave it up.
        /// A token that was released is refused for this long. Default 60 s. Not zero.
        request_life: Duration;

        /// How long the last fence is kept after the last grant. Default 1 day. Losing it is harmless
        /// while the servers' clocks do not go back. Must be at least the lease.
        fence_life: Duration;

        /// How much the lock promises, and so what it costs the server. Default: all that it can.
        guarantee: Guarantee;

        /// How much of a replicated Redis must know of a lease before it counts. Default: the primary
        /// alone.
        durability: Durability;

        /// How long the server waits for its replicas to acknowledge. Default 200 ms. Not zero, which
        /// would be for ever. The connection over which it waits answers nothing else meanwhile.
        confirm_timeout: Duration;

        /// How many renewals in a row [`Acquire::hold`](super::Acquire::hold) and
        /// [`Lease::keep_alive`](super::Lease::keep_alive) make before they let the lease end, so that
        /// a hung job cannot hold for ever. Default: no limit.
        max_renewals: u32;
    }
}

impl Default for LockOptions {
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(10),
            attempts: 3,
            delay: Duration::from_millis(100),
            jitter: true,
            call_timeout: Duration::from_secs(2),
            drift_ppm: 10_000,
            margin: Duration::from_millis(2),
            request_life: Duration::from_secs(60),
            fence_life: Duration::from_secs(24 * 60 * 60),
            guarantee: Guarantee::Full,
            durability: Durability::Primary,
            confirm_timeout: Duration::from_millis(200),
            max_renewals: None,
        }
    }
}

/// What one call to acquire does differently. It never changes a later call.
#[cfg(any(feature = "std", test))]
#[derive(Clone, Debug, Default)]
pub(crate) struct AcquireOptions {
    pub(crate) lease: Option<Duration>,
    pub(crate) attempts: Option<u32>,
    pub(crate) delay: Option<Duration>,
    pub(crate) token: Option<Token>,
}
