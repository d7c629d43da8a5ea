//! Each request to the machine, with an outcome of its own.

use core::time::Duration;

use super::{
    AcquireRequest, ExtendError, Grant, Holder, LockMachine, LockOutcome, LockRequest, LossReason,
    NotAcquired, ReleaseError, Released,
};
use crate::{
    drive::{drive, drive_observed},
    store::{Cause, Store, StoreError},
    subscription::Subscription,
    time::Clock,
};

/// Asks for the lock.
pub(super) async fn acquire(
    machine: &mut LockMachine,
    store: &impl Store,
    clock: &impl Clock,
    request: AcquireRequest,
    subscription: &mut Option<Subscription>,
    observe: impl Fn(&LockMachine),
) -> Result<Grant, NotAcquired> {
    let request = LockRequest::Acquire(request);
    match drive_observed(machine, store, clock, request, subscription, observe).await {
        LockOutcome::Acquired(grant) => Ok(grant),
        LockOutcome::Busy { remaining_ms } => {
            Err(NotAcquired::Busy { remaining: remaining_ms.map(Duration::from_millis) })
        }
        LockOutcome::NotDurable { wanted, got } => Err(NotAcquired::NotDurable { wanted, got }),
        LockOutcome::Revoked => Err(NotAcquired::Revoked),
        LockOutcome::Unavailable(error) => Err(NotAcquired::Unavailable(error)),
        LockOutcome::Rejected(rejection) => Err(NotAcquired::Rejected(rejection)),
        outcome => Err(NotAcquired::Unknown(unknown(outcome))),
    }
}

/// Moves the deadline.
pub(super) async fn extend(
    machine: &mut LockMachine,
    store: &impl Store,
    clock: &impl Clock,
    by_ms: u64,
) -> Result<Grant, ExtendError> {
    match drive(machine, store, clock, LockRequest::Extend { by_ms }).await {
        LockOutcome::Extended(grant) => Ok(grant),
        LockOutcome::Lost(reason) => Err(ExtendError::Lost(reason)),
        LockOutcome::Unavailable(error) => Err(ExtendError::Unavailable(error)),
        LockOutcome::Rejected(rejection) => Err(ExtendError::Rejected(rejection)),
        outcome => Err(ExtendError::Unknown(unknown(outcome))),
    }
}

/// Renews until the lease is lost.
pub(super) async fn keep(
    machine: &mut LockMachine,
    store: &impl Store,
    clock: &impl Clock,
    observe: impl Fn(&LockMachine),
) -> LossReason {
    match drive_observed(machine, store, clock, LockRequest::Keep, &mut None, observe).await {
        LockOutcome::Lost(reason) => reason,
        // Nothing renews the lease any more, so it ends by itself.
        _ => LossReason::Expired,
    }
}

/// Gives up what the machine holds or owes.
pub(super) async fn release(
    machine: &mut LockMachine,
    store: &impl Store,
    clock: &impl Clock,
) -> Result<Released, ReleaseError> {
    match drive(machine, store, clock, LockRequest::Release).await {
        LockOutcome::Released => Ok(Released::Released),
        LockOutcome::NotHeld => Ok(Released::NotHeld),
        LockOutcome::Unavailable(error) => Err(ReleaseError::Unavailable(error)),
        LockOutcome::Rejected(rejection) => Err(ReleaseError::Rejected(rejection)),
        outcome => Err(ReleaseError::Unknown(unknown(outcome))),
    }
}

/// Asks who holds the lock.
pub(super) async fn status(
    machine: &mut LockMachine,
    store: &impl Store,
    clock: &impl Clock,
) -> Result<Holder, StoreError> {
    match drive(machine, store, clock, LockRequest::Status).await {
        LockOutcome::Status(holder) => Ok(holder),
        LockOutcome::Unavailable(error) => Err(error),
        LockOutcome::Rejected(rejection) => Err(StoreError::Rejected(rejection)),
        outcome => Err(unknown(outcome)),
    }
}

/// Why nobody knows. Whatever does not answer the request leaves that open, too.
fn unknown(outcome: LockOutcome) -> StoreError {
    match outcome {
        LockOutcome::Unknown(error) => error,
        _ => StoreError::Unknown(Cause::Malformed("the outcome of another request".into())),
    }
}
