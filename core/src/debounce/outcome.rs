//! What a debounced call's participants are told.

use alloc::sync::Arc;

use super::DebounceStatus;
use crate::{
    store::{Rejection, StoreError},
    time::Instant,
    token::Fence,
};

/// The right and the duty to run the callback, until the deadline.
///
/// ```
/// use leasehold_core::{Instant, debounce::Claim};
///
/// fn may_go_on(claim: &Claim, now: Instant) -> bool {
///     now < claim.deadline()
/// }
/// # let _ = may_go_on;
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Claim {
    pub(super) seq: u64,
    pub(super) fence: Fence,
    pub(super) args: Arc<[u8]>,
    pub(super) deadline: Instant,
}

impl Claim {
    /// The number of the newest call that the run covers.
    #[must_use]
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// Greater than that of any earlier run: send it with every write.
    #[must_use]
    pub fn fence(&self) -> Fence {
        self.fence
    }

    /// The arguments of that call.
    #[must_use]
    pub fn args(&self) -> &Arc<[u8]> {
        &self.args
    }

    /// When the run must have ended, on the local clock: counted from before the claim was sent,
    /// less the margin. From then on another may run.
    #[must_use]
    pub fn deadline(&self) -> Instant {
        self.deadline
    }
}

/// What a caller is told.
///
/// ```
/// use leasehold_core::debounce::DebounceOutcome;
///
/// fn is_settled(outcome: &DebounceOutcome) -> bool {
///     matches!(outcome, DebounceOutcome::Fired { .. } | DebounceOutcome::Superseded { .. })
/// }
/// # assert!(is_settled(&DebounceOutcome::Fired { seq: 1 }));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum DebounceOutcome {
    /// To `Call`, `Sweep` and `Flush`: run the callback with these arguments, then say `Finish`.
    Run(Claim),
    /// To `Finish`: the run counts, and its calls are settled.
    Fired {
        /// The newest call that it covered.
        seq: u64,
    },
    /// To `Finish`: the run failed; its arguments, or newer ones, are due again.
    Rearmed {
        /// In how long.
        due_in_ms: u64,
    },
    /// To `Finish`: the run lost its claim. If it failed, or if the server forgot it, its arguments
    /// or newer ones run elsewhere or have been armed again by their callers.
    TakenOver,
    /// To `Call`: a run with newer arguments succeeded.
    Superseded {
        /// The newest call that it covered.
        by: u64,
    },
    /// To `Call`: a run by another participant, with this call's arguments, succeeded.
    FiredElsewhere,
    /// To `Call` without `trailing`: an earlier call of the window ran; this one does not count.
    Suppressed {
        /// How long until a call counts again, if no other comes.
        reopens_in_ms: u64,
    },
    /// To `Call`: the caller leaves, as its settings say. The arguments, or newer ones, are armed,
    /// and run when another participant or a sweeper claims them.
    Delegated {
        /// In how long they are due, at the earliest.
        due_in_ms: u64,
    },
    /// To `Call`: it was cancelled, and no run with arguments as new is known to have succeeded.
    /// To `Cancel`: what waited was dropped. To `Finish`: the run failed, and was cancelled
    /// meanwhile, so it is not repeated.
    Cancelled,
    /// To `Sweep`, `Cancel` and `Flush`: nothing waits that could be claimed, cancelled or flushed.
    Idle {
        /// In how long something will be due or a run's lease ends; `None` if nothing waits and
        /// nothing runs (and to `Cancel`).
        due_in_ms: Option<u64>,
    },
    /// To `Status`.
    Status(DebounceStatus),
    /// The store could not be reached, and nothing that was asked has happened.
    Unavailable(StoreError),
    /// The store refused, and nothing that was asked has happened.
    Rejected(Rejection),
    /// The store did not answer. To `Call`: the arguments may be armed, and may have run. To
    /// `Finish`: the run may not count, and is then repeated after its lease. To `Cancel`: it may
    /// have happened.
    Unknown(StoreError),
    /// The caller said stop. What it armed stays armed.
    Stopped,
}
