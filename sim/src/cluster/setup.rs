//! What a cluster is made of.

use std::{fmt, rc::Rc};

use super::{
    Process,
    check::Check,
    runtime::{Factory, Task},
};

/// The processes of one run and what must hold of them, as [`Cluster::new`](super::Cluster::new)
/// hands it to the function that declares them.
#[derive(Default)]
pub struct Setup {
    pub(super) processes: Vec<(Factory, bool)>,
    pub(super) always: Vec<Check>,
    pub(super) sometimes: Vec<Check>,
    pub(super) eventually: Vec<Check>,
}

impl Setup {
    /// A process. `run` is called at its start and again after each crash and cancellation; the process
    /// is over when
    /// the future is, whatever it returns. A panic in it fails the run.
    ///
    /// At the end of the run it must be over, or await something that the simulation knows: a timer
    /// or an answer. Otherwise it is reported as stuck; see [`Setup::service`].
    pub fn process<F>(&mut self, run: impl Fn(Process) -> F + 'static)
    where
        F: Future + 'static,
    {
        self.add(run, false);
    }

    /// A process that may wait for ever, such as one that serves a channel.
    pub fn service<F>(&mut self, run: impl Fn(Process) -> F + 'static)
    where
        F: Future + 'static,
    {
        self.add(run, true);
    }

    /// `holds` must be true after every step of every run.
    pub fn always(&mut self, name: impl Into<String>, holds: impl Fn() -> bool + 'static) {
        self.always.push(Check::new(name, holds));
    }

    /// `holds` must be true at some moment of some run of a campaign: a test that never gets where
    /// it could fail has shown nothing.
    pub fn sometimes(&mut self, name: impl Into<String>, holds: impl Fn() -> bool + 'static) {
        self.sometimes.push(Check::new(name, holds));
    }

    /// `holds` must be true at some moment of every run after everything has healed.
    pub fn eventually(&mut self, name: impl Into<String>, holds: impl Fn() -> bool + 'static) {
        self.eventually.push(Check::new(name, holds));
    }

    fn add<F>(&mut self, run: impl Fn(Process) -> F + 'static, service: bool)
    where
        F: Future + 'static,
    {
        let factory: Factory = Rc::new(move |me| {
            let running = run(me);
            let task: Task = Box::pin(async move {
                let _of_no_interest = running.await;
            });
            task
        });
        self.processes.push((factory, service));
    }
}

impl fmt::Debug for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Setup").field("processes", &self.processes.len()).finish_non_exhaustive()
    }
}
