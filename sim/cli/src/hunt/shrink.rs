//! From a schedule that fails to the fewest faults that do.

use std::{
    io,
    sync::atomic::{AtomicUsize, Ordering},
};

use super::{
    rule::Fault,
    run::{Failure, Run},
    search::Pool,
};

/// A schedule that fails.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) faults: Vec<Fault>,
    pub(super) failure: Failure,
    /// In how many runs it failed so, and how many there were.
    pub(super) tally: Tally,
    /// A run of it that failed.
    pub(super) run: Run,
    /// How it goes without each of its faults.
    pub(super) without: Vec<Without>,
    /// Whether it was shrunk to the end.
    pub(super) finished: bool,
}

impl Found {
    /// Whether it fails more often than not.
    pub(super) fn is_steady(&self) -> bool {
        self.tally.failed * 2 > self.tally.of
    }
}

/// A schedule that lacks one of the faults.
#[derive(Debug)]
pub(super) struct Without {
    pub(super) tally: Tally,
    /// One of its runs: one that passed, if any did.
    pub(super) run: Option<Run>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) failed: usize,
    pub(super) of: usize,
}

/// Runs of a schedule, by whether they failed in the way that is looked for.
struct Tried {
    failed: Vec<Run>,
    passed: Vec<Run>,
}

impl Tried {
    fn tally(&self) -> Tally {
        Tally { failed: self.failed.len(), of: self.failed.len() + self.passed.len() }
    }
}

pub(super) struct Shrinker<'a> {
    pub(super) pool: &'a Pool<'a>,
    /// How often each schedule is run.
    pub(super) confirm: usize,
}

impl Shrinker<'_> {
    /// Runs a schedule that failed once again. `None` if it does not fail so any more.
    pub(super) fn confirm(&self, faults: Vec<Fault>, first: Run) -> io::Result<Option<Found>> {
        let Some(failure) = first.failure.clone() else { return Ok(None) };
        let tried = self.tried(&faults, &failure, 0)?;
        let (tally, finished) = (tried.tally(), false);
        let Some(run) = tried.failed.into_iter().next() else {
            // Somebody who ends the hunt now wants to know what there is.
            let tally = Tally { failed: 1, of: 1 };
            let found = Found { faults, failure, tally, run: first, without: Vec::new(), finished };
            return Ok((tally.failed > 0 && self.pool.is_stopped()).then_some(found));
        };
        Ok(Some(Found { faults, failure, tally, run, without: Vec::new(), finished }))
    }

    /// Drops what is not needed.
    pub(super) fn shrink(&self, found: &mut Found) -> io::Result<()> {
        while self.drop_one(found)? || self.simplify_one(found)? {}
        self.count_without(found)?;
        found.finished = !self.pool.is_stopped();
        Ok(())
    }

    fn drop_one(&self, found: &mut Found) -> io::Result<bool> {
        for at in (0..found.faults.len()).rev() {
            if found.faults.len() > 1 && self.take(found, without(&found.faults, at))? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn simplify_one(&self, found: &mut Found) -> io::Result<bool> {
        for at in 0..found.faults.len() {
            for simpler in found.faults[at].simpler() {
                let mut faults = found.faults.clone();
                faults[at] = simpler;
                if self.take(found, faults)? {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// Puts a schedule in the place of the one that was found, if it fails as often.
    fn take(&self, found: &mut Found, faults: Vec<Fault>) -> io::Result<bool> {
        if self.pool.is_stopped() {
            return Ok(false);
        }
        let mut tried = self.tried(&faults, &found.failure, found.tally.failed)?;
        let tally = tried.tally();
        if tally.of < self.confirm || tally.failed < found.tally.failed {
            return Ok(false);
        }
        if let Some(run) = tried.failed.pop() {
            found.failure = run.failure.clone().unwrap_or_else(|| found.failure.clone());
            (found.faults, found.tally, found.run) = (faults, tally, run);
        }
        Ok(true)
    }

    fn count_without(&self, found: &mut Found) -> io::Result<()> {
        let mut all = Vec::new();
        for at in 0..found.faults.len() {
            let mut tried = self.tried(&without(&found.faults, at), &found.failure, 0)?;
            let tally = tried.tally();
            all.push(Without { tally, run: tried.passed.pop().or_else(|| tried.failed.pop()) });
        }
        found.without = all;
        Ok(())
    }

    /// Runs a schedule as often as it takes to see whether it fails `needed` times.
    fn tried(&self, faults: &[Fault], like: &Failure, needed: usize) -> io::Result<Tried> {
        let fails = |run: &Run| run.failure.as_ref().is_some_and(|failure| failure.is_like(like));
        let passed = AtomicUsize::new(0);
        let runs = self.pool.repeat_until(faults, self.confirm, |run| {
            let passed = passed.fetch_add(usize::from(!fails(run)), Ordering::Relaxed);
            let passed = passed + usize::from(!fails(run));
            needed > 0 && passed > self.confirm.saturating_sub(needed)
        })?;
        let (failed, passed) = runs.into_iter().partition(fails);
        Ok(Tried { failed, passed })
    }
}

fn without(faults: &[Fault], at: usize) -> Vec<Fault> {
    let mut faults = faults.to_vec();
    faults.remove(at);
    faults
}
