//! A lease's machine, which is with its lease or with the task that renews it.

use alloc::{boxed::Box, sync::Arc};
use core::{
    future::poll_fn,
    task::{Poll, Waker},
};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{LeaseView, LockMachine, requests};
use crate::{
    drive::race,
    store::DynStore,
    telemetry,
    time::{Clock, DynClock},
};

/// Where the machine is.
#[allow(clippy::large_enum_variant, reason = "most leases keep it here, without an allocation")]
pub(super) enum Keeper {
    Here(LockMachine),
    /// A task renews.
    Away(Arc<Shared>),
}

pub(super) struct Shared {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The owner wants the machine back.
    stopped: bool,
    /// The task has seen that, and is about to give it back.
    ending: bool,
    task: Option<Waker>,
    machine: Option<LockMachine>,
    owner: Option<Waker>,
}

impl Keeper {
    /// The machine, unless a task renews.
    pub(super) fn here(&self) -> Option<&LockMachine> {
        match self {
            Self::Here(machine) => Some(machine),
            Self::Away(_) => None,
        }
    }

    /// Ends the renewals and takes the machine back. The task gives it back when it is next polled,
    /// or dropped.
    ///
    /// Dropping the future leaves the renewals stopped; the next call goes on waiting.
    pub(super) async fn stop(&mut self) -> &mut LockMachine {
        if let Self::Away(shared) = self {
            let shared = shared.clone();
            let machine = poll_fn(|context| shared.poll_machine(context.waker())).await;
            *self = Self::Here(machine);
        }
        match self {
            Self::Here(machine) => machine,
            Self::Away(_) => unreachable!("it was taken back above"),
        }
    }

    /// Renews in the background, if the clock belongs to a runtime that can.
    pub(super) fn start(self, store: &DynStore, clock: &DynClock, view: LeaseView) -> (Self, bool) {
        let machine = match self {
            Self::Here(machine) => machine,
            Self::Away(shared) => match shared.go_on() {
                None => return (Self::Away(shared), true),
                Some(machine) => machine,
            },
        };
        let shared = Arc::new(Shared { state: Mutex::default() });
        let mut away = Away { shared: shared.clone(), machine: Some(machine) };
        let (store, clock_of_task) = (store.clone(), clock.clone());
        let task = async move {
            let stopped = away.shared.clone();
            let stop = async {
                poll_fn(|context| stopped.poll_stopped(context.waker())).await;
                None
            };
            let Some(machine) = away.machine.as_mut() else { return };
            let keep = async { Some(keep(machine, &store, &clock_of_task, &view).await) };
            if let Some(reason) = race(stop, keep).await {
                if let Some(machine) = &away.machine {
                    telemetry::lost(machine.config().keys().lock(), reason);
                }
                view.follow(None);
            }
        };
        if clock.spawn(Box::pin(task)) {
            return (Self::Away(shared), true);
        }
        // The task was dropped, and has given the machine back.
        let machine = shared.state().machine.take();
        (machine.map_or(Self::Away(shared), Self::Here), false)
    }
}

/// Renews until the lease is lost, which the view shows, and says why.
pub(super) async fn keep(
    machine: &mut LockMachine,
    store: &DynStore,
    clock: &DynClock,
    view: &LeaseView,
) -> super::LossReason {
    let follow = |machine: &LockMachine| {
        if let Some(grant) = machine.grant() {
            let id = machine.config().keys().lock();
            telemetry::renewed(id, view.deadline(), clock.now(), grant);
        }
        view.follow(machine.grant());
    };
    requests::keep(machine, store, clock, follow).await
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn poll_stopped(&self, waker: &Waker) -> Poll<()> {
        let mut state = self.state();
        if state.stopped {
            state.ending = true;
            return Poll::Ready(());
        }
        state.task = Some(waker.clone());
        Poll::Pending
    }

    /// Takes back that the task should stop; or the machine, if it has stopped.
    fn go_on(&self) -> Option<LockMachine> {
        loop {
            let mut state = self.state();
            if let Some(machine) = state.machine.take() {
                return Some(machine);
            }
            if !state.ending {
                state.stopped = false;
                return None;
            }
            drop(state);
            // Within the same poll, another thread gives it back.
            std::thread::yield_now();
        }
    }

    fn poll_machine(&self, waker: &Waker) -> Poll<LockMachine> {
        let task = {
            let mut state = self.state();
            if let Some(machine) = state.machine.take() {
                return Poll::Ready(machine);
            }
            state.stopped = true;
            state.owner = Some(waker.clone());
            state.task.take()
        };
        if let Some(task) = task {
            task.wake();
        }
        Poll::Pending
    }
}

/// The machine while it is with the task. Dropping it gives the machine back.
struct Away {
    shared: Arc<Shared>,
    machine: Option<LockMachine>,
}

impl Drop for Away {
    fn drop(&mut self) {
        let owner = {
            let mut state = self.shared.state();
            state.machine = self.machine.take();
            state.owner.take()
        };
        if let Some(owner) = owner {
            owner.wake();
        }
    }
}
