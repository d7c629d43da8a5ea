//! The rounds of one command.

use alloc::{format, vec, vec::Vec};

use super::tally::{Decision, Tally, Vote, grant, is_callers_own, majority};
use crate::{
    lock::{LockCommand, LockReply},
    store::{Cause, Command, Reply, StoreError},
    token::Fence,
};

/// One command to a quorum, as a value: which node is asked what, and what the answers decide.
///
/// Send the [`QuorumMachine::requests`] of a round, all at once, and report each answer or error,
/// or `StoreError::Unknown(Cause::TIMED_OUT)` for none in time, in any order. After
/// [`Progress::NextRound`], drop what is still in flight and send the requests of the new round.
/// After [`Progress::Done`] there may be requests once more: send them, and wait for nothing.
///
/// ```
/// use leasehold_core::{
///     Command, Fence, Reply, Token,
///     lock::{LockCommand, LockKeys, LockReply},
///     internals::{Progress, QuorumMachine},
/// };
///
/// let (keys, token) = (LockKeys::of("job").into(), Token::new("me.1#1").unwrap());
/// let extend = LockCommand::Extend { keys, token, lease_ms: 10_000 };
/// let mut machine = QuorumMachine::new(3, extend);
/// assert_eq!(machine.requests().len(), 3);
/// let extended = || Ok(Reply::Lock(LockReply::Extended));
/// assert_eq!(machine.answered(0, extended()), Progress::Waiting);
/// assert_eq!(machine.answered(2, extended()), Progress::Done(Ok(LockReply::Extended)));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct QuorumMachine {
    command: LockCommand,
    round: Round,
    votes: Vec<Vote>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Round {
    /// The command itself.
    Ask,
    /// The fence is written back to nodes that granted the lock.
    RaiseFence {
        fence: Fence,
        fresh: bool,
    },
    /// The votes for us are taken back; this is the answer once those that are known have been,
    /// and a majority has none.
    Undo {
        answer: Result<LockReply, StoreError>,
        known: Vec<usize>,
    },
    Done,
    /// The answer was given. Whoever may have voted for us is told, and not heard.
    Leave,
}

/// What an answer led to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[must_use = "the next round must be sent"]
pub enum Progress {
    /// More answers of this round are needed.
    Waiting,
    /// This round is decided: send the requests of the next.
    NextRound,
    /// The answer to the command.
    Done(Result<LockReply, StoreError>),
}

impl QuorumMachine {
    /// `command` for `nodes` nodes.
    ///
    /// # Panics
    ///
    /// If there is no node.
    #[must_use]
    pub fn new(nodes: usize, command: LockCommand) -> Self {
        assert!(nodes > 0, "a quorum has a node");
        Self { command, round: Round::Ask, votes: vec![Vote::Open; nodes] }
    }

    /// What to send in this round, and to which node.
    #[must_use]
    pub fn requests(&self) -> Vec<(usize, Command)> {
        let open = self.votes.iter().enumerate().filter(|(_, vote)| matches!(vote, Vote::Open));
        open.map(|(node, _)| (node, Command::Lock(self.request()))).collect()
    }

    /// Takes the answer of `node` to its request of this round.
    ///
    /// # Panics
    ///
    /// If `node` has no request in this round that is still open: a bug in the driver.
    pub fn answered(&mut self, node: usize, result: Result<Reply, StoreError>) -> Progress {
        assert_eq!(self.votes[node], Vote::Open, "driver: node {node} was not asked");
        self.votes[node] = match result {
            Ok(Reply::Lock(reply)) => Vote::Answer(reply),
            Ok(Reply::Debounce(reply)) => Vote::Error(unexpected(&reply)),
            Err(error) => Vote::Error(error),
        };
        match &self.round {
            Round::Ask => self.asked(),
            Round::RaiseFence { fence, fresh } => self.raised(*fence, *fresh),
            Round::Undo { .. } => self.undone(),
            Round::Done | Round::Leave => unreachable!("driver: the answer was given"),
        }
    }

    fn request(&self) -> LockCommand {
        match (&self.round, &self.command) {
            (
                Round::RaiseFence { fence, .. },
                LockCommand::Acquire { keys, token, fence_life_ms, .. },
            ) => LockCommand::RaiseFence {
                keys: keys.clone(),
                token: token.clone(),
                fence: *fence,
                fence_life_ms: *fence_life_ms,
            },
            (
                Round::Undo { .. } | Round::Leave,
                LockCommand::Acquire { keys, token, tombstone_ms, .. },
            ) => LockCommand::Release {
                keys: keys.clone(),
                token: token.clone(),
                tombstone_ms: *tombstone_ms,
            },
            (_, command) => command.clone(),
        }
    }

