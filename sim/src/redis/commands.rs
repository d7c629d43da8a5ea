//! The commands, one file per family: each ends in its table.
//!
//! To add a command, write a function and a row; to add a family, a file and a line here.

mod client;
mod connection;
mod hashes;
mod keys;
mod pubsub;
mod scripting;
mod server;
mod strings;

use super::command::Spec;

/// Every command of the server.
pub(super) const FAMILIES: &[&[Spec]] = &[
    client::COMMANDS,
    connection::COMMANDS,
    hashes::COMMANDS,
    keys::COMMANDS,
    pubsub::COMMANDS,
    scripting::COMMANDS,
    server::COMMANDS,
    strings::COMMANDS,
];
