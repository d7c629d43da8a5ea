//! What is told of locks while they work: events for `tracing`, counters for `metrics`. The list is
//! in the crate's documentation. Without the features, nothing is compiled in.
#![cfg_attr(not(feature = "std"), allow(dead_code, reason = "no handles are there"))]

use alloc::sync::Arc;
use core::{future::Future, time::Duration};

use crate::{
    debounce::DebounceKeys,
    lock::{Grant, IfHeld, LockCommand, LockKeys, LossReason, NotAcquired, ReleaseError, Released},
    store::{Command, Reply, StoreError},
    time::Instant,
    token::{Fence, Token},
};

/// The calls of one request to a machine.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    tries: u32,
    /// The token of the last try of a lean lock.
    lean: Option<Token>,
}

/// A call under way.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    name: &'static str,
    keys: Keys,
}

/// What the call is about.
#[derive(Clone, Debug)]
enum Keys {
    Debounce(Arc<DebounceKeys>),
    Lock(Arc<LockKeys>),
}

impl Keys {
    fn id(&self) -> &str {
        match self {
            Self::Debounce(keys) => keys.id(),
            Self::Lock(keys) => keys.lock(),
        }
    }
}

impl Calls {
    /// A command is about to be sent.
    pub(crate) fn begin(&mut self, command: &Command) -> Call {
        if self.is_try(command) {
            self.tries += 1;
            if self.tries > 1 {
                retried(command, self.tries);
            }
        }
        let keys = match command {
            Command::Debounce(command) => Keys::Debounce(command.keys().clone()),
            Command::Lock(command) => Keys::Lock(command.keys().clone()),
        };
        Call { name: name(command), keys }
    }

    fn is_try(&mut self, command: &Command) -> bool {
        match command {
            Command::Lock(LockCommand::Acquire { .. }) => true,
            // Under the same token, it only asks who was found to hold the lock.
            Command::Lock(LockCommand::AcquireLean { token, held, .. }) => {
                let last = self.lean.replace(token.clone());
                *held == IfHeld::Unsaid || last.as_ref() != Some(token)
            }
            _ => false,
        }
    }
}

impl Call {
    /// It ended like this.
    pub(crate) fn end(self, result: &Result<Reply, StoreError>) {
        let Err(error) = result else { return };
        let id = self.keys.id();
        match error {
            StoreError::Unknown(_) => ambiguous(id, self.name, error),
            StoreError::NotSent(_) => unreachable_store(id, self.name, error),
            StoreError::Rejected(_) => refused(id, self.name, error),
        }
    }
}

/// An acquire ended, after so long.
pub(crate) fn acquired(id: &str, result: Result<Fence, &NotAcquired>, waited: Duration) {
    let outcome = match result {
        Ok(_) => "acquired",
        Err(NotAcquired::Busy { .. }) => "busy",
        Err(NotAcquired::Config(_)) => "config",
        Err(NotAcquired::NotDurable { .. }) => "not_durable",
        Err(NotAcquired::Queued) => "queued",
        Err(NotAcquired::Rejected(_)) => "rejected",
        Err(NotAcquired::Revoked) => "revoked",
        Err(NotAcquired::Unavailable(_)) => "unavailable",
        Err(NotAcquired::Unknown(_)) => "unknown",
    };
    count("leasehold_acquires_total", "outcome", outcome);
    #[cfg(feature = "tracing")]
    {
        let (fence, waited_ms) = (result.ok().map(|fence| fence.0), waited.as_millis() as u64);
        tracing::debug!(target: "leasehold", id, outcome, fence, waited_ms, "acquire");
    }
    #[cfg(not(feature = "tracing"))]
    let _ = (id, waited);
}

/// A release was answered, or not.
pub(crate) fn released(id: &str, result: &Result<Released, ReleaseError>) {
    let outcome = match result {
        Ok(Released::Released) => "released",
        Ok(Released::NotHeld) => "not_held",
        Err(ReleaseError::Rejected(_)) => "rejected",
        Err(ReleaseError::Unavailable(_)) => "unavailable",
        Err(ReleaseError::Unknown(_)) => "unknown",
    };
    count("leasehold_releases_total", "outcome", outcome);
    #[cfg(feature = "tracing")]
    tracing::debug!(target: "leasehold", id, outcome, "release");
    #[cfg(not(feature = "tracing"))]
    let _ = id;
}

/// The callback of a debounced call ran here.
pub(crate) fn ran(id: &str, outcome: &'static str, fence: Fence) {
    count("leasehold_debounced_runs_total", "outcome", outcome);
    #[cfg(feature = "tracing")]
    tracing::debug!(target: "leasehold", id, outcome, fence = fence.0, "debounced run");
    #[cfg(not(feature = "tracing"))]
    let _ = (id, fence);
}

