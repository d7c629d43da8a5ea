//! What can be wrong before the first command, and what a failed request says about its command.

use std::{error, fmt};

use leasehold_core::{Cause, StoreError};

/// A store that cannot be set up. Nothing was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SetupError {
    /// The token holds something that no HTTP header may, such as the newline at its end.
    BadToken,
    /// The URL is not one of a REST endpoint.
    BadUrl {
        /// What is wrong with it. The URL itself is not shown: it may hold a secret.
        why: String,
    },
    /// The HTTP client could not be made, for example for want of the system's root certificates.
    Client {
        /// The client's own words.
        why: String,
    },
    /// The token is empty.
    EmptyToken,
    /// The token would travel in the clear to another machine.
    PlainHttp {
        /// Which machine.
        host: String,
    },
    /// An environment variable is missing.
    Unset {
        /// Its name.
        variable: &'static str,
    },
    /// A timeout is zero, so that no request could succeed.
    ZeroTimeout,
}

impl fmt::Display for SetupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadToken => f.write_str(
                "the token holds a character that no HTTP header may: copy it without line ends",
            ),
            Self::BadUrl { why } => write!(
                f,
                "not the URL of a REST endpoint ({why}): give one like https://eu1-a-1.upstash.io"
            ),
            Self::Client { why } => write!(f, "no HTTP client could be made: {why}"),
            Self::EmptyToken => f.write_str("the token is empty: copy it from the Upstash console"),
            Self::PlainHttp { host } => write!(
                f,
                "the token would travel in the clear to {host}: use https, or set allow_plain_http"
            ),
            Self::Unset { variable } => {
                write!(f, "{variable} is not set: copy its value from the Upstash console")
            }
            Self::ZeroTimeout => f.write_str("a timeout of zero lets no request succeed"),
        }
    }
}

impl error::Error for SetupError {}

/// What a request without a reply says about its command.
pub(crate) fn no_reply(error: &reqwest::Error) -> StoreError {
    if error.is_connect() {
        StoreError::NotSent(Cause::Unreachable)
    } else if error.is_timeout() {
        StoreError::Unknown(Cause::TimedOut)
    } else {
        StoreError::Unknown(Cause::Disconnected)
    }
}
