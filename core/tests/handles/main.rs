//! The handles, from outside, and what they leave behind.

#![allow(clippy::unwrap_used, reason = "for tests only")]

mod blocking;
mod cancel;
mod conformance;
mod debounce;
mod embed_blocking;
mod handle;
mod hold;
mod lean;
mod lease;
mod messages;
mod network;
mod quorum;
mod tombstones;
mod wait;
