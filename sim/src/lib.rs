#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

pub mod campaign;
pub mod catalog;
pub mod claims;
pub mod cluster;
pub mod counterexamples;
pub mod decide;
mod executor;
pub mod explore;
pub mod faults;
pub mod guarantees;
pub mod guide;
pub mod history;
pub mod hunt;
pub mod mutants;
pub mod regressions;
pub mod run;
pub mod schedule;
pub mod story;
#[cfg(feature = "proptest")]
pub mod strategy;
pub mod systems;
pub mod words;
pub mod world;
