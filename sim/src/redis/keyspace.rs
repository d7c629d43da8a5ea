//! Keys, values and times to live, as one value that can be cloned, compared and hashed.

use std::{
    collections::BTreeMap,
    fmt,
    hash::{BuildHasher, Hash, Hasher},
    mem,
};

use bytes::Bytes;
use foldhash::quality::FixedState;
use hashbrown::{HashTable, hash_table};
use rustc_hash::FxHasher;

use super::expiry::{Expiries, NEVER};

/// What one key holds.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Entry {
    /// The data.
    pub value: Value,
    /// When the key is gone: once the server's clock is **past** this many milliseconds since the
    /// Unix epoch. At that very millisecond it is still there, with a `PTTL` of 0, as in Redis.
    pub expires_at_ms: Option<u64>,
}

/// The data under a key, by Redis type.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Value {
    /// `string`.
    String(Bytes),
    /// `hash`: never empty, as Redis removes what becomes empty.
    Hash(BTreeMap<Bytes, Bytes>),
}

/// The keys of one server.
///
/// Two keyspaces are equal, and hash alike, if the same keys hold the same entries, whatever
/// happened before. An expired key is invisible to [`Keyspace::peek`] and stays until
/// [`Keyspace::purge`] or a write removes it: reading never changes anything.
///
/// ```
/// use leasehold_sim::redis::{Entry, Keyspace, Value};
///
/// let mut keys = Keyspace::default();
/// let value = Value::String("token".into());
/// keys.set_entry("job".into(), Some(Entry { value, expires_at_ms: Some(5_000) }));
/// assert!(keys.peek(5_000, b"job").is_some());
/// assert!(keys.peek(5_001, b"job").is_none());
/// assert_eq!(keys.purge(5_001, usize::MAX), 1);
/// assert!(keys.is_empty());
/// ```
#[derive(Clone, Default)]
pub struct Keyspace {
    slots: HashTable<Slot>,
    expiries: Expiries,
    changes: Option<Vec<Change>>,
}

/// A key and what it holds now, `None` if it is gone.
pub type Change = (Bytes, Option<Entry>);

#[derive(Clone)]
struct Slot {
    key: Bytes,
    entry: Entry,
    /// The time under which [`Expiries`] knows the key: its expiry or earlier, or [`NEVER`].
    indexed_at_ms: u64,
}

impl Keyspace {
    /// What `key` holds, unless it has expired. Changes nothing.
    #[must_use]
    pub fn peek(&self, now_ms: u64, key: &[u8]) -> Option<&Entry> {
        let slot = self.slots.find(hash_of(key), |slot| slot.key == key)?;
        (!slot.entry.is_expired(now_ms)).then_some(&slot.entry)
    }

    /// Puts `entry` under `key`, or removes the key: what a replica does with a [`Change`].
    pub fn set_entry(&mut self, key: Bytes, entry: Option<Entry>) {
        if let Some(changes) = &mut self.changes {
            changes.push((key.clone(), entry.clone()));
        }
        let hash = hash_of(&key);
        let found = self.slots.entry(hash, |slot| slot.key == key, |slot| hash_of(&slot.key));
        match (found, entry) {
            (hash_table::Entry::Vacant(_), None) => {}
            (hash_table::Entry::Occupied(slot), None) => drop(slot.remove()),
            (hash_table::Entry::Occupied(mut slot), Some(entry)) => {
                slot.get_mut().entry = entry;
                self.expiries.note(hash, slot.get_mut());
            }
            (hash_table::Entry::Vacant(place), Some(entry)) => {
                let mut slot = place.insert(Slot { key, entry, indexed_at_ms: NEVER });
                self.expiries.note(hash, slot.get_mut());
            }
        }
        self.rebuild_expiries_if_stale();
    }

    /// Changes what `key` holds in place, unless it is absent or expired. A collection that
    /// `change` leaves empty is removed with its key.
    pub fn modify<R>(
        &mut self,
        now_ms: u64,
        key: &[u8],
        change: impl FnOnce(&mut Entry) -> R,
    ) -> Option<R> {
        let hash = hash_of(key);
        let mut found = self.slots.find_entry(hash, |slot| slot.key == key).ok()?;
        let slot = found.get_mut();
        if slot.entry.is_expired(now_ms) {
            return None;
        }
        let result = change(&mut slot.entry);
        if slot.entry.value.is_empty_collection() {
            let (slot, _) = found.remove();
            self.record(slot.key, None);
        } else {
            self.expiries.note(hash, slot);
            if let Some(changes) = &mut self.changes {
                changes.push((slot.key.clone(), Some(slot.entry.clone())));
            }
            self.rebuild_expiries_if_stale();
        }
        Some(result)
    }

    /// Removes `key`; whether it was there and alive.
    pub fn remove(&mut self, now_ms: u64, key: &[u8]) -> bool {
        let Ok(found) = self.slots.find_entry(hash_of(key), |slot| slot.key == key) else {
            return false;
        };
        let (slot, _) = found.remove();
        let alive = !slot.entry.is_expired(now_ms);
        self.record(slot.key, None);
        alive
    }

