//! The last requests, for a test to look at.

use std::collections::VecDeque;

use serde::Serialize;

use crate::{
    redis::Facts,
    serve::faults::{Request, Transport},
};

/// How many are remembered.
const REMEMBERED: usize = 1_000;

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
    /// What it asked for, in order.
    pub commands: Vec<SeenCommand>,
}

/// A command, without the arguments that may be secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SeenCommand {
    /// Its name, in upper case.
    pub name: String,
    /// Its keys.
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
            commands: request.commands.iter().map(|command| SeenCommand::of(command)).collect(),
        });
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Seen> {
        self.seen.iter()
    }
}

impl SeenCommand {
    fn of(arguments: &[bytes::Bytes]) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let keys = Facts::of(arguments).map(|facts| facts.keys).unwrap_or_default();
        Self {
            name: arguments.first().map(|name| text(name).to_uppercase()).unwrap_or_default(),
            keys: keys.iter().map(|key| text(key)).collect(),
        }
    }
}
