//! The simulated cluster: faults, guarantees, scenarios, and users' own code.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod cluster;
mod cluster_code;
mod cluster_proptest;
mod faults;
mod guarantees;
mod promises;
mod readme;
mod scenarios;