    fn asked(&mut self) -> Progress {
        match Tally::of(&self.votes).decide(&self.command) {
            None => Progress::Waiting,
            Some(Decision::Answer(answer)) => self.done(answer),
            Some(Decision::Granted { fence, fresh }) => self.write_back(fence, fresh),
            Some(Decision::Refused(answer)) => self.take_back(answer),
        }
    }

    /// Every later majority must know of this fence.
    fn write_back(&mut self, fence: Fence, fresh: bool) -> Progress {
        debug_assert!(
            Tally::of(&self.votes).count(|answer| grant(answer).is_some())
                >= majority(self.votes.len()),
            "only what a majority granted is written back"
        );
        let granted = |vote: &Vote| match vote {
            Vote::Answer(answer) => grant(answer).map(|(fence, _)| fence),
            Vote::Error(_) | Vote::Open | Vote::Unasked => None,
        };
        for vote in &mut self.votes {
            debug_assert!(granted(vote) <= Some(fence), "the fence is the greatest of all");
            *vote = match granted(vote) {
                Some(made) if made == fence => Vote::Answer(LockReply::FenceRaised),
                Some(_) => Vote::Open,
                None => Vote::Unasked,
            };
        }
        self.round = Round::RaiseFence { fence, fresh };
        match self.raised(fence, fresh) {
            Progress::Waiting => Progress::NextRound,
            progress => progress,
        }
    }

    fn raised(&mut self, fence: Fence, fresh: bool) -> Progress {
        let tally = Tally::of(&self.votes);
        let (raised, open) =
            (tally.count(|answer| *answer == LockReply::FenceRaised), tally.open());
        let majority = majority(self.votes.len());
        if raised >= majority {
            self.done(Ok(LockReply::Acquired { fence, fresh }))
        } else if raised + open >= majority {
            Progress::Waiting
        } else {
            // The keys are under our token, but the lease is not to be had: clean up.
            let error = tally.uncertain_failure();
            self.done(Err(error))
        }
    }

    /// So that callers who have a part of the nodes each do not keep one another out.
    fn take_back(&mut self, answer: Result<LockReply, StoreError>) -> Progress {
        if self.is_callers_own_token() {
            return self.done(answer);
        }
        debug_assert!(
            Tally::of(&self.votes).count(|answer| grant(answer).is_some())
                < majority(self.votes.len()),
            "what a majority granted is not taken back"
        );
        // A revoked token was given up everywhere; a node that forgot is rare, and told nothing.
        let revoked = answer == Ok(LockReply::Revoked);
        let mut known = Vec::new();
        for (node, vote) in self.votes.iter_mut().enumerate() {
            let granted = matches!(vote, Vote::Answer(answer) if grant(answer).is_some());
            let unclear =
                matches!(vote, Vote::Open | Vote::Error(StoreError::Unknown(_))) && !revoked;
            *vote = if granted || unclear { Vote::Open } else { Vote::Unasked };
            known.extend(granted.then_some(node));
        }
        if self.is_taken_back(&known) {
            // Some may have voted for us yet: they are told, and not waited for.
            self.round = Round::Leave;
            return Progress::Done(answer);
        }
        self.round = Round::Undo { answer, known };
        Progress::NextRound
    }

    fn undone(&mut self) -> Progress {
        match &self.round {
            Round::Undo { answer, known } if self.is_taken_back(known) => {
                let answer = answer.clone();
                self.done(answer)
            }
            _ => Progress::Waiting,
        }
    }

    /// Whether those `known` to have voted for us have answered, and a majority is without us, or
    /// as many as will ever be.
    fn is_taken_back(&self, known: &[usize]) -> bool {
        let is_open = |vote: &Vote| *vote == Vote::Open;
        let without =
            self.votes.iter().filter(|vote| !is_open(vote) && !matches!(vote, Vote::Error(_)));
        let enough = without.count() >= majority(self.votes.len());
        let known_open = known.iter().any(|node| is_open(&self.votes[*node]));
        (enough && !known_open) || !self.votes.iter().any(is_open)
    }

    fn is_callers_own_token(&self) -> bool {
        matches!(&self.command, LockCommand::Acquire { token, .. } if is_callers_own(token))
    }

    fn done(&mut self, answer: Result<LockReply, StoreError>) -> Progress {
        self.round = Round::Done;
        self.votes.fill(Vote::Unasked);
        Progress::Done(answer)
    }
}

fn unexpected(reply: &impl core::fmt::Debug) -> StoreError {
    StoreError::Unknown(Cause::Malformed(format!("{reply:?} is not about a lock").into()))
}
