//! Locks that are leases: held until released or until their time is up, whichever is first.

mod command;
mod config;
mod machine;
#[cfg(test)]
mod machine_test;

pub use command::{Holder, LockCommand, LockKeys, LockReply};
pub use config::{AcquireOptions, ConfigError, LockConfig, LockOptions, MAX_LEASE, Terms};
pub use machine::{Grant, LockMachine, LockOutcome, LockRequest, LossReason};

/// How often a release is sent before its outcome is left open.
const RELEASE_TRIES: u64 = 3;
