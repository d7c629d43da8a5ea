//! How a hunt is repeated.

use super::rule::{Fault, Replay};

/// How the command is repeated.
#[derive(Debug)]
pub(super) struct Again {
    /// All options that a replay needs, and the command.
    pub(super) options: Vec<String>,
    pub(super) command: Vec<String>,
}

impl Again {
    pub(super) fn replay(&self, faults: &[Fault]) -> String {
        let word = Replay(faults.to_vec()).to_string();
        let head = ["leasehold", "hunt", "--replay", &word].map(str::to_owned);
        let words = head.into_iter().chain(self.options.iter().cloned()).chain(["--".into()]);
        join(words.chain(self.command.iter().cloned()))
    }

    /// Whether the server judges what is done to locks.
    pub(super) fn watches_locks(&self) -> bool {
        self.options.iter().any(|option| option == "--lock")
    }

    pub(super) fn name(&self) -> String {
        join(self.command.iter().cloned())
    }
}

pub(super) fn join(words: impl Iterator<Item = String>) -> String {
    let quoted = words.map(|word| match shlex::try_quote(&word) {
        Ok(quoted) => quoted.into_owned(),
        Err(_) => word,
    });
    quoted.collect::<Vec<_>>().join(" ")
}
