//! What the answers so far amount to.

use alloc::vec::Vec;

use crate::{
    lock::{Holder, LockCommand, LockReply},
    store::{Cause, Rejection, RejectionKind, StoreError},
    token::{Fence, Token},
};

/// What is known of one node in a round.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Vote {
    /// It was not asked.
    Unasked,
    /// It has not answered.
    Open,
    Answer(LockReply),
    Error(StoreError),
}

/// What the votes decide.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Decision {
    /// The answer to the command.
    Answer(Result<LockReply, StoreError>),
    /// A majority granted the lock; its fence is to be written back.
    Granted { fence: Fence, fresh: bool },
    /// The lock is not ours, and this is the answer once the votes for us are taken back.
    Refused(Result<LockReply, StoreError>),
}

/// What a lean lock is told.
pub(super) fn only_full() -> StoreError {
    let message = "a quorum takes no lean locks: leave out the guarantee, or use one store".into();
    StoreError::Rejected(Rejection { kind: RejectionKind::Other, message })
}

/// Whether the caller brought `token` along: then it is the same in each try.
pub(super) fn is_callers_own(token: &Token) -> bool {
    token.series().1 == 0
}

/// The votes of a round, and how many make a majority.
pub(super) struct Tally<'a> {
    votes: &'a [Vote],
    majority: usize,
}

impl<'a> Tally<'a> {
    pub(super) fn of(votes: &'a [Vote]) -> Self {
        Self { votes, majority: majority(votes.len()) }
    }

    /// What the answers to `command` decide, or nothing yet.
    pub(super) fn decide(&self, command: &LockCommand) -> Option<Decision> {
        match command {
            LockCommand::Acquire { token, .. } => self.acquire(is_callers_own(token)),
            LockCommand::AcquireLean { .. } | LockCommand::ReleaseLean { .. } => {
                Some(Decision::Answer(Err(only_full())))
            }
            LockCommand::Confirm { .. } => self.confirm().map(Decision::Answer),
            LockCommand::Extend { .. } => {
                self.yes_or_no(&LockReply::Extended).map(Decision::Answer)
            }
            LockCommand::Inspect { .. } => self.inspect().map(Decision::Answer),
            LockCommand::RaiseFence { .. } => {
                self.yes_or_no(&LockReply::FenceRaised).map(Decision::Answer)
            }
            LockCommand::Release { .. } => self.release().map(Decision::Answer),
        }
    }

    /// How many answered like this.
    pub(super) fn count(&self, matches: impl Fn(&LockReply) -> bool) -> usize {
        self.answers().filter(|answer| matches(answer)).count()
    }

    pub(super) fn open(&self) -> usize {
        self.votes.iter().filter(|vote| matches!(vote, Vote::Open)).count()
    }

    /// The error to report when the answers do not decide. `applied` says that a node applied the
    /// command, though no majority did.
    pub(super) fn failure(&self, applied: bool) -> StoreError {
        if self.rejections() >= self.blocking() {
            return self.certain_failure().unwrap_or(StoreError::Unknown(Cause::TIMED_OUT));
        }
        if let Some(error) = self.error(|error| matches!(error, StoreError::Unknown(_))) {
            return error.clone();
        }
        match self.certain_failure() {
            Some(error) if !applied && self.open() == 0 => error,
            error => {
                let cause = error.as_ref().and_then(StoreError::cause).cloned();
                StoreError::Unknown(cause.unwrap_or(Cause::TIMED_OUT))
            }
        }
    }

    /// Why no majority applied the command, where that is certain of each node that failed: by
    /// what the most can act on.
    fn certain_failure(&self) -> Option<StoreError> {
        let rejected = self.error(|error| matches!(error, StoreError::Rejected(_)));
        let not_sent = self.error(|error| matches!(error, StoreError::NotSent(_)));
        let refused = self.rejections() >= self.blocking();
        if refused { rejected } else { not_sent.or(rejected) }.cloned()
    }

