//! What a debounced call's participants are told.

use alloc::sync::Arc;

use super::{DebounceStatus, NextRun, Unsettled};
use crate::{store::StoreError, time::Instant, token::Fence};

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

/// What a caller is told: to each request what it can end in, and nothing else.
///
/// A [`StoreError`] that is not [`StoreError::Unknown`] says that nothing which was asked has
/// happened; after a `Flush`, that nothing was claimed: what waited may be due by then.
///
/// ```
/// use leasehold_core::debounce::{CallOutcome, DebounceOutcome};
///
/// fn is_settled(outcome: &DebounceOutcome) -> bool {
///     match outcome {
///         DebounceOutcome::Call(Ok(call)) => !matches!(call, CallOutcome::Delegated { .. }),
///         DebounceOutcome::Succeed(settled) => settled.is_ok(),
///         _ => false,
///     }
/// }
/// # assert!(is_settled(&DebounceOutcome::Succeed(Ok(1))));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum DebounceOutcome {
    /// What became of the call. After [`StoreError::Unknown`], the arguments may be armed, and may
    /// have run.
    Call(Result<CallOutcome, StoreError>),
    /// To `Sweep` and `Flush`: what was there to claim.
    Sweep(Result<SweepOutcome, StoreError>),
    /// Whether something waited, which was dropped. After [`StoreError::Unknown`], it may have been.
    Cancel(Result<bool, StoreError>),
    /// The run counts, and its calls are settled, up to the one of this number.
    Succeed(Result<u64, Unsettled>),
    /// What becomes of the calls of the run.
    Fail(NextRun),
    /// What the record says.
    Status(Result<DebounceStatus, StoreError>),
    /// The caller said stop. What it armed stays armed.
    Stopped,
}

/// What became of a call. See [`DebounceOutcome`].
///
/// ```
/// use leasehold_core::debounce::CallOutcome;
///
/// fn somebody_else_ran(outcome: &CallOutcome) -> bool {
///     matches!(outcome, CallOutcome::Superseded { .. } | CallOutcome::FiredElsewhere)
/// }
/// assert!(somebody_else_ran(&CallOutcome::Superseded { by: 7 }));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum CallOutcome {
    /// Run the callback with these arguments, then say `Succeed` or `Fail`.
    Run(Claim),
    /// A run with newer arguments succeeded.
    Superseded {
        /// The newest call that it covered.
        by: u64,
    },
    /// A run by another participant, with this call's arguments, succeeded.
    FiredElsewhere,
    /// Without `trailing`: an earlier call of the window ran; this one does not count.
    Suppressed {
        /// How long until a call counts again, if no other comes.
        reopens_in_ms: u64,
    },
    /// The caller leaves, as its settings say. The arguments, or newer ones, are armed, and run when
    /// another participant or a sweeper claims them.
    Delegated {
        /// In how long they are due, at the earliest.
        due_in_ms: u64,
    },
    /// It was cancelled, and no run with arguments as new is known to have succeeded.
    Cancelled,
}

/// What was there to claim. See [`DebounceOutcome`].
///
/// ```
/// use leasehold_core::debounce::SweepOutcome;
///
/// fn look_again_in_ms(outcome: &SweepOutcome) -> Option<u64> {
///     match outcome {
///         SweepOutcome::Run(_) => None,
///         SweepOutcome::Idle { due_in_ms } => *due_in_ms,
///     }
/// }
/// assert_eq!(look_again_in_ms(&SweepOutcome::Idle { due_in_ms: Some(250) }), Some(250));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum SweepOutcome {
    /// Run the callback with these arguments, then say `Succeed` or `Fail`.
    Run(Claim),
    /// Nothing waits that could be claimed.
    Idle {
        /// In how long something will be due or a run's lease ends; `None` if nothing waits and
        /// nothing runs.
        due_in_ms: Option<u64>,
    },
}
