//! The keys of the user's own that a story tells of: those that excluded somebody or that expire.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use leasehold_fake_redis::{Entry, Value};

use super::words::word_of;
use crate::{
    history::Client,
    story::record::{Kept, Seen},
    world::Server,
};

/// Of more keys only the first are told of: a story that draws many shows nothing.
const MOST: usize = 6;

/// Keys that begin so are Leasehold's, beside those of its locks.
const OWN: &[u8] = b"leasehold:";

/// What was last seen of the keys that a story tells of.
#[derive(Debug, Default)]
pub(super) struct KeptKeys {
    /// Each, with what each server has under it.
    told: BTreeMap<Bytes, BTreeMap<u8, Kept>>,
    /// Keys that were asked for on the condition that nobody has them.
    exclusive: BTreeSet<Bytes>,
}

impl KeptKeys {
    /// A server has executed these commands.
    pub(super) fn hear(&mut self, commands: &[Vec<Bytes>]) {
        for words in commands {
            let is = |place: usize, what: &str| {
                words.get(place).is_some_and(|word| word.eq_ignore_ascii_case(what.as_bytes()))
            };
            let excludes =
                is(0, "SETNX") || (is(0, "SET") && (3..words.len()).any(|at| is(at, "NX")));
            if let Some(key) = words.get(1).filter(|_| excludes) {
                self.exclusive.insert(key.clone());
            }
        }
    }

    /// What server number `node` has at `now` otherwise than when it was last asked, by whose
    /// request, if by one.
    pub(super) fn changes(
        &mut self,
        (node, server): (u8, &Server),
        now: u64,
        by: Option<Client>,
    ) -> Vec<Seen> {
        let now_ms = server.wall(now) / 1_000;
        for (key, entry) in server.redis.keyspace.matching(now_ms, b"*") {
            let is_told = entry.expires_at_ms.is_some() || self.exclusive.contains(key);
            if is_told && self.told.len() < MOST && !key.starts_with(OWN) {
                self.told.entry(key.clone()).or_default();
            }
        }
        let mut changes = Vec::new();
        for (key, known) in &mut self.told {
            let entry = server.redis.keyspace.peek(now_ms, key);
            let kept = entry.map(|entry| Kept {
                value: value_of(entry),
                expires: entry.expires_at_ms.map_or(u64::MAX, |at_ms| server.truth(at_ms)),
            });
            if known.get(&node) == kept.as_ref() {
                continue;
            }
            match kept.clone() {
                Some(kept) => known.insert(node, kept),
                None => known.remove(&node),
            };
            let key = word_of(key);
            changes.push(Seen::Kept { node, by, key, now: kept });
        }
        changes
    }
}

fn value_of(entry: &Entry) -> String {
    match &entry.value {
        Value::String(bytes) => word_of(bytes),
        other => format!("a {}", other.type_name()),
    }
}
