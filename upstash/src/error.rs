//! What can be wrong before the first command.

use std::{error, fmt};

/// A store that cannot be set up. Nothing was sent.
///
/// ```
/// use leasehold_upstash::{SetupError, Upstash};
///
/// let refused = Upstash::new("redis://127.0.0.1", "secret").unwrap_err();
/// assert!(matches!(refused, SetupError::BadUrl { .. }));
/// println!("{refused}"); // … names a URL that would do
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SetupError {
    /// The token holds something that no HTTP header may, such as the newline at its end.
    BadToken,
    /// The URL is not one of a server that this store can speak to.
    BadUrl {
        /// What is wrong with it. The URL itself is not shown: it may hold a secret.
        why: String,
        /// One that would do.
        example: &'static str,
    },
    /// The client could not be made, for example for want of the system's root certificates.
    Client {
        /// The client's own words.
        why: String,
    },
    /// The token is empty.
    EmptyToken,
    /// The URL asks for TLS, which is not compiled in, or has nobody to do its cryptography.
    NoTls,
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
    /// A timeout or a limit is zero, so that no request could succeed.
    Zero {
        /// Which.
        what: &'static str,
    },
}

impl fmt::Display for SetupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadToken => f.write_str(
                "the token holds a character that no HTTP header may: copy it without line ends",
            ),
            Self::BadUrl { why, example } => {
                write!(f, "not the URL of a server ({why}): give one like {example}")
            }
            Self::Client { why } => write!(f, "no client could be made: {why}"),
            Self::EmptyToken => f.write_str("the token is empty: copy it from the Upstash console"),
            Self::NoTls => f.write_str(
                "no TLS: switch on the feature rustls of leasehold-upstash, or install a \
                 CryptoProvider of rustls, or hand in a client or a connection",
            ),
            Self::PlainHttp { host } => write!(
                f,
                "the token would travel in the clear to {host}: use https, or allow_plain_http"
            ),
            Self::Unset { variable } => {
                write!(f, "{variable} is not set: copy its value from the Upstash console")
            }
            Self::Zero { what } => write!(f, "{what} is zero, which lets no request succeed"),
        }
    }
}

impl error::Error for SetupError {}
