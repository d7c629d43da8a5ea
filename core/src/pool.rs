//! The machines of a handle: one for each call under way, and what dropped calls left behind.
//!
//! The order that matters: a dropped call first puts its machine here and then looks for the task that
//! gives back; that task finds nothing more and ends in one step. So one of the two sees the other,
//! whatever happens in between, as long as the server can be asked: else the task ends, and all that is
//! unsettled waits for the next call. `tests/interleavings.rs` runs this very file under a scheduler
//! that tries the orders.

use std::{
    boxed::Box,
    future::Future,
    mem,
    ops::{Deref, DerefMut},
    pin::Pin,
    sync::PoisonError,
    vec::Vec,
};

use crate::sync::{Arc, Mutex, MutexGuard};

/// How many machines that owe nothing wait for the next call.
const SPARE_MACHINES: usize = 8;

/// A machine that makes one call after another.
pub(crate) trait Pooled: Clone + PartialEq + Send + 'static {
    /// Where its calls go.
    type Backend: Backend;

    /// Whether the server may have something of it that nobody wants.
    fn is_unsettled(&self) -> bool;

    /// Of one that nobody drives: whether its call was dropped, and left what can be given back at any
    /// later time.
    fn is_dropped(&self) -> bool;

    /// Gives back what is unsettled, unless the server cannot be asked.
    fn give_back(&mut self, backend: &Self::Backend) -> impl Future<Output = ()> + Send;
}

/// Where the calls of machines go.
pub(crate) trait Backend: Clone + Send + Sync + 'static {
    /// Runs `task` in the background, if there is a runtime.
    fn spawn(&self, task: Pin<Box<dyn Future<Output = ()> + Send>>);
}

/// The machines of a handle that nobody drives.
pub(crate) struct Pool<M: Pooled> {
    backend: M::Backend,
    idle: Mutex<Idle<M>>,
}

struct Idle<M> {
    machines: Vec<M>,
    /// Whether a task gives back what dropped calls left.
    gives_back: bool,
}

/// A machine that makes one call. Dropping it puts the machine back, with what is unsettled; if the
/// call was not over, that is given back in the background.
pub(crate) struct Borrowed<'a, M: Pooled> {
    pool: &'a Arc<Pool<M>>,
    machine: Option<M>,
}

impl<M: Pooled> Pool<M> {
    pub(crate) fn new(backend: M::Backend) -> Self {
        let idle = Idle { machines: Vec::new(), gives_back: false };
        Self { backend, idle: Mutex::new(idle) }
    }

    pub(crate) fn backend(&self) -> &M::Backend {
        &self.backend
    }

    fn idle(&self) -> MutexGuard<'_, Idle<M>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A machine for one call: first of all one that is unsettled, last a new one.
    pub(crate) fn borrow(self: &Arc<Self>, new: impl FnOnce() -> M) -> Borrowed<'_, M> {
        let idle = self.idle().take();
        Borrowed { pool: self, machine: Some(idle.unwrap_or_else(new)) }
    }

    /// What `look` finds first in one of the machines.
    pub(crate) fn find_map<T>(&self, look: impl FnMut(&M) -> Option<T>) -> Option<T> {
        self.idle().machines.iter().find_map(look)
    }

    /// Keeps `machine` for the next call.
    pub(crate) fn put(&self, machine: M) {
        let mut idle = self.idle();
        if machine.is_unsettled() || idle.machines.len() < SPARE_MACHINES {
            idle.machines.push(machine);
        }
    }

    /// Gives back in the background what dropped calls left, one after another. Their machines stay
    /// here, and a copy of each does it: a call that comes meanwhile begins by giving back, too, which
    /// does no harm.
    fn give_back(self: &Arc<Self>) {
        if mem::replace(&mut self.idle().gives_back, true) {
            return;
        }
        let mut giving = GivingBack { pool: Arc::clone(self), is_over: false };
        self.backend.spawn(Box::pin(async move {
            while let Some(dropped) = giving.next() {
                let mut machine = dropped.clone();
                machine.give_back(giving.pool.backend()).await;
                if machine.is_unsettled() {
                    // It waits for the next call.
                    return;
                }
                giving.pool.idle().replace(&dropped, machine);
            }
        }));
    }
}

impl<M: Pooled> Idle<M> {
    fn take(&mut self) -> Option<M> {
        let unsettled = self.machines.iter().position(Pooled::is_unsettled);
        let index = unsettled.or_else(|| self.machines.len().checked_sub(1))?;
        Some(self.machines.remove(index))
    }

    /// Puts `machine` where `before` is, unless that has made a call since.
    fn replace(&mut self, before: &M, machine: M) {
        if let Some(same) = self.machines.iter_mut().find(|machine| *machine == before) {
            *same = machine;
        }
    }
}

/// A task that gives back. There is another one as soon as this is over, or was dropped.
struct GivingBack<M: Pooled> {
    pool: Arc<Pool<M>>,
    is_over: bool,
}

impl<M: Pooled> GivingBack<M> {
    /// What to give back next. That there is nothing more, and that the task is over, is one step.
    fn next(&mut self) -> Option<M> {
        let mut idle = self.pool.idle();
        let next = idle.machines.iter().find(|machine| machine.is_dropped()).cloned();
        if next.is_none() {
            idle.gives_back = false;
            self.is_over = true;
        }
        next
    }
}

impl<M: Pooled> Drop for GivingBack<M> {
    fn drop(&mut self) {
        if !self.is_over {
            self.pool.idle().gives_back = false;
        }
    }
}

impl<M: Pooled> Drop for Borrowed<'_, M> {
    fn drop(&mut self) {
        let Some(machine) = self.machine.take() else { return };
        let was_dropped = machine.is_dropped();
        self.pool.put(machine);
        if was_dropped {
            self.pool.give_back();
        }
    }
}

impl<M: Pooled> Deref for Borrowed<'_, M> {
    type Target = M;

    fn deref(&self) -> &M {
        self.machine.as_ref().expect("it is put back only by the drop")
    }
}

impl<M: Pooled> DerefMut for Borrowed<'_, M> {
    fn deref_mut(&mut self) -> &mut M {
        self.machine.as_mut().expect("it is put back only by the drop")
    }
}

impl<M: Pooled> Drop for Pool<M> {
    fn drop(&mut self) {
        let idle = self.idle.get_mut().unwrap_or_else(PoisonError::into_inner);
        let machines = mem::take(&mut idle.machines).into_iter();
        for mut machine in machines.filter(Pooled::is_unsettled) {
            let backend = self.backend.clone();
            self.backend.spawn(Box::pin(async move {
                // Nobody is left to be told. What it has ends by itself if this does not reach the server.
                machine.give_back(&backend).await;
            }));
        }
    }
}
