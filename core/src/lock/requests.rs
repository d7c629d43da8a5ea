//! Each request to the machine, with an outcome of its own.

use super::{
    AcquireRequest, ExtendError, Grant, Holder, LockMachine, LockOutcome, LockRequest, LossReason,
    NotAcquired, ReleaseError, Released,
};
use crate::{
    drive::{drive, drive_observed},
    machine::outcome_of,
    store::{Store, StoreError},
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
    let outcome = drive_observed(machine, store, clock, request, subscription, observe).await;
    outcome_of!(outcome, LockOutcome::Acquire)
}

/// Moves the deadline.
pub(super) async fn extend(
    machine: &mut LockMachine,
    store: &impl Store,
    clock: &impl Clock,
    by_ms: u64,
) -> Result<Grant, ExtendError> {
    let outcome = drive(machine, store, clock, LockRequest::Extend { by_ms }).await;
    outcome_of!(outcome, LockOutcome::Extend)
}

/// Renews until the lease is lost.
pub(super) async fn keep(
    machine: &mut LockMachine,
    store: &impl Store,
    clock: &impl Clock,
    observe: impl Fn(&LockMachine),
) -> LossReason {
    let request = LockRequest::Keep;
    let outcome = drive_observed(machine, store, clock, request, &mut None, observe).await;
    outcome_of!(outcome, LockOutcome::Keep)
}

/// Gives up what the machine holds or owes.
pub(super) async fn release(
    machine: &mut LockMachine,
    store: &impl Store,
    clock: &impl Clock,
) -> Result<Released, ReleaseError> {
    let outcome = drive(machine, store, clock, LockRequest::Release).await;
    outcome_of!(outcome, LockOutcome::Release)
}

/// Asks who holds the lock.
pub(super) async fn status(
    machine: &mut LockMachine,
    store: &impl Store,
    clock: &impl Clock,
) -> Result<Holder, StoreError> {
    let outcome = drive(machine, store, clock, LockRequest::Status).await;
    outcome_of!(outcome, LockOutcome::Status)
}
