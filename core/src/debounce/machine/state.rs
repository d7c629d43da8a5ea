//! Where a participant can be.

use super::*;

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) enum State {
    #[default]
    Idle,
    Asking(Question),
    Pausing(Question),
    /// Until the call is due, or another's run may have ended.
    Waiting(Participant),
}

/// A command under way. All are idempotent, so it is sent again as it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Question {
    pub(super) command: DebounceCommand,
    pub(super) purpose: Purpose,
    pub(super) tries: u32,
    pub(super) first_sent: Instant,
    pub(super) sent_at: Instant,
    /// Whether a sending may have been applied.
    pub(super) ambiguous: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Purpose {
    Arm(Participant),
    Claim(Participant),
    Finish { success: bool, seq: u64, deadline: Instant },
    GiveBack(Box<Next>),
    Cancel,
    Flush,
    Inspect,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Next {
    Begin(DebounceRequest),
    Look(Participant),
    End(DebounceOutcome),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Participant {
    /// The call for which it stands; `None` for a sweeper.
    pub(super) call: Option<Call>,
    pub(super) runner: Token,
    /// Whether a claim by this runner may stand without our knowing.
    pub(super) may_hold: bool,
    pub(super) leave_at: Instant,
    pub(super) looks: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Call {
    pub(super) id: Token,
    pub(super) args: Arc<[u8]>,
    /// 0 until it is known.
    pub(super) seq: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Run {
    pub(super) runner: Token,
    pub(super) claim: Claim,
}

impl Participant {
    pub(super) fn held(&self) -> Option<&Token> {
        self.may_hold.then_some(&self.runner)
    }

    /// The outcome for whom it stands.
    pub(super) fn claimed(&self, claim: Claim) -> DebounceOutcome {
        match self.call {
            Some(_) => DebounceOutcome::Call(Ok(CallOutcome::Run(claim))),
            None => DebounceOutcome::Sweep(Ok(SweepOutcome::Run(claim))),
        }
    }

    pub(super) fn failed(&self, error: StoreError) -> DebounceOutcome {
        match self.call {
            Some(_) => DebounceOutcome::Call(Err(error)),
            None => DebounceOutcome::Sweep(Err(error)),
        }
    }

    /// That it does not stay until something is due.
    pub(super) fn leaves(&self, due_in_ms: u64) -> DebounceOutcome {
        match self.call {
            Some(_) => DebounceOutcome::Call(Ok(CallOutcome::Delegated { due_in_ms })),
            None => DebounceOutcome::Sweep(Ok(SweepOutcome::Idle { due_in_ms: Some(due_in_ms) })),
        }
    }

    pub(super) fn seq(&self) -> u64 {
        self.call.as_ref().map_or(0, |call| call.seq)
    }
}
