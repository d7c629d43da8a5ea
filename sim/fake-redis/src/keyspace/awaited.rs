//! Which keys sessions wait for, and to which of these something happened since the last look.

use std::collections::BTreeMap;

use bytes::Bytes;

/// The keys that are waited for. Costs a look at a length while there are none.
#[derive(Clone, Debug, Default)]
pub(super) struct Awaited {
    keys: BTreeMap<Bytes, Waiters>,
    /// First come first, each once.
    called: Vec<Bytes>,
}

/// How many wait for a key.
#[derive(Clone, Copy, Debug, Default)]
struct Waiters {
    all: usize,
    /// Those who wait as part of a group, and not without it.
    in_groups: usize,
}

impl Awaited {
    pub(super) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    pub(super) fn add(&mut self, key: &Bytes, in_group: bool) {
        let waiters = self.keys.entry(Bytes::copy_from_slice(key)).or_default();
        waiters.all += 1;
        waiters.in_groups += usize::from(in_group);
    }

    pub(super) fn remove(&mut self, key: &[u8], in_group: bool) {
        if let Some(waiters) = self.keys.get_mut(key) {
            waiters.all -= 1;
            waiters.in_groups -= usize::from(in_group);
            if waiters.all == 0 {
                self.keys.remove(key);
            }
        }
    }

    /// The key has come, or has something new.
    pub(super) fn came(&mut self, key: &[u8]) {
        self.call(key, |_| true);
    }

    /// The key has gone, or holds something else altogether: news for groups only.
    pub(super) fn went(&mut self, key: &[u8]) {
        self.call(key, |waiters| waiters.in_groups > 0);
    }

    fn call(&mut self, key: &[u8], concerns: impl Fn(&Waiters) -> bool) {
        if !self.keys.is_empty()
            && let Some((key, waiters)) = self.keys.get_key_value(key)
            && concerns(waiters)
            && !self.called.contains(key)
        {
            self.called.push(key.clone());
        }
    }

    /// Many keys have changed: what is there now, and what was there before.
    pub(super) fn exchanged(&mut self, is: impl Fn(&[u8]) -> bool, was: impl Fn(&[u8]) -> bool) {
        for key in self.keys.keys().cloned().collect::<Vec<_>>() {
            if is(&key) {
                self.came(&key);
            } else if was(&key) {
                self.went(&key);
            }
        }
    }

    /// The keys to which something happened since the last time.
    pub(super) fn take_called(&mut self) -> Vec<Bytes> {
        std::mem::take(&mut self.called)
    }
}
