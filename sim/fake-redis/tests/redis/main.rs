//! The fake Redis as a value: commands, scripts, sessions and clients in process.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod client;
mod commands;
mod conformance;
mod events;
mod extreme_words;
mod extremes;
mod faults;
mod fenced_set;
mod hashes;
mod keys;
mod keyspace;
mod limits;
mod lists;
mod others_suites;
mod past;
mod redis_support;
mod scripting;
mod scripting_flags;
mod scripting_json;
mod scripting_libraries;
mod scripting_sandbox;
mod scripting_support;
mod scripting_text;
mod scripting_values;
mod sessions;
mod sessions_shards;
mod sessions_streams;
mod sessions_support;
mod sessions_waiting;
mod sets;
mod settings;
mod sorted_sets;
mod sorting;
mod streams;
mod strings;
mod table;
mod upkeep;
mod users;
