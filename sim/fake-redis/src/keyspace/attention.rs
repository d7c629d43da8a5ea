//! Who attends to single keys: watchers, for whom changes are counted, and those who wait.

use bytes::Bytes;

use super::{Keyspace, contains};

impl Keyspace {
    /// Begins to count the changes of `key` for one more watcher, and returns the count. An
    /// expired key is removed first, so that its end is not taken for a change.
    ///
    /// The price of a watch is paid by writes while any key is watched: one look-up each.
    pub(crate) fn watch(&mut self, now_ms: u64, key: &Bytes) -> u64 {
        if self.peek(now_ms, key).is_none() {
            self.take(key);
        }
        self.watched.add(key)
    }

    /// Whether `key` was changed, or has expired, since [`Self::watch`] returned `count`.
    pub(crate) fn is_touched(&self, now_ms: u64, key: &[u8], count: u64) -> bool {
        let expired = || contains(&self.slots, key) && self.peek(now_ms, key).is_none();
        self.watched.count(key) != Some(count) || expired()
    }

    /// Ends one watch of `key`.
    pub(crate) fn unwatch(&mut self, key: &[u8]) {
        self.watched.remove(key);
    }

    /// One more waits for `key`: from now on it is noted when the key comes, and if it waits in a
    /// group, also when it goes.
    pub(crate) fn await_key(&mut self, key: &Bytes, in_group: bool) {
        self.awaited.add(key, in_group);
    }

    /// One waits for `key` no more.
    pub(crate) fn stop_awaiting(&mut self, key: &[u8], in_group: bool) {
        self.awaited.remove(key, in_group);
    }

    /// Notes that there is something for those who wait for `key`, although it was there before.
    pub(crate) fn call(&mut self, key: &[u8]) {
        self.awaited.came(key);
    }

    /// The keys of which something was noted since the last time, first come first.
    pub(crate) fn take_called(&mut self) -> Vec<Bytes> {
        self.awaited.take_called()
    }
}
