//! The scripts that a server has seen, by their SHA-1; and what it allows them.

mod access;
mod rules;
mod shebang;

use std::{collections::BTreeMap, fmt, str, sync::Arc};

use bytes::Bytes;
use sha1::Digest;

pub(super) use access::{Access, NOT_ALLOWED, script_says_it_writes};
pub use rules::ScriptRules;
pub(super) use shebang::{Shebang, unexpected};

/// The SHA-1 of a script in lower-case hexadecimal.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Sha1([u8; 40]);

/// A server's scripts. Lost by a restart, as in Redis.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Scripts(Arc<BTreeMap<Sha1, Bytes>>);

impl Sha1 {
    pub(super) fn of(text: &[u8]) -> Self {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut hex = [0; 40];
        for (pair, byte) in hex.chunks_exact_mut(2).zip(sha1::Sha1::digest(text)) {
            pair[0] = DIGITS[usize::from(byte >> 4)];
            pair[1] = DIGITS[usize::from(byte & 15)];
        }
        Self(hex)
    }

    /// What a client sent, in either case; `None` if it is not the name of any script.
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        let mut hex: [u8; 40] = text.try_into().ok()?;
        hex.make_ascii_lowercase();
        hex.iter().all(u8::is_ascii_hexdigit).then_some(Self(hex))
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for Sha1 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(str::from_utf8(&self.0).expect("hexadecimal digits are ASCII"))
    }
}

impl fmt::Debug for Sha1 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Scripts {
    pub(super) fn get(&self, sha1: &Sha1) -> Option<&Bytes> {
        self.0.get(sha1)
    }

    pub(super) fn add(&mut self, sha1: Sha1, text: &Bytes) {
        if !self.0.contains_key(&sha1) {
            Arc::make_mut(&mut self.0).insert(sha1, text.clone());
        }
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}
