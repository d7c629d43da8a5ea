//! What a caller can choose.

use core::time::Duration;

use super::Durability;
use crate::token::Token;

/// How a lock behaves unless a call says otherwise.
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

    /// How long a lease lasts, in whole milliseconds (rounded down). Default 10 s. Must be longer
    /// than the margin that [`LockOptions::drift_ppm`] and [`LockOptions::margin`] take off.
    #[must_use]
    pub fn lease(mut self, lease: Duration) -> Self {
        self.lease = lease;
        self
    }

    /// How many times to try before saying busy. Default 3. Not zero.
    #[must_use]
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts;
        self
    }

    /// How long to wait between two tries. Default 100 ms.
    #[must_use]
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Whether each delay is drawn from 50 % to 150 %, so that waiters do not march in step.
    /// Default true.
    #[must_use]
    pub fn jitter(mut self, jitter: bool) -> Self {
        self.jitter = jitter;
        self
    }

    /// How long to wait for one reply of the store. Default 2 s. Not zero.
    #[must_use]
    pub fn call_timeout(mut self, call_timeout: Duration) -> Self {
        self.call_timeout = call_timeout;
        self
    }

    /// How much faster or slower than the local clock the server's may run, in parts per million.
    /// Default 10 000 (1 %). At most 500 000. This share of every lease is not used.
    #[must_use]
    pub fn drift_ppm(mut self, drift_ppm: u32) -> Self {
        self.drift_ppm = drift_ppm;
        self
    }

    /// What else is taken off every lease, for the server's rounding to milliseconds.
    /// Default 2 ms. At least 1 ms.
    #[must_use]
    pub fn margin(mut self, margin: Duration) -> Self {
        self.margin = margin;
        self
    }

    /// The longest time for which a request may linger in the network after its caller gave it up.
    /// A token that was released is refused for this long. Default 60 s. Not zero.
    #[must_use]
    pub fn request_life(mut self, request_life: Duration) -> Self {
        self.request_life = request_life;
        self
    }

    /// How long the last fence is kept after the last grant. Default 1 day. Losing it is harmless
    /// while the servers' clocks do not go back. Must be at least the lease.
    #[must_use]
    pub fn fence_life(mut self, fence_life: Duration) -> Self {
        self.fence_life = fence_life;
        self
    }

    /// How much of a replicated Redis must know of a lease before it counts. Default: the primary
    /// alone.
    #[must_use]
    pub fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// How long the server waits for its replicas to acknowledge. Default 200 ms. Not zero, which
    /// would be for ever. The connection over which it waits answers nothing else meanwhile.
    #[must_use]
    pub fn confirm_timeout(mut self, confirm_timeout: Duration) -> Self {
        self.confirm_timeout = confirm_timeout;
        self
    }

    /// How many renewals in a row [`Acquire::hold`](super::Acquire::hold) and
    /// [`Lease::keep_alive`](super::Lease::keep_alive) make before they let the lease end, so that
    /// a hung job cannot hold for ever. Default: no limit.
    #[must_use]
    pub fn max_renewals(mut self, max_renewals: u32) -> Self {
        self.max_renewals = Some(max_renewals);
        self
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
            durability: Durability::Primary,
            confirm_timeout: Duration::from_millis(200),
            max_renewals: None,
        }
    }
}

/// What one call to acquire does differently. It never changes a later call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AcquireOptions {
    pub(crate) lease: Option<Duration>,
    pub(crate) attempts: Option<u32>,
    pub(crate) delay: Option<Duration>,
    pub(crate) token: Option<Token>,
}

impl AcquireOptions {
    /// The defaults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Instead of [`LockOptions::lease`].
    #[must_use]
    pub fn lease(mut self, lease: Duration) -> Self {
        self.lease = Some(lease);
        self
    }

    /// Instead of [`LockOptions::attempts`].
    #[must_use]
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = Some(attempts);
        self
    }

    /// Instead of [`LockOptions::delay`].
    #[must_use]
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay = Some(delay);
        self
    }

    /// The token to store, instead of a fresh one per attempt. It must be unique in the world, and
    /// is revoked by a release: also by the one with which a call that failed and may have stored
    /// it cleans up. It must not end in `#` and a number, as the tokens made here do: to take over
    /// such a lease, see [`Lock::adopt`](super::Lock::adopt).
    #[must_use]
    pub fn token(mut self, token: Token) -> Self {
        self.token = Some(token);
        self
    }
}
