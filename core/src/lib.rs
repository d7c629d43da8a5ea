#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

extern crate alloc;
// Only features name it: without them, the machines cannot reach a clock, a thread or a random map.
#[cfg(any(feature = "std", test))]
extern crate std;

mod drive;
mod jitter;
mod machine;
mod store;
mod time;
mod token;

pub mod debounce;
pub mod lock;
pub mod redis;

pub use drive::drive;
pub use machine::{Action, Event, Machine};
pub use store::{Cause, Command, Rejection, RejectionKind, Reply, Store, StoreError};
pub use time::{Clock, Instant};
pub use token::{EmptyToken, Fence, Token, Tokens};
