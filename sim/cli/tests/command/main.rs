//! The command `leasehold`, run as a person would.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod clients;
mod common;
#[path = "../../../tests/simulator/effort.rs"]
mod effort;
mod explore;
mod hunt;
mod hunt_clients;
mod json;
mod layers;
mod links;
mod mutants;
mod options;
mod pages;
mod regressions;
mod same;
mod serve;
#[cfg(target_os = "linux")]
mod serve_memory;
#[path = "../../../fake-redis/tests/serve/serve_support.rs"]
mod serve_support;
mod serve_web;
mod steering;
mod terminal;
mod wrong_use;

#[path = "../../../examples/forgotten_fence.rs"]
mod forgotten_fence;
