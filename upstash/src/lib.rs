//! A [`Store`](leasehold_core::Store) on [Upstash] Redis, over its REST protocol.
//!
//! ```no_run
//! use leasehold_core::lock::Lock;
//! use leasehold_upstash::Upstash;
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let store = Upstash::from_env()?;
//! let mut lock = Lock::new(store, "nightly-report")?;
//! let mut lease = lock.acquire().await?;
//! // … work, and send lease.fence() with every write …
//! lease.release().await?;
//! # Ok(()) }
//! ```
//!
//! Each command is one `POST` of a Lua script by its hash, and a second one with its text when the
//! server has forgotten it. It runs inside a tokio runtime, because its HTTP client does.
//!
//! # What an answer means
//!
//! | what happened | what the caller is told |
//! |---|---|
//! | no connection could be made | `NotSent`: nothing happened |
//! | 429 | `NotSent`: the server says to try again |
//! | no reply in time, a cut connection, half a body, a body that is not a reply | `Unknown` |
//! | 408, 5xx, a redirect | `Unknown`: a proxy may have spoken for a server that went on |
//! | 401, 403 | `Rejected`, [`NotAllowed`](leasehold_core::RejectionKind::NotAllowed) |
//! | 200 or 400 with an `error` | what [`leasehold_core::redis::refusal`] says of its text |
//! | any other 4xx | `Rejected` |
//!
//! # Limits
//!
//! One request carries one command: concurrent commands are not coalesced into a pipeline. Nothing
//! is sent again here, since the machines of `leasehold_core` know which commands may be. There are
//! no release hints, so a waiter learns of a release when it next tries. No `upstash-sync-token` is
//! kept: scripts run on the primary, and no other reads are made. A request is JSON, which carries
//! text alone: the arguments of a debounced call must be UTF-8, or they are `Rejected` unsent.
//!
//! [Upstash]: https://upstash.com/docs/redis/features/restapi

#![forbid(unsafe_code)]

mod config;
mod error;
mod store;
mod wire;

pub use config::Options;
pub use error::SetupError;
pub use store::Upstash;
