//! How a server is set up.

use std::fmt;

use bytes::Bytes;

/// What a server is told before its first command.
///
/// ```
/// use leasehold_fake_redis::{Password, Server, Settings};
///
/// let server = Server::new(Settings::default().password(Password::new("secret")));
/// assert!(!format!("{server:?}").contains("secret"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Settings {
    pub(crate) password: Option<Password>,
    pub(crate) port: u16,
    pub(crate) started_at_us: u64,
    pub(crate) replicas: usize,
    pub(crate) replica_lag_us: u64,
}

impl Settings {
    /// What the user `default` says to `AUTH`. Without it nobody need say anything.
    #[must_use]
    pub fn password(mut self, password: Password) -> Self {
        self.password = Some(password);
        self
    }

    /// The port that `INFO` tells.
    #[must_use]
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// When the server began, in microseconds of the clock that drives it.
    #[must_use]
    pub fn started_at_us(mut self, started_at_us: u64) -> Self {
        self.started_at_us = started_at_us;
        self
    }

    /// How many replicas it has, for `WAIT` and for what a failover finds, and how many
    /// microseconds after a write they have it.
    #[must_use]
    pub fn replicas(mut self, replicas: usize, lag_us: u64) -> Self {
        (self.replicas, self.replica_lag_us) = (replicas, lag_us);
        self
    }
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
