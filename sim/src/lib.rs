#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![deny(missing_docs)]
// Modules that are not shown are for the command `leasehold` alone: any release may change them.

pub mod campaign;
pub mod catalog;
#[doc(hidden)]
pub mod claims;
pub mod cluster;
#[doc(hidden)]
pub mod counterexamples;
pub mod decide;
mod executor;
pub mod explore;
pub mod faults;
pub mod guarantees;
pub mod guide;
pub mod history;
#[doc(hidden)]
pub mod hunt;
#[doc(hidden)]
pub mod mutants;
pub mod regressions;
pub mod run;
pub mod schedule;
#[doc(hidden)]
pub mod story;
#[cfg(feature = "proptest")]
pub mod strategy;
pub mod systems;
#[doc(hidden)]
pub mod words;
pub mod world;
