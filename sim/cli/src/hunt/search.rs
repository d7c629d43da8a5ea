//! Many runs at once: a thread for each, with a server on it.

use std::{
    io,
    num::NonZeroUsize,
    sync::{Mutex, PoisonError},
    thread,
};

use tokio::sync::watch;

use super::{
    rule::Fault,
    run::{Run, Setup},
};

/// Where runs are made.
#[derive(Debug)]
pub(super) struct Pool<'a> {
    pub(super) setup: &'a Setup,
    pub(super) jobs: NonZeroUsize,
    /// Whether the whole hunt is to end.
    pub(super) stop: watch::Receiver<bool>,
}

impl Pool<'_> {
    /// Whether the hunt has been told to end.
    pub(super) fn is_stopped(&self) -> bool {
        *self.stop.borrow()
    }

    /// Runs what `next` says until it has nothing more, or `done` says that this is enough. Then what
    /// still runs is ended and not told of.
    pub(super) fn each(
        &self,
        next: impl Fn() -> Option<Vec<Fault>> + Sync,
        done: impl Fn(Vec<Fault>, Run) -> bool + Sync,
    ) -> io::Result<()> {
        let enough = watch::Sender::new(false);
        let problem = Mutex::new(None);
        thread::scope(|scope| {
            for _ in 0..self.jobs.get() {
                scope.spawn(|| {
                    if let Err(error) = self.work(&enough, &next, &done) {
                        enough.send_replace(true);
                        *problem.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                    }
                });
            }
        });
        problem.into_inner().unwrap_or_else(PoisonError::into_inner).map_or(Ok(()), Err)
    }

    fn work(
        &self,
        enough: &watch::Sender<bool>,
        next: &(impl Fn() -> Option<Vec<Fault>> + Sync),
        done: &(impl Fn(Vec<Fault>, Run) -> bool + Sync),
    ) -> io::Result<()> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            // One, so that nobody waits for the state of the host but by its leave.
            .worker_threads(1)
            .enable_all()
            .build()?;
        while !self.is_stopped() && !*enough.borrow() {
            let Some(faults) = next() else { break };
            let (mut stop, mut enough_told) = (self.stop.clone(), enough.subscribe());
            let stopped = async move {
                // Both senders live longer than this.
                tokio::select! {
                    _ = stop.wait_for(|stop| *stop) => {}
                    _ = enough_told.wait_for(|enough| *enough) => {}
                }
            };
            let run = runtime.block_on(self.setup.run(&faults, stopped))?;
            if run.is_some_and(|run| done(faults, run)) {
                enough.send_replace(true);
            }
        }
        runtime.shutdown_background();
        Ok(())
    }

    /// Runs the same `times` times. Fewer if the hunt is stopped.
    pub(super) fn repeat(&self, faults: &[Fault], times: usize) -> io::Result<Vec<Run>> {
        self.repeat_until(faults, times, |_| false)
    }

    /// The same, until a run is enough.
    pub(super) fn repeat_until(
        &self,
        faults: &[Fault],
        times: usize,
        enough: impl Fn(&Run) -> bool + Sync,
    ) -> io::Result<Vec<Run>> {
        let (left, runs) = (Mutex::new(times), Mutex::new(Vec::new()));
        let next = || {
            let mut left = left.lock().unwrap_or_else(PoisonError::into_inner);
            *left = left.checked_sub(1)?;
            Some(faults.to_vec())
        };
        self.each(next, |_, run| {
            let enough = enough(&run);
            runs.lock().unwrap_or_else(PoisonError::into_inner).push(run);
            enough
        })?;
        Ok(runs.into_inner().unwrap_or_else(PoisonError::into_inner))
    }
}
