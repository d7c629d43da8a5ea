//! The order in which `SCAN` lists keys: that of their hashes, kept from the first scan on.

use std::collections::BTreeSet;

/// How many low bits of a hash no cursor shows. Clients in JavaScript read a cursor as a number of
/// 53 bits.
const HIDDEN_BITS: u32 = 12;

/// The place of a hash in the order, as a cursor shows it.
pub(super) fn place_of(hash: u64) -> u64 {
    hash >> HIDDEN_BITS
}

/// The hashes of all keys, sorted; nothing until somebody asks.
#[derive(Clone, Debug, Default)]
pub(super) struct Order(Option<BTreeSet<u64>>);

impl Order {
    pub(super) fn is_kept(&self) -> bool {
        self.0.is_some()
    }

    pub(super) fn add(&mut self, hash: u64) {
        if let Some(hashes) = &mut self.0 {
            hashes.insert(hash);
        }
    }

    /// Called once no other key has this hash.
    pub(super) fn remove(&mut self, hash: u64) {
        if let Some(hashes) = &mut self.0 {
            hashes.remove(&hash);
        }
    }

    /// At least `count` hashes from `cursor` on, and the next cursor. `all` are the hashes of all
    /// keys, read if none were kept so far.
    pub(super) fn from(
        &mut self,
        cursor: u64,
        count: usize,
        all: impl Iterator<Item = u64>,
    ) -> (u64, Vec<u64>) {
        let sorted = self.0.get_or_insert_with(|| all.collect());
        let Some(begin) = cursor.checked_mul(1 << HIDDEN_BITS) else { return (0, Vec::new()) };
        let mut hashes = Vec::with_capacity(count.min(sorted.len()));
        for &hash in sorted.range(begin..) {
            let place = place_of(hash);
            let with_last = hashes.last().is_some_and(|last| place_of(*last) == place);
            if hashes.len() >= count && !with_last {
                return (place, hashes);
            }
            hashes.push(hash);
        }
        (0, hashes)
    }

    /// The first hash from this one on, or the first of all.
    pub(super) fn near(&mut self, hash: u64, all: impl Iterator<Item = u64>) -> Option<u64> {
        let sorted = self.0.get_or_insert_with(|| all.collect());
        sorted.range(hash..).next().or_else(|| sorted.first()).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_that_a_cursor_cannot_tell_apart_come_together() {
        let all = [1, 2, 3, 5_000, 9_000];
        let mut order = Order::default();
        assert_eq!(order.from(0, 1, all.into_iter()), (1, vec![1, 2, 3]));
        order.remove(5_000);
        order.add(8_000);
        assert_eq!(order.from(1, 1, all.into_iter()), (2, vec![8_000]));
        assert_eq!(order.from(2, 1, all.into_iter()), (0, vec![9_000]));
        assert_eq!(order.from(u64::MAX, 1, all.into_iter()), (0, vec![]));
    }
}
