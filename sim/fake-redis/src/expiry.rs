//! Which keys may be due: a heap of (time, hash of the key), corrected lazily.
//!
//! A key that is prolonged keeps its old item, which comes up too early and is then put back under
//! the new time; a key that is removed leaves its item behind. So an item is a hint to look, and
//! the common write costs nothing here.

use std::{cmp::Reverse, collections::BinaryHeap};

/// The time of a key that never expires.
pub(super) const NEVER: u64 = u64::MAX;

#[derive(Clone, Debug, Default)]
pub(super) struct Expiries(BinaryHeap<Reverse<(u64, u64)>>);

impl Expiries {
    pub(super) fn push(&mut self, at_ms: u64, hash: u64) {
        self.0.push(Reverse((at_ms, hash)));
    }

    /// The earliest item, if its time is past at `now_ms`.
    pub(super) fn pop_before(&mut self, now_ms: u64) -> Option<(u64, u64)> {
        let Reverse((at_ms, _)) = self.0.peek()?;
        if *at_ms >= now_ms {
            return None;
        }
        self.0.pop().map(|Reverse(item)| item)
    }

    /// Whether more than half of the items must be left over from removed keys.
    pub(super) fn is_mostly_stale(&self, keys: usize) -> bool {
        self.0.len() > 2 * keys + 64
    }
}
