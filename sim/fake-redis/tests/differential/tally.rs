//! What was sent, and how much of it did something.

use std::{collections::BTreeMap, fmt};

use bytes::Bytes;

use crate::step::effective;

/// Counts by command.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    commands: BTreeMap<String, Count>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Count {
    sent: u64,
    refused: u64,
}

impl Tally {
    pub(crate) fn count(&mut self, words: &[Bytes], refused: bool) {
        let name = effective(words).first().unwrap_or(&words[0]);
        let name = String::from_utf8_lossy(name).to_ascii_lowercase();
        let count = self.commands.entry(name).or_default();
        count.sent += 1;
        count.refused += u64::from(refused);
    }

    pub(crate) fn total(&self) -> u64 {
        self.commands.values().map(|count| count.sent).sum()
    }

    pub(crate) fn sent(&self, name: &str) -> u64 {
        self.of(name).sent
    }

    /// How often this command answered something else than an error.
    pub(crate) fn answered(&self, name: &str) -> u64 {
        self.of(name).sent - self.of(name).refused
    }

    fn of(&self, name: &str) -> Count {
        self.commands.get(&name.to_ascii_lowercase()).copied().unwrap_or_default()
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:24}{:>8}{:>14}", "command", "sent", "without error")?;
        for (name, Count { sent, refused }) in &self.commands {
            writeln!(f, "{:24}{sent:>8}{:>14}", name.escape_default(), sent - refused)?;
        }
        Ok(())
    }
}
