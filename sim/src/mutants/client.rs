//! Bugs that take more than one machine: what leaves a client is rewritten.

use leasehold_core::{
    Command, Token,
    debounce::DebounceCommand,
    lock::{LockCommand, LockOptions},
};

use super::Mutant;

/// What a bug knows of the client that sends.
pub(crate) struct Sender<'a> {
    /// The last token of the handle that it shares with another task.
    pub(crate) shared_token: &'a mut Option<String>,
    /// How far its wall clock is ahead, in microseconds.
    pub(crate) wall_offset_us: i64,
}

impl Mutant {
    /// The settings of a lock whose author did not know better.
    pub(crate) fn set(self, options: LockOptions) -> LockOptions {
        match self {
            Self::NoDrift => options.drift_ppm(0),
            Self::EndlessRenewals => options.max_renewals(u32::MAX),
            _ => options,
        }
    }

    /// What is sent in place of `command`.
    pub(crate) fn subverted(self, sender: Sender<'_>, command: Command) -> Command {
        match (self, command) {
            (Self::SharedToken, Command::Lock(command)) => {
                Command::Lock(under_shared_token(sender.shared_token, command))
            }
            (Self::CallersClock, Command::Debounce(command)) => {
                Command::Debounce(by_callers_clock(sender.wall_offset_us, command))
            }
            (_, command) => command,
        }
    }
}

/// Two clients are tasks of one process and share a handle, in which the last token lies.
fn under_shared_token(shared: &mut Option<String>, mut command: LockCommand) -> LockCommand {
    match &mut command {
        LockCommand::Acquire { token, .. } | LockCommand::AcquireLean { token, .. } => {
            *shared = Some(token.as_str().into());
        }
        LockCommand::Extend { token, .. }
        | LockCommand::Release { token, .. }
        | LockCommand::ReleaseLean { token, .. } => {
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
fn by_callers_clock(wall_offset_us: i64, mut command: DebounceCommand) -> DebounceCommand {
    if let DebounceCommand::Call { timing, .. } = &mut command {
        timing.wait_ms = timing.wait_ms.saturating_add_signed(wall_offset_us / 1_000);
    }
    command
}
