//! Which keys somebody watches, and how often each was changed meanwhile.

use std::collections::BTreeMap;

use bytes::Bytes;

/// The watched keys. Costs a look at a length while there are none.
#[derive(Clone, Debug, Default)]
pub(super) struct Watched {
    keys: BTreeMap<Bytes, Watch>,
    /// Over all keys and never set back, so that no count is used twice for a key.
    changes: u64,
}

#[derive(Clone, Copy, Debug)]
struct Watch {
    watchers: usize,
    /// [`Watched::changes`] after the last change.
    count: u64,
}

impl Watched {
    pub(super) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// One more watcher of `key`; the count of its changes.
    pub(super) fn add(&mut self, key: &Bytes) -> u64 {
        let count = self.changes;
        let key = Bytes::copy_from_slice(key);
        let watch = self.keys.entry(key).or_insert(Watch { watchers: 0, count });
        watch.watchers += 1;
        watch.count
    }

    pub(super) fn remove(&mut self, key: &[u8]) {
        if let Some(watch) = self.keys.get_mut(key) {
            watch.watchers -= 1;
            if watch.watchers == 0 {
                self.keys.remove(key);
            }
        }
    }

    pub(super) fn count(&self, key: &[u8]) -> Option<u64> {
        self.keys.get(key).map(|watch| watch.count)
    }

    pub(super) fn touch(&mut self, key: &[u8]) {
        if !self.keys.is_empty()
            && let Some(watch) = self.keys.get_mut(key)
        {
            self.changes += 1;
            watch.count = self.changes;
        }
    }

    /// Touches every watched key that is `affected`.
    pub(super) fn touch_all(&mut self, affected: impl Fn(&[u8]) -> bool) {
        for (key, watch) in &mut self.keys {
            if affected(key) {
                self.changes += 1;
                watch.count = self.changes;
            }
        }
    }
}