/// A lease ended before its holder let it go.
pub(crate) fn lost(id: &str, reason: LossReason) {
    let why = match reason {
        LossReason::Expired => "expired",
        LossReason::RenewalLimit => "renewal_limit",
        LossReason::Taken => "taken",
    };
    count("leasehold_leases_lost_total", "reason", why);
    #[cfg(feature = "tracing")]
    tracing::warn!(target: "leasehold", id, reason = why, "lease lost");
    #[cfg(not(feature = "tracing"))]
    let _ = id;
}

/// A grant replaced another whose deadline was `old`. A renewal is due with two thirds of the lease
/// left, and late with less than one.
pub(crate) fn renewed(id: &str, old: Instant, now: Instant, grant: &Grant) {
    if grant.deadline() <= old {
        return;
    }
    let left = old.since(now);
    count("leasehold_renewals_total", "", "");
    #[cfg(feature = "tracing")]
    tracing::debug!(target: "leasehold", id, left_ms = left.as_millis() as u64, "renewal");
    if left >= grant.lease() / 3 {
        return;
    }
    count("leasehold_late_renewals_total", "", "");
    #[cfg(feature = "tracing")]
    tracing::warn!(target: "leasehold", id, left_ms = left.as_millis() as u64, "late renewal");
    #[cfg(not(feature = "tracing"))]
    let _ = id;
}

/// Runs `work` in a span of this name.
pub(crate) async fn in_span<F: Future>(name: &'static str, id: &str, work: F) -> F::Output {
    #[cfg(feature = "tracing")]
    {
        let span = tracing::debug_span!(target: "leasehold", "lock", operation = name, id);
        tracing::Instrument::instrument(work, span).await
    }
    #[cfg(not(feature = "tracing"))]
    {
        let _ = (name, id);
        work.await
    }
}

fn retried(command: &Command, attempt: u32) {
    count("leasehold_retries_total", "", "");
    #[cfg(feature = "tracing")]
    if let Command::Lock(command) = command {
        let id = command.keys().lock();
        tracing::debug!(target: "leasehold", id, attempt, "retry");
    }
    #[cfg(not(feature = "tracing"))]
    let _ = (command, attempt);
}

fn ambiguous(id: &str, command: &'static str, error: &StoreError) {
    count("leasehold_ambiguous_replies_total", "command", command);
    #[cfg(feature = "tracing")]
    tracing::warn!(target: "leasehold", id, command, %error, "ambiguous reply");
    #[cfg(not(feature = "tracing"))]
    let _ = (id, error);
}

fn unreachable_store(id: &str, command: &'static str, error: &StoreError) {
    count("leasehold_unreachable_total", "command", command);
    #[cfg(feature = "tracing")]
    tracing::warn!(target: "leasehold", id, command, %error, "store not reached");
    #[cfg(not(feature = "tracing"))]
    let _ = (id, error);
}

fn refused(id: &str, command: &'static str, error: &StoreError) {
    count("leasehold_refusals_total", "command", command);
    #[cfg(feature = "tracing")]
    tracing::error!(target: "leasehold", id, command, %error, "store refused");
    #[cfg(not(feature = "tracing"))]
    let _ = (id, error);
}

/// Adds one to a counter, with a label unless its name is empty. Ids are no labels: there may be
/// any number of them.
fn count(name: &'static str, label: &'static str, value: &'static str) {
    #[cfg(feature = "metrics")]
    if label.is_empty() {
        metrics::counter!(name).increment(1);
    } else {
        metrics::counter!(name, label => value).increment(1);
    }
    #[cfg(not(feature = "metrics"))]
    let _ = (name, label, value);
}

fn name(command: &Command) -> &'static str {
    use crate::debounce::DebounceCommand;
    match command {
        Command::Lock(command) => match command {
            LockCommand::Acquire { .. } | LockCommand::AcquireLean { .. } => "acquire",
            LockCommand::Confirm { .. } => "confirm",
            LockCommand::Extend { .. } => "extend",
            LockCommand::Inspect { .. } => "inspect",
            LockCommand::RaiseFence { .. } => "raise_fence",
            LockCommand::Release { .. } | LockCommand::ReleaseLean { .. } => "release",
        },
        Command::Debounce(command) => match command {
            DebounceCommand::Call { .. } => "debounce_call",
            DebounceCommand::Cancel { .. } => "debounce_cancel",
            DebounceCommand::Claim { .. } => "debounce_claim",
            DebounceCommand::Finish { .. } => "debounce_finish",
            DebounceCommand::Flush { .. } => "debounce_flush",
            DebounceCommand::Inspect { .. } => "debounce_inspect",
        },
    }
}
