//! The commands, one file per family: each ends in its table.
//!
//! To add a command, write a function and a row; to add a family, a file and a line here.

mod client;
mod config;
mod connection;
mod draw;
mod hashes;
mod info;
mod inspection;
mod keys;
mod lists;
mod operations;
mod pubsub;
mod ranges;
mod scan;
mod scripting;
mod server;
mod sets;
mod sorted_sets;
mod sorting;
mod streams;
mod strings;
mod table;
mod transactions;

pub(super) use scripting::script_says_it_writes;

use super::command::Spec;

/// Every command of the server.
pub(super) const FAMILIES: &[&[Spec]] = &[
    client::COMMANDS,
    config::COMMANDS,
    connection::COMMANDS,
    hashes::COMMANDS,
    info::COMMANDS,
    inspection::COMMANDS,
    keys::COMMANDS,
    lists::COMMANDS,
    operations::COMMANDS,
    pubsub::COMMANDS,
    scripting::COMMANDS,
    server::COMMANDS,
    sets::COMMANDS,
    sorted_sets::COMMANDS,
    sorting::COMMANDS,
    streams::COMMANDS,
    strings::COMMANDS,
    table::COMMANDS,
    transactions::COMMANDS,
];
