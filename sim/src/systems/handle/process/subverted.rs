//! What leaves a process, where a bug may be planted.

use leasehold_core::{
    Command, Reply,
    debounce::{DebounceCommand, DebounceReply},
    lock::{LockCommand, LockReply},
};

use super::{super::own_token::OwnToken, Process};
use crate::{
    history::{Act, TokenId},
    mutants::Mutant,
};

/// What becomes of a command: it is sent, unless a bug is planted.
pub(in crate::systems::handle) enum Subverted {
    Sent(Command),
    /// Nothing is sent, and this is the answer.
    Answered(Reply),
}

impl Process {
    /// What is done with a command, where a bug may be planted.
    pub(in crate::systems::handle) fn subverted(
        &self,
        command: Command,
        act: Act,
        token: Option<TokenId>,
    ) -> Subverted {
        let before = {
            let mut state = self.state();
            let before = state.last_write;
            if matches!(act, Act::Acquire | Act::Extend) {
                state.last_write = act;
            }
            before
        };
        match (self.mutant, command) {
            // What a dropped caller was granted is not given back,
            (Some(Mutant::UnreturnedLease), _)
                if act == Act::Release && token == self.state().unserved =>
            {
                Subverted::Answered(Reply::Lock(LockReply::Released))
            }
            // nor what was taken under a token that the caller brought along,
            (Some(Mutant::UnreleasedToken), _)
                if act == Act::Release && token.is_some_and(OwnToken::is) =>
            {
                Subverted::Answered(Reply::Lock(LockReply::Released))
            }
            // nor is a run that was dropped.
            (
                Some(Mutant::UnreturnedRun),
                Command::Debounce(DebounceCommand::Finish { seq: 0, success: false, .. }),
            ) => Subverted::Answered(Reply::Debounce(DebounceReply::Stale)),
            (
                Some(Mutant::FailureSettles),
                Command::Debounce(mut command @ DebounceCommand::Finish { seq: 1.., .. }),
            ) => {
                if let DebounceCommand::Finish { success, .. } = &mut command {
                    *success = true;
                }
                Subverted::Sent(Command::Debounce(command))
            }
            // No replica is asked whether it has a renewal.
            (
                Some(Mutant::UnconfirmedRenewal),
                Command::Lock(LockCommand::Confirm { replicas, .. }),
            ) if before == Act::Extend => {
                Subverted::Answered(Reply::Lock(LockReply::Confirmed { replicas }))
            }
            (_, command) => Subverted::Sent(command),
        }
    }
}
