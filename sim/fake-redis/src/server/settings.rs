//! How a server is set up.

use std::fmt;

use bytes::Bytes;

/// What a server is told before its first command.
///
/// ```
/// use leasehold_fake_redis::{Password, Server, Settings};
///
/// let server = Server::new(Settings { password: Some(Password::new("secret")), ..Settings::default() });
/// assert!(!format!("{server:?}").contains("secret"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Settings {
    /// What the user `default` says to `AUTH`. Without it nobody need say anything.
    pub password: Option<Password>,
    /// The port that `INFO` tells.
    pub port: u16,
    /// When the server began, in microseconds of the clock that drives it.
    pub started_at_us: u64,
    /// How many replicas it has, for `WAIT` and for what a failover finds.
    pub replicas: usize,
    /// How many microseconds after a write the replicas have it.
    pub replica_lag_us: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { password: None, port: 6379, started_at_us: 0, replicas: 0, replica_lag_us: 0 }
    }
}

/// A password. Not shown by `Debug`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Password(Bytes);

impl Password {
    /// This text.
    #[must_use]
    pub fn new(text: impl Into<Bytes>) -> Self {
        Self(text.into())
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether it is `guess`. Takes as long wherever they differ.
    #[must_use]
    pub fn is(&self, guess: &[u8]) -> bool {
        let differences =
            self.0.iter().zip(guess).fold(0, |sum, (left, right)| sum | (left ^ right));
        self.0.len() == guess.len() && differences == 0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(..)")
    }
}
