//! Locks that are leases: held until released or until their time is up, whichever is first.
//!
//! The handles ([`Lock`], [`Lease`] and what comes with them) need the feature `std`. The machine
//! does not.

#[cfg(feature = "std")]
mod acquire;
#[cfg(feature = "std")]
mod all;
mod command;
mod config;
mod durability;
mod error;
mod guarantee;
#[cfg(feature = "std")]
mod handle;
#[cfg(feature = "std")]
mod hold;
#[cfg(feature = "std")]
mod keeper;
#[cfg(feature = "std")]
mod lease;
#[cfg(feature = "std")]
mod locks;
mod machine;
#[cfg(test)]
mod machine_test;
mod options;
mod outcome;
#[cfg(feature = "std")]
mod pool;
#[cfg(feature = "std")]
mod queue;
#[cfg(feature = "std")]
mod requests;
#[cfg(feature = "std")]
mod token_series;
#[cfg(feature = "std")]
mod view;

#[cfg(feature = "std")]
pub use acquire::Acquire;
#[cfg(feature = "std")]
pub use all::{AcquireAll, Leases, NotAll};
pub(crate) use command::hash_tag;
pub use command::{Holder, IfHeld, LockCommand, LockKeys, LockReply};
pub use config::{AcquireRequest, LockConfig};
pub use durability::Durability;
pub use error::{ExtendError, HoldError, Lost, NoRuntime, NotAcquired, ReleaseError, Released};
pub use guarantee::Guarantee;
#[cfg(feature = "std")]
pub use handle::Lock;
#[cfg(feature = "std")]
pub use lease::Lease;
#[cfg(feature = "std")]
pub use locks::Locks;
pub use machine::{LockMachine, LockRequest};
#[cfg(test)]
pub(crate) use options::AcquireOptions;
pub use options::LockOptions;
pub use outcome::{Grant, LockOutcome, LossReason};
#[cfg(feature = "std")]
pub use view::LeaseView;

/// How often a release is sent before its outcome is left open.
const RELEASE_TRIES: u64 = 3;
