//! Locks that are leases: held until released or until their time is up, whichever is first.

mod command;
mod config;
mod machine;
#[cfg(test)]
mod machine_test;

pub(crate) use command::hash_tag;
pub use command::{Holder, LockCommand, LockKeys, LockReply};
pub(crate) use config::whole_millis;
pub use config::{AcquireOptions, ConfigError, LockConfig, LockOptions, MAX_LEASE, Terms};
pub use machine::{Grant, LockMachine, LockOutcome, LockRequest, LossReason};
