//! Keys, values and times to live, as one value that can be cloned, compared and hashed.
//!
//! A key costs about 220 bytes with its entry: slots are boxed, so that the table's spare places
//! are small, and a key is copied when it first comes, so that it never holds on to the buffer in
//! which it was received. Values are copied by whoever makes them: see
//! [`owned`](super::command::owned).

mod attention;
mod awaited;
mod order;
mod past;
#[cfg(test)]
mod tests;
mod usage;
mod watched;

use std::{
    convert::Infallible,
    fmt,
    hash::{BuildHasher, Hash, Hasher},
    mem,
};

use bytes::Bytes;
use foldhash::quality::FixedState;
use hashbrown::{HashTable, hash_table};
use rustc_hash::FxHasher;

use super::{
    Value,
    expiry::{Expiries, NEVER},
    glob::matches,
    value::Aside,
};
use awaited::Awaited;
use order::Order;
pub(crate) use past::Past;
pub use past::Reached;
pub(crate) use past::copy;
pub(super) use usage::Usage;
use watched::Watched;

/// What one key holds.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Entry {
    /// The data.
    pub value: Value,
    /// When the key is gone: once the server's clock is **past** this many milliseconds since the
    /// Unix epoch. At that very millisecond it is still there, with a `PTTL` of 0, as in Redis.
    pub expires_at_ms: Option<u64>,
}

/// The keys of one server.
///
/// Two keyspaces are equal, and hash alike, if the same keys hold the same entries, whatever
/// happened before. An expired key is invisible to [`Keyspace::peek`] and stays until
/// [`Keyspace::purge`] or a write removes it: reading never changes anything.
///
/// ```
/// use leasehold_fake_redis::{Entry, Keyspace, Value};
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
    slots: HashTable<Box<Slot>>,
    expiries: Expiries,
    changes: Option<Vec<Change>>,
    watched: Watched,
    awaited: Awaited,
    order: Order,
    /// Follows the selected database of a server.
    pub(crate) past: Aside<Box<Past>>,
}

/// A key and what it holds now, `None` if it is gone.
pub type Change = (Bytes, Option<Entry>);

#[derive(Clone)]
struct Slot {
    key: Bytes,
    entry: Entry,
    /// The time under which [`Expiries`] knows the key: its expiry or earlier, or [`NEVER`].
    indexed_at_ms: u64,
    usage: Usage,
}

impl Keyspace {
    /// What `key` holds, unless it has expired. Changes nothing.
    #[must_use]
    pub fn peek(&self, now_ms: u64, key: &[u8]) -> Option<&Entry> {
        let slot = self.slots.find(hash_of(key), |slot| slot.key == key)?;
        (!slot.entry.is_expired(now_ms)).then_some(&slot.entry)
    }

