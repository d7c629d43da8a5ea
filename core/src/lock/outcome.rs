//! What a lock's machine tells its caller.

use core::time::Duration;

use super::{ExtendError, Holder, NotAcquired, ReleaseError, Released};
use crate::{
    store::StoreError,
    time::Instant,
    token::{Fence, Token},
};

/// What a caller is told: to each request what it can end in, and nothing else.
///
/// ```
/// use leasehold_core::lock::{LockOutcome, NotAcquired};
///
/// fn may_be_under_our_token(outcome: &LockOutcome) -> bool {
///     matches!(outcome, LockOutcome::Acquire(Ok(_) | Err(NotAcquired::Unknown(_))))
/// }
/// # assert!(!may_be_under_our_token(&LockOutcome::Stopped));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum LockOutcome {
    /// The lock is ours until the grant's deadline, or not at all.
    Acquire(Result<Grant, NotAcquired>),
    /// The lock is ours until the grant's new deadline; if not, the old one stands or it is lost.
    Extend(Result<Grant, ExtendError>),
    /// Why the lease is over.
    Keep(LossReason),
    /// Whether it was ours until now.
    Release(Result<Released, ReleaseError>),
    /// Who holds the lock.
    Status(Result<Holder, StoreError>),
    /// The caller said stop, and nothing is left behind that the machine does not remember.
    Stopped,
}

/// Why a lease is over.
///
/// ```
/// use leasehold_core::lock::LossReason;
///
/// fn somebody_else_may_have_it(reason: LossReason) -> bool {
///     matches!(reason, LossReason::Taken)
/// }
/// # assert!(!somebody_else_may_have_it(LossReason::Expired));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LossReason {
    /// Its local deadline passed.
    Expired,
    /// It was renewed as often as [`LockOptions::max_renewals`](super::LockOptions::max_renewals)
    /// allows, and its local deadline passed.
    RenewalLimit,
    /// The server says that the key is not under our token.
    Taken,
}

/// A lease as its holder knows it.
///
/// ```
/// use leasehold_core::{Instant, lock::Grant};
///
/// fn may_go_on(grant: &Grant, now: Instant) -> bool {
///     now < grant.deadline()
/// }
/// # let _ = may_go_on;
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Grant {
    pub(super) token: Token,
    pub(super) fence: Fence,
    /// What a renewal asks for.
    pub(super) lease_ms: u64,
    /// When the key expires at the earliest, if both clocks run alike.
    pub(super) until: Instant,
    pub(super) deadline: Instant,
    pub(super) replicas: u32,
}

impl Grant {
    /// What is stored under the key.
    #[must_use]
    pub fn token(&self) -> &Token {
        &self.token
    }

    /// How long a renewal makes it last, on the server's clock.
    #[must_use]
    pub fn lease(&self) -> Duration {
        Duration::from_millis(self.lease_ms)
    }

    /// The fence of this grant. Extending keeps it.
    #[must_use]
    pub fn fence(&self) -> Fence {
        self.fence
    }

    /// When the lease is over, on the local clock: counted from before the request was sent, less
    /// the margin.
    #[must_use]
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// How many replicas have acknowledged the grant or its last extension; 0 if none was asked.
    /// See [`Durability`](super::Durability).
    #[must_use]
    pub fn replicas(&self) -> u32 {
        self.replicas
    }

    /// The time left at `now`, zero once it is over.
    #[must_use]
    pub fn remaining(&self, now: Instant) -> Duration {
        self.deadline.since(now)
    }
}
