//! Whether the next call may go on with the series of the last one's tokens.
//!
//! A mark stands for every token of a series up to a number, and remembers how the last release
//! ended. While a lease may still send its release, another call in its series could write over
//! that memory; once it cannot, going on means one mark for a handle instead of one for each call.

use alloc::sync::Arc;
use core::sync::atomic::{AtomicUsize, Ordering};

/// A handle's side: the leases that it has given out.
#[derive(Debug, Default)]
pub(super) struct Series {
    lent: usize,
    ended: Arc<AtomicUsize>,
}

impl Series {
    /// For a new lease.
    pub(super) fn lend(&mut self) -> Receipt {
        self.lent += 1;
        Receipt { number: self.lent, ended: self.ended.clone(), unattended: false }
    }

    /// Whether the newest lease sends nothing more.
    pub(super) fn is_back(&self) -> bool {
        self.lent > 0 && self.ended.load(Ordering::Acquire) == self.lent
    }
}

/// A lease's side. Dropped without a word, it is never given back: the lease may live on.
#[derive(Debug)]
pub(super) struct Receipt {
    number: usize,
    ended: Arc<AtomicUsize>,
    unattended: bool,
}

impl Receipt {
    /// The lease has its answer.
    pub(super) fn give_back(&self) {
        self.ended.store(self.number, Ordering::Release);
    }

    /// The lease is released, and only its owner could still ask how that went.
    pub(super) fn leave_unattended(&mut self) {
        self.unattended = true;
    }
}

impl Drop for Receipt {
    fn drop(&mut self) {
        if self.unattended {
            self.give_back();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_newest_lease_brings_the_series_back() {
        let mut series = Series::default();
        assert!(!series.is_back());
        let (first, second) = (series.lend(), series.lend());
        first.give_back();
        assert!(!series.is_back());
        second.give_back();
        assert!(series.is_back());
        let third = series.lend();
        assert!(!series.is_back());
        drop(third);
        assert!(!series.is_back(), "it was not released");
    }

    #[test]
    fn an_unattended_release_is_over_with_its_lease() {
        let mut series = Series::default();
        let mut lent = series.lend();
        lent.leave_unattended();
        assert!(!series.is_back());
        drop(lent);
        assert!(series.is_back());
    }
}
