//! A request as the rules see it.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::When;
use crate::{Facts, glob_matches};

/// A way in which commands arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// The REST protocol: a request may hold several commands.
    Rest,
    /// The protocol of Redis: each command is a request.
    Resp,
}

/// What arrived.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// By which way.
    pub transport: Transport,
    /// The address of the client.
    pub client: &'a str,
    /// The number of its connection, from 1 in the order of connecting; 0 over REST.
    pub connection: u64,
    /// What the client calls its connection (`CLIENT SETNAME`); empty if nothing.
    pub name: &'a str,
    /// When, in milliseconds since the Unix epoch, by the server's clock.
    pub unix_ms: u64,
    /// Its commands, each beginning with its name.
    pub commands: &'a [&'a [Bytes]],
}

impl Request<'_> {
    /// Which of its commands a rule is about.
    pub(super) fn matching(&self, when: &When) -> Vec<usize> {
        if when.transport.is_some_and(|transport| transport != self.transport) {
            return Vec::new();
        }
        if when.connection.as_ref().is_some_and(|connection| !connection.sent(self)) {
            return Vec::new();
        }
        let matches = |index: &usize| is_about(when, self.commands[*index]);
        (0..self.commands.len()).filter(matches).collect()
    }
}

/// How many keys of a command are told.
pub(crate) const KEYS_TOLD: usize = 32;

/// How many bytes of a name or a key are told.
const BYTES_TOLD: usize = 256;

/// What is told of a name or a key: it is cut where a client might otherwise fill the memory.
pub(crate) fn cut(text: &[u8]) -> &[u8] {
    &text[..text.len().min(BYTES_TOLD)]
}

/// The name of a command in upper case, and its keys, for a report.
pub(crate) fn told(arguments: &[Bytes]) -> (String, Vec<String>) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(cut(bytes)).into_owned();
    let name = arguments.first().map(|name| text(name).to_uppercase()).unwrap_or_default();
    let keys = Facts::of(arguments).map(|facts| facts.keys).unwrap_or_default();
    (name, keys.iter().take(KEYS_TOLD).map(|key| text(key)).collect())
}

fn is_about(when: &When, arguments: &[Bytes]) -> bool {
    let Some(name) = arguments.first() else { return false };
    let named = |known: &String| known.as_bytes().eq_ignore_ascii_case(name);
    if !when.commands.is_empty() && !when.commands.iter().any(named) {
        return false;
    }
    let Some(facts) = Facts::of(arguments) else { return when.key.is_none() && !when.reads_only };
    let fits =
        |pattern: &String| facts.keys.iter().any(|key| glob_matches(pattern.as_bytes(), key));
    when.key.as_ref().is_none_or(fits) && (!when.reads_only || facts.reads)
}
