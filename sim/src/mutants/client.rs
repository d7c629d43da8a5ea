//! Bugs that take more than one machine: what leaves a client is rewritten.

use leasehold_core::{
    Command, Token,
    debounce::DebounceCommand,
    lock::{LockCommand, LockOptions},
};

use super::Mutant;
use crate::{
    decide::Chance,
    history::Client,
    world::{Plan, Step, Watch},
};

impl Mutant {
    /// The settings of a lock whose author did not know better.
    pub(crate) fn set(plan: &Plan, options: LockOptions) -> LockOptions {
        match plan.mutant {
            Some(Self::NoDrift) => LockOptions { drift_ppm: 0, ..options },
            _ => options,
        }
    }
}

impl<C: Chance, W: Watch> Step<'_, C, W> {
    /// What is sent in place of `command`.
    #[inline]
    pub(crate) fn subverted(&mut self, me: Client, command: Command) -> Command {
        match (self.core.plan.mutant, command) {
            (None, command) => command,
            (Some(Mutant::SharedToken), Command::Lock(command)) => {
                Command::Lock(self.under_shared_token(me, command))
            }
            (Some(Mutant::CallersClock), Command::Debounce(command)) => {
                Command::Debounce(self.by_callers_clock(me, command))
            }
            (Some(_), command) => command,
        }
    }

    /// Two clients are tasks of one process and share a handle, in which the last token lies.
    fn under_shared_token(&mut self, me: Client, mut command: LockCommand) -> LockCommand {
        let shared = &mut self.core.upstream_locks[usize::from(me / 2)].token;
        match &mut command {
            LockCommand::Acquire { token, .. } => *shared = Some(token.as_str().into()),
            LockCommand::Extend { token, .. } | LockCommand::Release { token, .. } => {
                if let Some(last) = shared.as_deref().and_then(|text| Token::new(text).ok()) {
                    *token = last;
                }
            }
            LockCommand::Confirm { .. }
            | LockCommand::Inspect { .. }
            | LockCommand::RaiseFence { .. } => {}
        }
        command
    }

    /// The caller says until when to wait, and its wall clock is not the server's.
    fn by_callers_clock(&mut self, me: Client, mut command: DebounceCommand) -> DebounceCommand {
        let ahead_ms = self.host(me).clock.wall_offset_us / 1_000;
        if let DebounceCommand::Call { timing, .. } = &mut command {
            timing.wait_ms = timing.wait_ms.saturating_add_signed(ahead_ms);
        }
        command
    }
}
