//! Locks that are leases: held until released or until their time is up, whichever is first.

mod command;
mod config;
mod durability;
mod error;
#[cfg(target_has_atomic = "64")]
mod handle;
#[cfg(target_has_atomic = "64")]
mod held;
#[cfg(target_has_atomic = "64")]
mod hold;
#[cfg(target_has_atomic = "64")]
mod lease;
#[cfg(all(feature = "std", target_has_atomic = "64"))]
mod locks;
mod machine;
#[cfg(test)]
mod machine_test;
mod outcome;
#[cfg(all(feature = "std", target_has_atomic = "64"))]
mod room;
#[cfg(target_has_atomic = "64")]
mod series;
#[cfg(target_has_atomic = "64")]
mod tenure;
#[cfg(target_has_atomic = "64")]
mod within;

pub(crate) use command::hash_tag;
pub use command::{Holder, LockCommand, LockKeys, LockReply};
pub use config::{AcquireOptions, ConfigError, LockConfig, LockOptions, MAX_LEASE, Terms};
pub(crate) use config::{margin, whole_millis};
pub use durability::Durability;
pub use error::{ExtendError, HoldError, Lost, NotAcquired, ReleaseError, Released};
#[cfg(target_has_atomic = "64")]
pub use handle::Lock;
#[cfg(target_has_atomic = "64")]
pub use held::Held;
#[cfg(target_has_atomic = "64")]
pub use lease::Lease;
#[cfg(all(feature = "std", target_has_atomic = "64"))]
pub use locks::Locks;
pub use machine::{LockMachine, LockRequest};
pub use outcome::{Grant, LockOutcome, LossReason};

/// How often a release is sent before its outcome is left open.
const RELEASE_TRIES: u64 = 3;
