//! What `INFO` counts.

use std::collections::BTreeMap;

/// Counts since the start, or since `CONFIG RESETSTAT`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Statistics {
    pub(crate) connections: u64,
    pub(crate) commands: u64,
    /// Replies that were errors, also those that a script was given.
    pub(crate) errors: u64,
    pub(crate) hits: u64,
    pub(crate) misses: u64,
    pub(crate) expired: u64,
    pub(crate) evicted: u64,
    pub(crate) by_command: BTreeMap<CommandName, CommandCounts>,
    /// By the first word of the error.
    pub(crate) by_error: BTreeMap<String, u64>,
}

/// The container, if it is a subcommand, and the name.
pub(crate) type CommandName = (Option<&'static str>, &'static str);

/// What is counted of one command.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct CommandCounts {
    pub(crate) calls: u64,
    /// Refused before it was run.
    pub(crate) rejected: u64,
    /// Run, and answered with an error.
    pub(crate) failed: u64,
}

/// How many kinds of errors are told apart: a script makes up what it likes.
const KINDS_OF_ERRORS: usize = 128;

impl Statistics {
    /// Counts a command that was run.
    pub(crate) fn note_call(&mut self, name: CommandName, failed: bool) {
        self.commands += 1;
        let counts = self.by_command.entry(name).or_default();
        counts.calls += 1;
        counts.failed += u64::from(failed);
    }

    /// Counts a command that was refused before it was run.
    pub(crate) fn note_rejection(&mut self, name: CommandName) {
        self.by_command.entry(name).or_default().rejected += 1;
    }

    /// Counts an error reply.
    pub(crate) fn note_error(&mut self, text: &str) {
        self.errors += 1;
        let kind = text.split(' ').next().unwrap_or_default();
        if let Some(count) = self.by_error.get_mut(kind) {
            *count += 1;
        } else if self.by_error.len() < KINDS_OF_ERRORS {
            self.by_error.insert(kind.into(), 1);
        }
    }
}
