//! The simulated cluster: faults, guarantees, scenarios, and users' own code.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod cluster;
mod cluster_code;
mod cluster_hints;
mod cluster_proptest;
mod cluster_story;
mod cluster_topologies;
mod dropped;
mod effort;
mod faults;
mod guarantees;
mod handles;
mod own_redis;
mod promises;
mod readme;
mod scenarios;
mod stories;
