//! A guide, as pages of documentation: nothing here is code.
//!
//! * [`choose`]: which lock to take for what, what breaks it, and what it costs.
//! * [`migrate`]: from `@upstash/lock`, function by function, with both side by side.
//! * [`operate`]: what to monitor, how to set times, what to do at a failover.
//!
//! How to test your own code, and how the simulator works that found what is said here, is in the
//! [guide of `leasehold-sim`](https://docs.rs/leasehold-sim/latest/leasehold_sim/guide/).

#[doc = include_str!("guide/choose.md")]
pub mod choose {}

#[doc = include_str!("guide/migrate.md")]
pub mod migrate {}

#[doc = include_str!("guide/operate.md")]
pub mod operate {}
