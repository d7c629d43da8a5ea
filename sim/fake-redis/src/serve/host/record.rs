//! The last requests, for a test to look at.

use std::collections::VecDeque;

use bytes::Bytes;
use serde::Serialize;

use crate::serve::faults::{Request, Transport, told};

/// How many are remembered.
const REMEMBERED: usize = 1_000;

/// How many commands of a request are told.
const COMMANDS_TOLD: usize = 32;

/// A request that arrived.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Seen {
    /// Its number, from 1.
    pub id: u64,
    /// When, in milliseconds since the Unix epoch, by the server's clock.
    pub unix_ms: u64,
    /// By which way.
    pub transport: Transport,
    /// The address of the client.
    pub client: String,
    /// What it asked for, in order: the first 32 commands.
    pub commands: Vec<SeenCommand>,
}

/// A command, without the arguments that may be secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SeenCommand {
    /// Its name, in upper case.
    pub name: String,
    /// Its keys, at most 32.
    pub keys: Vec<String>,
}

/// The last thousand requests.
#[derive(Debug, Default)]
pub(super) struct Record {
    seen: VecDeque<Seen>,
    count: u64,
}

impl Record {
    pub(super) fn add(&mut self, request: &Request<'_>) {
        self.count += 1;
        if self.seen.len() == REMEMBERED {
            self.seen.pop_front();
        }
        self.seen.push_back(Seen {
            id: self.count,
            unix_ms: request.unix_ms,
            transport: request.transport,
            client: request.client.into(),
            commands: request
                .commands
                .iter()
                .take(COMMANDS_TOLD)
                .map(|command| SeenCommand::of(command))
                .collect(),
        });
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Seen> {
        self.seen.iter()
    }
}

impl SeenCommand {
    fn of(arguments: &[Bytes]) -> Self {
        let (name, keys) = told(arguments);
        Self { name, keys }
    }
}
