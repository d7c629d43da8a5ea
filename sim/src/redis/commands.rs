//! The commands, one file per family: each ends in its table.
//!
//! To add a command, write a function and a row; to add a family, a file and a line here.

mod draw;
mod hashes;
mod keys;
mod lists;
mod pubsub;
mod ranges;
mod scan;
mod scripting;
mod server;
mod sets;
mod sorted_sets;
mod streams;
mod strings;
mod table;

use super::command::Spec;

/// Every command of the server.
pub(super) const FAMILIES: &[&[Spec]] = &[
    hashes::COMMANDS,
    keys::COMMANDS,
    lists::COMMANDS,
    pubsub::COMMANDS,
    scripting::COMMANDS,
    server::COMMANDS,
    sets::COMMANDS,
    sorted_sets::COMMANDS,
    streams::COMMANDS,
    strings::COMMANDS,
    table::COMMANDS,
];
