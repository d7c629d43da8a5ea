//! The commands, one file per family: each ends in its table.
//!
//! To add a command, write a function and a row; to add a family, a file and a line here.

mod acl;
mod client;
mod cluster;
mod config;
mod connection;
mod debug;
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

use super::command::Spec;

/// Every command of the server.
pub(super) const FAMILIES: &[&[Spec]] = &[
    acl::COMMANDS,
    client::COMMANDS,
    cluster::COMMANDS,
    config::COMMANDS,
    connection::COMMANDS,
    debug::COMMANDS,
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