    /// Removes at most `at_most` expired keys, earliest first, and says how many. Costs a
    /// comparison if none is due.
    pub fn purge(&mut self, now_ms: u64, at_most: usize) -> usize {
        let mut removed = 0;
        while removed < at_most
            && let Some((due_ms, hash)) = self.expiries.pop_before(now_ms)
        {
            let is_due = |slot: &Slot| slot.indexed_at_ms == due_ms && hash_of(&slot.key) == hash;
            let Ok(mut found) = self.slots.find_entry(hash, is_due) else {
                continue;
            };
            if found.get().entry.is_expired(now_ms) {
                let (slot, _) = found.remove();
                self.record(slot.key, None);
                removed += 1;
            } else {
                // It was prolonged or made to stay since it was indexed.
                found.get_mut().indexed_at_ms = NEVER;
                self.expiries.note(hash, found.get_mut());
            }
        }
        removed
    }

    /// All keys in byte order, also those that have expired and are not yet purged. Sorts them:
    /// not for a hot path.
    pub fn iter(&self) -> impl Iterator<Item = (&Bytes, &Entry)> {
        let mut entries: Vec<_> = self.slots.iter().map(|slot| (&slot.key, &slot.entry)).collect();
        entries.sort_unstable_by_key(|(key, _)| *key);
        entries.into_iter()
    }

    /// How many keys there are, also those that have expired and are not yet purged.
    #[must_use]
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether there is no key at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Removes every key.
    pub fn clear(&mut self) {
        if self.changes.is_some() {
            let keys: Vec<_> = self.iter().map(|(key, _)| key.clone()).collect();
            keys.into_iter().for_each(|key| self.record(key, None));
        }
        self.slots.clear();
        self.expiries = Expiries::default();
    }

    /// Starts or stops to collect changes; what was collected and not taken is dropped.
    pub fn watch_changes(&mut self, watch: bool) {
        self.changes = watch.then(Vec::new);
    }

    /// The changes since the last call, in order: what a primary sends to its replicas. Purged
    /// keys are among them.
    pub fn take_changes(&mut self) -> Vec<Change> {
        self.changes.as_mut().map(mem::take).unwrap_or_default()
    }

    fn record(&mut self, key: Bytes, entry: Option<Entry>) {
        if let Some(changes) = &mut self.changes {
            changes.push((key, entry));
        }
    }

    fn rebuild_expiries_if_stale(&mut self) {
        if self.expiries.is_mostly_stale(self.slots.len()) {
            self.expiries = Expiries::default();
            for slot in &mut self.slots {
                slot.indexed_at_ms = NEVER;
                self.expiries.note(hash_of(&slot.key), slot);
            }
        }
    }
}

impl Expiries {
    /// Makes sure that the slot comes up at its expiry or before.
    fn note(&mut self, hash: u64, slot: &mut Slot) {
        if let Some(at_ms) = slot.entry.expires_at_ms
            && at_ms < slot.indexed_at_ms
        {
            slot.indexed_at_ms = at_ms;
            self.push(at_ms, hash);
        }
    }
}

impl Entry {
    /// A string that never expires.
    #[must_use]
    pub fn string(value: impl Into<Bytes>) -> Self {
        Self { value: Value::String(value.into()), expires_at_ms: None }
    }

    /// Whether the key is gone at `now_ms`.
    #[must_use]
    pub fn is_expired(&self, now_ms: u64) -> bool {
        self.expires_at_ms.is_some_and(|at_ms| now_ms > at_ms)
    }

    /// Milliseconds until the key expires; `None` if it never does.
    #[must_use]
    pub fn remaining_ms(&self, now_ms: u64) -> Option<u64> {
        self.expires_at_ms.map(|at_ms| at_ms.saturating_sub(now_ms))
    }
}

impl Value {
    fn is_empty_collection(&self) -> bool {
        match self {
            Self::String(_) => false,
            Self::Hash(fields) => fields.is_empty(),
        }
    }
}

/// The same in every process, unlike the standard library's.
fn hash_of(key: &[u8]) -> u64 {
    let mut hasher = FxHasher::default();
    hasher.write(key);
    hasher.finish()
}

impl PartialEq for Keyspace {
    fn eq(&self, other: &Self) -> bool {
        let same = |slot: &Slot| {
            let found = other.slots.find(hash_of(&slot.key), |theirs| theirs.key == slot.key);
            found.is_some_and(|theirs| theirs.entry == slot.entry)
        };
        self.len() == other.len() && self.slots.iter().all(same)
    }
}

impl Eq for Keyspace {}

impl Hash for Keyspace {
    /// A sum over the entries, as their order in the table says nothing. Of hashes that are not
    /// linear: else one key that lives longer and another that lives shorter would cancel out.
    fn hash<H: Hasher>(&self, state: &mut H) {
        let of_slot = |slot: &Slot| FixedState::default().hash_one((&slot.key, &slot.entry));
        state.write_usize(self.len());
        state.write_u64(self.slots.iter().map(of_slot).fold(0, u64::wrapping_add));
    }
}

impl fmt::Debug for Keyspace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}
