//! Whether the next call may go on with the series of the last one's tokens.
//!
//! A tombstone stands for every token of a series up to a number, and remembers how the last
//! release ended. While a lease may still send its release, another call in its series could write
//! over that memory; once it cannot, going on means one tombstone for a handle instead of one for
//! each call.

use alloc::sync::Arc;
use core::sync::atomic::{AtomicUsize, Ordering};

/// A handle's side: the leases that it has given out.
#[derive(Clone, Debug, Default)]
pub(super) struct TokenSeries {
    leases: usize,
    ended: Arc<AtomicUsize>,
}

impl TokenSeries {
    /// For a new lease.
    pub(super) fn receipt(&mut self) -> Receipt {
        self.leases += 1;
        Receipt { number: self.leases, ended: self.ended.clone(), unattended: false }
    }

    /// Whether the newest lease sends nothing more.
    pub(super) fn is_settled(&self) -> bool {
        self.leases > 0 && self.ended.load(Ordering::Acquire) == self.leases
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
    pub(super) fn settle(&self) {
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
            self.settle();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_newest_lease_settles_the_series() {
        let mut series = TokenSeries::default();
        assert!(!series.is_settled());
        let (first, second) = (series.receipt(), series.receipt());
        first.settle();
        assert!(!series.is_settled());
        second.settle();
        assert!(series.is_settled());
        let third = series.receipt();
        assert!(!series.is_settled());
        drop(third);
        assert!(!series.is_settled(), "it was not released");
    }

    #[test]
    fn an_unattended_release_is_over_with_its_lease() {
        let mut series = TokenSeries::default();
        let mut leases = series.receipt();
        leases.leave_unattended();
        assert!(!series.is_settled());
        drop(leases);
        assert!(series.is_settled());
    }
}