    /// Puts `entry` under `key`, or removes the key: what a replica does with a [`Change`]. A key
    /// that is new is copied.
    pub fn set_entry(&mut self, key: Bytes, entry: Option<Entry>) {
        let Some(entry) = entry else {
            self.take(&key);
            return;
        };
        self.watched.touch(&key);
        if let Some(changes) = &mut self.changes {
            changes.push((Bytes::copy_from_slice(&key), Some(entry.clone())));
        }
        let hash = hash_of(&key);
        match self.slots.entry(hash, |slot| slot.key == key, |slot| hash_of(&slot.key)) {
            hash_table::Entry::Occupied(mut slot) => {
                let was = mem::replace(&mut slot.get_mut().entry, entry);
                if let Some(past) = &mut self.past.0 {
                    past.note_whole(&slot.get().key, was);
                }
                self.awaited.went(&key);
                self.expiries.note(hash, slot.get_mut());
            }
            hash_table::Entry::Vacant(place) => {
                let key = Bytes::copy_from_slice(&key);
                self.awaited.came(&key);
                if let Some(past) = &mut self.past.0 {
                    past.note_absent(&key);
                }
                let slot =
                    Box::new(Slot { key, entry, indexed_at_ms: NEVER, usage: Usage::default() });
                self.expiries.note(hash, place.insert(slot).get_mut());
                self.order.add(hash);
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
        let result = self.modify_unnoticed(now_ms, key, change)?;
        self.watched.touch(key);
        Some(result)
    }

    /// The same, if `change` accepts. If it refuses, nothing has happened.
    pub(super) fn try_modify<R, E>(
        &mut self,
        now_ms: u64,
        key: &[u8],
        change: impl FnOnce(&mut Entry) -> Result<R, E>,
    ) -> Option<Result<R, E>> {
        let result = self.try_modify_unnoticed(now_ms, key, change)?;
        if result.is_ok() {
            self.watched.touch(key);
        }
        Some(result)
    }

    /// As [`Keyspace::modify`], but whoever watches the key takes no notice.
    pub(super) fn modify_unnoticed<R>(
        &mut self,
        now_ms: u64,
        key: &[u8],
        change: impl FnOnce(&mut Entry) -> R,
    ) -> Option<R> {
        let accepted = |entry: &mut Entry| Ok::<R, Infallible>(change(entry));
        let Ok(result) = self.try_modify_unnoticed(now_ms, key, accepted)?;
        Some(result)
    }

    fn try_modify_unnoticed<R, E>(
        &mut self,
        now_ms: u64,
        key: &[u8],
        change: impl FnOnce(&mut Entry) -> Result<R, E>,
    ) -> Option<Result<R, E>> {
        let hash = hash_of(key);
        let slot = self.slots.find_mut(hash, |slot| slot.key == key)?;
        if slot.entry.is_expired(now_ms) {
            return None;
        }
        let result = match &mut self.past.0 {
            Some(past) => noted(past, slot, change),
            None => change(&mut slot.entry),
        };
        if result.is_err() {
            return Some(result);
        }
        if slot.entry.value.is_empty_collection() {
            self.take(key);
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
        self.take(key).is_some_and(|entry| !entry.is_expired(now_ms))
    }

    /// Removes `key` with what it holds, also if it has expired.
    pub(super) fn take(&mut self, key: &[u8]) -> Option<Entry> {
        self.take_where(hash_of(key), |slot| slot.key == key)
    }

    fn take_where(&mut self, hash: u64, is_it: impl Fn(&Slot) -> bool) -> Option<Entry> {
        let found = self.slots.find_entry(hash, |slot| is_it(slot)).ok()?;
        let (slot, _) = found.remove();
        let Slot { key, entry, .. } = *slot;
        if self.order.is_kept()
            && !self.slots.iter_hash(hash).any(|slot| hash_of(&slot.key) == hash)
        {
            self.order.remove(hash);
        }
        self.watched.touch(&key);
        self.awaited.went(&key);
        if let Some(past) = &mut self.past.0 {
            past.note_whole(&key, entry.clone());
        }
        self.record(key, None);
        Some(entry)
    }

    /// Removes at most `at_most` expired keys, earliest first, and says how many. Costs a
    /// comparison if none is due.
    pub fn purge(&mut self, now_ms: u64, at_most: usize) -> usize {
        self.purge_noting(now_ms, at_most, |_, _| {})
    }

    /// The same, and tells `note` what is removed.
    pub(super) fn purge_noting(
        &mut self,
        now_ms: u64,
        at_most: usize,
        mut note: impl FnMut(&Bytes, &Entry),
    ) -> usize {
        let mut removed = 0;
        while removed < at_most
            && let Some((due_ms, hash)) = self.expiries.pop_before(now_ms)
        {
            let is_due = |slot: &Slot| slot.indexed_at_ms == due_ms && hash_of(&slot.key) == hash;
            let Some(slot) = self.slots.find_mut(hash, |slot| is_due(slot)) else {
                continue;
            };
            if slot.entry.is_expired(now_ms) {
                note(&slot.key, &slot.entry);
                self.take_where(hash, is_due);
                removed += 1;
            } else {
                // It was prolonged or made to stay since it was indexed.
                slot.indexed_at_ms = NEVER;
                self.expiries.note(hash, slot);
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

    /// The keys that match a glob, as `KEYS` has it, and have not expired, in the order of their
    /// names. Looks at each.
    pub fn matching(&self, now_ms: u64, pattern: &[u8]) -> impl Iterator<Item = (&Bytes, &Entry)> {
        let live = self.iter().filter(move |(_, entry)| !entry.is_expired(now_ms));
        live.filter(move |(key, _)| matches(pattern, key))
    }

    /// How many keys there are, also those that have expired and are not yet purged.
    #[must_use]
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// How many of them have a time to live. Looks at each.
    pub(super) fn expiring(&self) -> usize {
        self.slots.iter().filter(|slot| slot.entry.expires_at_ms.is_some()).count()
    }

    /// Whether there is no key at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Removes every key.
    pub fn clear(&mut self) {
        self.watched.touch_all(|key| contains(&self.slots, key));
        self.awaited.exchanged(|_| false, |key| contains(&self.slots, key));
        if self.changes.is_some() {
            let keys: Vec<_> = self.iter().map(|(key, _)| key.clone()).collect();
            keys.into_iter().for_each(|key| self.record(key, None));
        }
        match &mut self.past.0 {
            Some(past) => {
                self.slots.drain().for_each(|slot| past.note_whole(&slot.key, slot.entry));
            }
            None => self.slots.clear(),
        }
        self.slots.shrink_to(0, |slot| hash_of(&slot.key));
        self.expiries = Expiries::default();
        self.order = Order::default();
    }

    /// Exchanges the keys of two databases. A key is watched by its database and its name, so the
    /// watchers stay where they are.
    pub(super) fn swap_keys(&mut self, other: &mut Self) {
        let mine = |key: &[u8]| contains(&self.slots, key);
        let theirs = |key: &[u8]| contains(&other.slots, key);
        self.watched.touch_all(|key| mine(key) || theirs(key));
        other.watched.touch_all(|key| mine(key) || theirs(key));
        self.awaited.exchanged(theirs, mine);
        other.awaited.exchanged(mine, theirs);
        self.record_exchange(other);
        other.record_exchange(self);
        mem::swap(&mut self.slots, &mut other.slots);
        mem::swap(&mut self.expiries, &mut other.expiries);
        mem::swap(&mut self.order, &mut other.order);
    }

    /// Tells a replica that the keys of `other` take the place of these.
    fn record_exchange(&mut self, other: &Self) {
        if let Some(changes) = &mut self.changes {
            changes.extend(self.slots.iter().map(|slot| (slot.key.clone(), None)));
            let theirs = other.slots.iter();
            changes.extend(theirs.map(|slot| (slot.key.clone(), Some(slot.entry.clone()))));
        }
    }

    /// At least `count` keys from `cursor` on, also expired ones, and the cursor from which to go
    /// on; 0 is the begin and the end.
    ///
    /// Keys come in the order of the upper 52 bits of their hashes, which are the cursor: so a key
    /// that stays is listed exactly once, whatever comes and goes meanwhile. Keys with equal bits
    /// come together. The first call sorts all hashes; from then on writes keep them sorted.
    pub(super) fn scan(&mut self, cursor: u64, count: usize) -> (u64, Vec<&Bytes>) {
        let hashes = self.slots.iter().map(|slot| hash_of(&slot.key));
        let (next, hashes) = self.order.from(cursor, count, hashes);
        let slots = &self.slots;
        let same = |hash: u64| slots.iter_hash(hash).filter(move |slot| hash_of(&slot.key) == hash);
        (next, hashes.into_iter().flat_map(same).map(|slot| &slot.key).collect())
    }

    /// The key that is first in the order of [`Self::scan`] from this hash on, or first of all.
    pub(super) fn near(&mut self, hash: u64) -> Option<&Bytes> {
        let hashes = self.slots.iter().map(|slot| hash_of(&slot.key));
        let found = self.order.near(hash, hashes)?;
        self.slots.find(found, |slot| hash_of(&slot.key) == found).map(|slot| &slot.key)
    }

    /// Whether changes are collected.
    pub(super) fn is_recorded(&self) -> bool {
        self.changes.is_some()
    }

    /// Whether nothing would be lost with it.
    pub(super) fn is_blank(&self) -> bool {
        let told = self.changes.as_ref().is_none_or(Vec::is_empty);
        self.slots.is_empty() && self.watched.is_empty() && self.awaited.is_empty() && told
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
                let hash = hash_of(&slot.key);
                self.expiries.note(hash, slot);
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
    pub(crate) fn is_expired(&self, now_ms: u64) -> bool {
        self.expires_at_ms.is_some_and(|at_ms| now_ms > at_ms)
    }

    /// Milliseconds until the key expires; `None` if it never does.
    #[must_use]
    pub fn remaining_ms(&self, now_ms: u64) -> Option<u64> {
        self.expires_at_ms.map(|at_ms| at_ms.saturating_sub(now_ms))
    }
}

/// Changes what a slot holds, and notes how.
fn noted<R, E>(
    past: &mut Past,
    slot: &mut Slot,
    change: impl FnOnce(&mut Entry) -> Result<R, E>,
) -> Result<R, E> {
    let expires_at_ms = slot.entry.expires_at_ms;
    let before = past.begin(&mut slot.entry.value);
    let result = change(&mut slot.entry);
    past.end(&slot.key, &mut slot.entry, expires_at_ms, before);
    result
}

/// The same in every process, unlike the standard library's.
fn hash_of(key: &[u8]) -> u64 {
    let mut hasher = FxHasher::default();
    hasher.write(key);
    hasher.finish()
}

/// The place of a name in the order of `SCAN` and its like: never above 2^52.
pub(super) fn place_of(name: &[u8]) -> u64 {
    order::place_of(hash_of(name))
}

fn contains(slots: &HashTable<Box<Slot>>, key: &[u8]) -> bool {
    slots.find(hash_of(key), |slot| slot.key == key).is_some()
}

impl PartialEq for Keyspace {
    fn eq(&self, other: &Self) -> bool {
        let same = |slot: &Slot| {
            let found = other.slots.find(hash_of(&slot.key), |theirs| theirs.key == slot.key);
            found.is_some_and(|theirs| theirs.entry == slot.entry)
        };
        self.len() == other.len() && self.slots.iter().all(|slot| same(slot))
    }
}

impl Eq for Keyspace {}

impl Hash for Keyspace {
    /// A sum over the entries, as their order in the table says nothing. Of hashes that are not
    /// linear: else one key that lives longer and another that lives shorter would cancel out.
    fn hash<H: Hasher>(&self, state: &mut H) {
        let of_slot = |slot: &Slot| FixedState::default().hash_one((&slot.key, &slot.entry));
        state.write_usize(self.len());
        state.write_u64(self.slots.iter().map(|slot| of_slot(slot)).fold(0, u64::wrapping_add));
    }
}

impl fmt::Debug for Keyspace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}
