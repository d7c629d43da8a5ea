//! The simulated cluster: faults, guarantees, scenarios, and users' own code.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod cluster;
mod cluster_code;
mod cluster_hints;
mod cluster_proptest;
mod cluster_story;
mod cluster_topologies;
mod dropped;
mod faults;
mod guarantees;
mod handles;
mod own_redis;
mod promises;
mod readme;
mod scenarios;
mod stories;

/// So many schedules of a slow test, or the percentage of them that `LEASEHOLD_EFFORT` says: the
/// gate of a change does less, a nightly run more.
fn effort(schedules: u32) -> u32 {
    let percent = std::env::var("LEASEHOLD_EFFORT").map_or(100, |text| text.parse().unwrap());
    (schedules * percent / 100).max(1)
}