    fn error(&self, matches: impl Fn(&StoreError) -> bool) -> Option<&'a StoreError> {
        self.votes.iter().find_map(|vote| match vote {
            Vote::Error(error) if matches(error) => Some(error),
            Vote::Answer(_) | Vote::Error(_) | Vote::Open | Vote::Unasked => None,
        })
    }

    fn answers(&self) -> impl Iterator<Item = &'a LockReply> {
        self.votes.iter().filter_map(|vote| match vote {
            Vote::Answer(answer) => Some(answer),
            Vote::Error(_) | Vote::Open | Vote::Unasked => None,
        })
    }

    fn errors(&self, matches: impl Fn(&StoreError) -> bool) -> usize {
        let errors = self.votes.iter();
        errors.filter(|vote| matches!(vote, Vote::Error(error) if matches(error))).count()
    }

    fn rejections(&self) -> usize {
        self.errors(|error| matches!(error, StoreError::Rejected(_)))
    }

    fn unknowns(&self) -> usize {
        self.errors(|error| matches!(error, StoreError::Unknown(_)))
    }

    /// So many against, and no majority is possible.
    fn blocking(&self) -> usize {
        self.votes.len() - self.majority + 1
    }

    /// [`Self::failure`], where the key may be on a node that failed all the same: from an earlier try
    /// under the same token, or from the round before.
    pub(super) fn uncertain_failure(&self) -> StoreError {
        match self.failure(true) {
            StoreError::Rejected(rejection) => StoreError::Unknown(Cause::Other(rejection.message)),
            error => error,
        }
    }

    fn acquire(&self, own: bool) -> Option<Decision> {
        let grants: Vec<_> = self.answers().filter_map(grant).collect();
        if grants.len() >= self.majority {
            let fence = grants.iter().map(|(fence, _)| *fence).max().unwrap_or(Fence(0));
            let fresh = grants.iter().filter(|(_, fresh)| *fresh).count() >= self.majority;
            return Some(Decision::Granted { fence, fresh });
        }
        let open = self.open();
        if grants.len() + open >= self.majority {
            return None;
        }
        // On these nodes, this token is not and never will be. A node that failed now may have a
        // caller's own token since an earlier try.
        let unclear = if own { self.errors(|_| true) } else { self.unknowns() };
        let without = self.votes.len() - grants.len() - open - unclear;
        if without >= self.blocking() {
            return Some(Decision::Refused(self.refusal(grants.len())));
        }
        let failure = || match own {
            true => self.uncertain_failure(),
            false => self.failure(!grants.is_empty()),
        };
        (without + open < self.blocking()).then(|| Decision::Answer(Err(failure())))
    }

    fn refusal(&self, grants: usize) -> Result<LockReply, StoreError> {
        let busy: Vec<_> = self.answers().filter_map(busy).collect();
        if !busy.is_empty() {
            return Ok(LockReply::Busy { remaining_ms: self.until_a_majority(busy, grants) });
        }
        if self.count(|answer| *answer == LockReply::Revoked) > 0 {
            return Ok(LockReply::Revoked);
        }
        Err(self.certain_failure().unwrap_or(StoreError::Unknown(Cause::TIMED_OUT)))
    }

    /// When a majority of the nodes will be free, if the busy ones are in so many milliseconds
    /// (`None`: never). Those granted to us are free at once; of the others nothing is known.
    fn until_a_majority(&self, busy: Vec<Option<u64>>, grants: usize) -> Option<u64> {
        let mut rests: Vec<_> = busy.into_iter().flatten().collect();
        rests.sort_unstable();
        // No more are busy than it takes to refuse: if one of them ends, a majority can be had.
        if rests.is_empty() {
            return None;
        }
        let needed = self.majority.saturating_sub(grants).clamp(1, rests.len());
        Some(rests[needed - 1])
    }

    fn yes_or_no(&self, yes: &LockReply) -> Option<Result<LockReply, StoreError>> {
        let for_it = self.count(|answer| answer == yes);
        let against = self.count(|answer| *answer == LockReply::NotHeld);
        if for_it >= self.majority {
            return Some(Ok(yes.clone()));
        }
        if against >= self.blocking() {
            return Some(Ok(LockReply::NotHeld));
        }
        let open = self.open();
        let settled = for_it + open < self.majority && against + open < self.blocking();
        settled.then(|| Err(self.failure(for_it > 0)))
    }

    fn release(&self) -> Option<Result<LockReply, StoreError>> {
        let released = self.count(|answer| *answer == LockReply::Released);
        let not_held = self.count(|answer| *answer == LockReply::NotHeld);
        if released >= self.majority {
            return Some(Ok(LockReply::Released));
        }
        if not_held >= self.blocking() {
            return Some(Ok(LockReply::NotHeld));
        }
        if self.open() > 0 {
            return None;
        }
        if released + not_held < self.majority {
            return Some(Err(self.failure(released + not_held > 0)));
        }
        // A majority has it no more. Whether one had it, those that did not answer could say.
        Some(Ok(LockReply::Released))
    }

    fn inspect(&self) -> Option<Result<LockReply, StoreError>> {
        let holders: Vec<_> = self.answers().filter_map(holder).collect();
        let missing = self.votes.len() - holders.len();
        let rests = |us: bool| {
            let mut rests: Vec<_> = holders
                .iter()
                .filter_map(|holder| match holder {
                    Holder::Us { remaining_ms } if us => Some(*remaining_ms),
                    Holder::Other { remaining_ms } if !us => Some(*remaining_ms),
                    Holder::Free | Holder::Other { .. } | Holder::Us { .. } => None,
                })
                .collect();
            // A key without an end lasts longest.
            rests.sort_unstable_by_key(|rest| core::cmp::Reverse(rest.unwrap_or(u64::MAX)));
            rests
        };
        let (ours, others) = (rests(true), rests(false));
        if ours.len() >= self.majority {
            let remaining_ms = ours[self.majority - 1];
            return Some(Ok(LockReply::Holder(Holder::Us { remaining_ms })));
        }
        if others.len() >= self.majority {
            let remaining_ms = others[self.majority - 1];
            return Some(Ok(LockReply::Holder(Holder::Other { remaining_ms })));
        }
        if ours.len().max(others.len()) + missing < self.majority {
            return Some(Ok(LockReply::Holder(Holder::Free)));
        }
        (self.open() == 0).then(|| Err(self.failure(false)))
    }

    fn confirm(&self) -> Option<Result<LockReply, StoreError>> {
        let mut counts: Vec<_> = self
            .answers()
            .filter_map(|answer| match answer {
                LockReply::Confirmed { replicas } => Some(*replicas),
                _ => None,
            })
            .collect();
        counts.sort_unstable_by_key(|count| core::cmp::Reverse(*count));
        if counts.len() >= self.majority {
            let replicas = counts[self.majority - 1];
            return Some(Ok(LockReply::Confirmed { replicas }));
        }
        (counts.len() + self.open() < self.majority).then(|| Err(self.failure(false)))
    }
}

/// How many of `nodes` are more than half.
pub(super) fn majority(nodes: usize) -> usize {
    nodes / 2 + 1
}

pub(super) fn grant(answer: &LockReply) -> Option<(Fence, bool)> {
    match answer {
        LockReply::Acquired { fence, fresh } => Some((*fence, *fresh)),
        _ => None,
    }
}

#[expect(clippy::option_option, reason = "the outer one is busy, the inner one never expires")]
fn busy(answer: &LockReply) -> Option<Option<u64>> {
    match answer {
        LockReply::Busy { remaining_ms } => Some(*remaining_ms),
        _ => None,
    }
}

fn holder(answer: &LockReply) -> Option<Holder> {
    match answer {
        LockReply::Holder(holder) => Some(*holder),
        _ => None,
    }
}
