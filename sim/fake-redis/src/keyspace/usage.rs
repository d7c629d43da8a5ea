//! When keys were last used, and how often: kept by a server, as `OBJECT` and eviction ask for it.

use bytes::Bytes;

use super::{Entry, Keyspace, Slot, hash_of};

/// What is known of the use of a key. No part of what makes two keyspaces equal.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Usage {
    /// In seconds since the Unix epoch; 0 if nobody has noted any use.
    pub(crate) used_s: u32,
    /// A counter that grows ever more slowly, and decays.
    pub(crate) uses: u8,
}

impl Keyspace {
    /// What is kept under `key`, also if it has expired.
    pub(crate) fn held(&self, key: &[u8]) -> Option<&Entry> {
        self.slot(key).map(|slot| &slot.entry)
    }

    /// When and how often `key` was used.
    pub(crate) fn usage(&self, key: &[u8]) -> Option<Usage> {
        self.slot(key).map(|slot| slot.usage)
    }

    /// The same, to be changed, unless the key is absent or has expired.
    pub(crate) fn usage_mut(&mut self, now_ms: u64, key: &[u8]) -> Option<&mut Usage> {
        let slot = self.slots.find_mut(hash_of(key), |slot| slot.key == key)?;
        (!slot.entry.is_expired(now_ms)).then_some(&mut slot.usage)
    }

    /// The sum of a number of each key.
    pub(crate) fn sum_of(&self, number: impl Fn(&[u8], &Entry) -> u64) -> u64 {
        self.slots.iter().map(|slot| number(&slot.key, &slot.entry)).sum()
    }

    /// Every key, or every one that expires, with its rank.
    pub(crate) fn ranked(
        &self,
        volatile: bool,
        rank: &impl Fn(u32, u8, &Entry) -> u64,
    ) -> Vec<(u64, Bytes)> {
        self.slots.iter().filter_map(|slot| slot.ranked(volatile, rank)).collect()
    }

    /// The same of one key.
    pub(crate) fn ranked_one(
        &self,
        key: &[u8],
        volatile: bool,
        rank: &impl Fn(u32, u8, &Entry) -> u64,
    ) -> Option<(u64, Bytes)> {
        self.slot(key)?.ranked(volatile, rank)
    }

    fn slot(&self, key: &[u8]) -> Option<&Slot> {
        Some(&**self.slots.find(hash_of(key), |slot| slot.key == key)?)
    }
}

impl Slot {
    fn ranked(
        &self,
        volatile: bool,
        rank: &impl Fn(u32, u8, &Entry) -> u64,
    ) -> Option<(u64, Bytes)> {
        let may_go = !volatile || self.entry.expires_at_ms.is_some();
        let Usage { used_s, uses } = self.usage;
        may_go.then(|| (rank(used_s, uses, &self.entry), self.key.clone()))
    }
}
