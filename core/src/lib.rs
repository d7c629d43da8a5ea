#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![allow(
    clippy::future_not_send,
    reason = "generic futures are Send if the store, the clock and the work are: tests/cancel.rs"
)]

extern crate alloc;
// Only features name it: without them, the machines cannot reach a clock, a thread or a random map.
#[cfg(any(feature = "std", test))]
extern crate std;

#[cfg(feature = "std")]
pub mod blocking;
mod drive;
mod fenced;
mod jitter;
mod machine;
#[cfg(feature = "memory")]
mod memory;
#[cfg(feature = "std")]
mod pool;
mod settings;
mod store;
mod subscription;
#[cfg(feature = "std")]
mod sync;
mod telemetry;
mod time;
mod token;

#[cfg(feature = "conformance")]
pub mod conformance;
pub mod debounce;
pub mod guide;
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod internals;
pub mod lock;
pub mod quorum;
pub mod redis;

pub use drive::drive;
pub use fenced::{FENCED_SET, FencedResource, StaleFence};
pub use machine::{Action, Event, Machine};
#[cfg(feature = "memory")]
pub use memory::MemoryStore;
pub use settings::{ConfigError, MAX_LEASE};
pub use store::{Cause, Command, DynStore, Rejection, RejectionKind, Reply, Store, StoreError};
pub use subscription::{ReleaseSource, Subscription};
#[cfg(feature = "tokio")]
pub use time::TokioClock;
pub use time::{Clock, Instant, Task};
pub use token::{EmptyToken, Fence, Token, Tokens};
