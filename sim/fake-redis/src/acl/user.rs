//! One user.

use std::fmt;

use bytes::Bytes;
use sha2::{Digest, Sha256};

use super::selector::{Denial, Selector};
use crate::command::Spec;

/// A password, of which only a hash is kept. Not shown by `Debug`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Secret([u8; 32]);

impl Secret {
    pub(crate) fn of(password: &[u8]) -> Self {
        Self(Sha256::digest(password).into())
    }

    /// A hash in lower-case hexadecimal.
    pub(crate) fn parse(hash: &[u8]) -> Option<Self> {
        let digit = |byte: u8| match byte {
            b'0'..=b'9' => Some(byte - b'0'),
            b'a'..=b'f' => Some(byte - b'a' + 10),
            _ => None,
        };
        let mut secret = [0; 32];
        if hash.len() != 64 {
            return None;
        }
        for (byte, pair) in secret.iter_mut().zip(hash.chunks_exact(2)) {
            *byte = digit(pair[0])? << 4 | digit(pair[1])?;
        }
        Some(Self(secret))
    }

    /// The hash in hexadecimal.
    pub(crate) fn hash(self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Takes as long wherever they differ.
    fn is(self, other: Self) -> bool {
        self.0.iter().zip(other.0).fold(0, |sum, (left, right)| sum | (left ^ right)) == 0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// What somebody may do who has said one of the passwords.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct User {
    pub(crate) enabled: bool,
    pub(crate) no_password: bool,
    pub(crate) secrets: Vec<Secret>,
    /// `sanitize-payload` or its opposite, if it was said: told, and without effect.
    pub(crate) sanitize: Option<bool>,
    /// The rights of the user itself, and then those of further selectors, of which one must do.
    pub(crate) selectors: Vec<Selector>,
}

impl User {
    /// One who may do nothing yet.
    pub(crate) fn new(all_channels: bool) -> Self {
        Self {
            enabled: false,
            no_password: false,
            secrets: Vec::new(),
            sanitize: None,
            selectors: vec![Selector::new(all_channels)],
        }
    }

    /// One who may do everything.
    pub(crate) fn unlimited(password: Option<&[u8]>) -> Self {
        Self {
            enabled: true,
            no_password: password.is_none(),
            secrets: password.map(Secret::of).into_iter().collect(),
            sanitize: None,
            selectors: vec![Selector::unlimited()],
        }
    }

    /// Whether this password lets somebody in.
    pub(crate) fn accepts(&self, guess: &[u8]) -> bool {
        let guess = Secret::of(guess);
        self.enabled && (self.no_password || self.secrets.iter().any(|secret| secret.is(guess)))
    }

    /// Whether nothing is denied to them.
    pub(crate) fn is_unlimited(&self) -> bool {
        self.selectors.iter().any(Selector::is_unlimited)
    }

    /// Says why a command is denied, if it is.
    pub(crate) fn check(&self, spec: &Spec, arguments: &[Bytes]) -> Result<(), Denial> {
        let mut denial = Denial::Command;
        for selector in &self.selectors {
            match selector.check(spec, arguments) {
                Ok(()) => return Ok(()),
                Err(other) if other.rank() >= denial.rank() => denial = other,
                Err(_) => {}
            }
        }
        Err(denial)
    }

    /// Whether they may listen to this.
    pub(crate) fn may_listen(&self, name: &[u8], is_pattern: bool) -> bool {
        self.selectors.iter().any(|selector| selector.allows_channel(name, is_pattern))
    }

    /// As `ACL LIST` tells it, behind the name.
    pub(crate) fn text(&self) -> String {
        let mut words: Vec<String> = self.flags().iter().map(|flag| (*flag).into()).collect();
        words.extend(self.secrets.iter().map(|secret| format!("#{}", secret.hash())));
        words.push(self.selectors[0].text());
        words.extend(self.selectors[1..].iter().map(|selector| format!("({})", selector.text())));
        words.join(" ")
    }

    /// `on`, `nopass` and their like.
    pub(crate) fn flags(&self) -> Vec<&'static str> {
        let mut flags = vec![if self.enabled { "on" } else { "off" }];
        flags.extend(self.no_password.then_some("nopass"));
        flags.extend(
            self.sanitize.map(
                |sanitize| {
                    if sanitize { "sanitize-payload" } else { "skip-sanitize-payload" }
                },
            ),
        );
        flags
    }
}
