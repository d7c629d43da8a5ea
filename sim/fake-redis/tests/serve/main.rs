//! The fake Redis on sockets, asked over RESP and REST.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod admin;
mod busy;
mod faults;
mod holds;
mod locks;
mod pages;
mod resp;
mod resp_bad_clients;
mod resp_streams;
mod resp_support;
mod rest;
mod rest_events;
mod serve_support;
mod slow_readers;
mod snapshots;
