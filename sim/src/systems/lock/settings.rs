//! The settings of the lock in a plan, and what its outcomes say to an observer.

use core::time::Duration;

use leasehold_core::lock::{
    Durability, ExtendError, Guarantee, LockOptions, LockOutcome, LossReason, NotAcquired,
    ReleaseError, Released,
};

use super::{super::Plan, micros};
use crate::{
    catalog::Subject,
    history::{Answer, Client},
    world::Topology,
};

/// The one client that has a full lock where the others have lean ones.
const FULL: Client = 2;

/// The one client of handles whose leases are renewed in the background no more than so often.
const CAPPED: Client = 2;
const RENEWALS: u32 = 1;

/// The one client of handles that may wait for replicas for longer than its leases last.
const HASTY: Client = 0;
const HASTY_LEASE: u64 = 250_000;
const HASTY_WAIT: Duration = Duration::from_millis(300);

/// How often a lease of `client` may be renewed in the background, if there is a limit.
pub(in crate::systems) fn renewals(plan: &Plan, client: Client) -> Option<u32> {
    (plan.scenario.subject.runs_handles() && client == CAPPED).then_some(RENEWALS)
}

fn is_hasty(plan: &Plan, client: Client) -> bool {
    plan.scenario.subject == Subject::LockAckedHandle && client == HASTY
}

/// How long the leases of `client` are, in µs.
pub(in crate::systems) fn lease(plan: &Plan, client: Client) -> u64 {
    if is_hasty(plan, client) { HASTY_LEASE } else { plan.scenario.lease }
}

pub(in crate::systems) fn options(plan: &Plan, client: Client) -> LockOptions {
    let (renewals, lease) = (renewals(plan, client), lease(plan, client));
    let confirm = if is_hasty(plan, client) { HASTY_WAIT } else { Duration::from_millis(100) };
    let guarantee = match plan.scenario.subject {
        Subject::LockLean if client != FULL => Guarantee::Lean,
        _ => Guarantee::Full,
    };
    let durability = match plan.settings.topology {
        Topology::Acknowledged(_) => Durability::Replicas(plan.scenario.acknowledgements),
        Topology::Independent | Topology::Replicated | Topology::Single => Durability::Primary,
    };
    let plan = &plan.scenario;
    let options = LockOptions::new()
        .lease(micros(lease))
        .attempts(plan.attempts)
        .delay(micros(plan.delay))
        .jitter(plan.delay_jitter)
        .call_timeout(micros(plan.call_timeout))
        .request_life(Duration::from_secs(10))
        .fence_life(Duration::from_secs(60))
        .guarantee(guarantee)
        .durability(durability)
        .confirm_timeout(confirm);
    let options = match renewals {
        Some(renewals) => options.max_renewals(renewals),
        None => options,
    };
    match plan.mutant {
        Some(mutant) => mutant.set(options),
        None => options,
    }
}

pub(super) fn answer(outcome: &LockOutcome) -> Answer {
    match outcome {
        LockOutcome::Acquire(Ok(_)) => Answer::Acquired,
        LockOutcome::Acquire(Err(why)) => match why {
            NotAcquired::Busy { .. } | NotAcquired::NotDurable { .. } => Answer::NotAcquired,
            NotAcquired::Revoked => Answer::Spent,
            NotAcquired::Rejected(_) => Answer::Refused,
            NotAcquired::Unavailable(_) => Answer::Unavailable,
            _ => Answer::Unknown,
        },
        LockOutcome::Extend(Ok(_)) => Answer::Extended,
        LockOutcome::Extend(Err(why)) => match why {
            ExtendError::Lost(reason) => lost(*reason),
            ExtendError::Rejected(_) => Answer::Refused,
            ExtendError::Unavailable(_) => Answer::Unavailable,
            _ => Answer::Unknown,
        },
        LockOutcome::Keep(reason) => lost(*reason),
        LockOutcome::Release(Ok(Released::Released)) => Answer::Released,
        LockOutcome::Release(Ok(Released::NotHeld)) => Answer::NotHeld,
        LockOutcome::Release(Err(why)) => match why {
            ReleaseError::Rejected(_) => Answer::Refused,
            ReleaseError::Unavailable(_) => Answer::Unavailable,
            _ => Answer::Unknown,
        },
        LockOutcome::Status(_) | LockOutcome::Stopped => Answer::Unknown,
    }
}

fn lost(reason: LossReason) -> Answer {
    if reason == LossReason::Taken { Answer::Taken } else { Answer::Expired }
}
