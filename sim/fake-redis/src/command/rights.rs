//! What a command does with each of its keys.

use bytes::Bytes;

use super::{Group, Keys, Spec};

/// What a script may do with its keys.
const OF_SCRIPT: &[&str] = &["RW", "access", "update"];
const OF_READING_SCRIPT: &[&str] = &["RO", "access"];

impl Spec {
    /// The keys among a command's arguments, each with the words for what is done to it.
    pub(crate) fn keys_with_access<'a>(
        &self,
        arguments: &'a [Bytes],
    ) -> Vec<(&'a Bytes, Vec<&'static str>)> {
        let keys = self.keys.of(arguments).into_iter().enumerate();
        keys.map(|(index, key)| (key, self.access_of(index, arguments))).collect()
    }

    /// What it does with each of its keys.
    pub(super) fn accesses(&self) -> Vec<&'static str> {
        self.access.split_terminator(", ").collect()
    }

    fn access_of(&self, index: usize, arguments: &[Bytes]) -> Vec<&'static str> {
        if self.group == Group::Scripting {
            let reads = self.name.ends_with("_ro");
            return if reads { OF_READING_SCRIPT } else { OF_SCRIPT }.to_vec();
        }
        let accesses = self.accesses();
        let last = accesses.len().saturating_sub(1);
        let place = match self.keys {
            // The specifications between are about patterns.
            Keys::Sorted { .. } if index > 0 => last,
            _ => index.min(last),
        };
        let words = accesses.get(place).copied().unwrap_or_default();
        let words = match words {
            "RW access update variable_flags" => {
                let gets = arguments.iter().skip(3).any(|it| it.eq_ignore_ascii_case(b"get"));
                if gets { "RW access update" } else { "OW update" }
            }
            words => words,
        };
        words.split(' ').filter(|word| !word.is_empty()).collect()
    }
}
