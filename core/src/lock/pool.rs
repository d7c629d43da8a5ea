//! The machines of a handle: one for each call under way, and what they left behind.

use alloc::{boxed::Box, format, sync::Arc, vec::Vec};
use core::{fmt, mem};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{
    Grant, LockConfig, LockMachine,
    queue::LocalQueue,
    requests,
    token_series::{Receipt, TokenSeries},
};
use crate::{
    store::DynStore,
    time::{Clock, DynClock},
    token::{Token, Tokens},
};

/// How many machines wait in a handle for the next call.
const IDLE_MACHINES: usize = 8;

pub(super) struct Shared {
    pub(super) config: LockConfig,
    pub(super) store: DynStore,
    pub(super) clock: DynClock,
    /// Where the waiters of this process stand.
    pub(super) queue: Arc<LocalQueue>,
    idle: Mutex<Idle>,
}

struct Idle {
    tokens: Tokens,
    /// How many owners were named after `tokens`.
    owners: u64,
    machines: Vec<Pooled>,
    /// Tokens that may be under the key, of leases that nobody could release.
    leftovers: Vec<Token>,
    /// Whether a task gives back what dropped calls were granted.
    is_cleaning: bool,
}

struct Pooled {
    machine: LockMachine,
    series: TokenSeries,
}

/// A machine that makes one call. Dropping it gives the machine back, with what is in flight; if the
/// call was not over, that is cleaned up in the background.
pub(super) struct Borrowed<'a> {
    shared: &'a Arc<Shared>,
    pooled: Option<Pooled>,
}

impl Shared {
    pub(super) fn new(
        store: DynStore,
        clock: DynClock,
        config: LockConfig,
        tokens: Tokens,
        queue: Arc<LocalQueue>,
    ) -> Self {
        let (machines, leftovers) = (Vec::new(), Vec::new());
        let idle = Idle { tokens, owners: 0, machines, leftovers, is_cleaning: false };
        Self { config, store, clock, queue, idle: Mutex::new(idle) }
    }

    /// The name of what is protected.
    pub(super) fn id(&self) -> &str {
        self.config.keys().lock()
    }

    /// A token that may be under the key although nobody has its lease.
    pub(super) fn in_flight(&self) -> Option<Token> {
        let idle = self.idle();
        let of_machines = idle.machines.iter().find_map(Pooled::in_flight).cloned();
        of_machines.or_else(|| idle.leftovers.first().cloned())
    }

    fn idle(&self) -> MutexGuard<'_, Idle> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A machine for one call: first of all one that has something to clean up.
    pub(super) fn borrow(self: &Arc<Self>) -> Borrowed<'_> {
        let mut idle = self.idle();
        let unclean = idle.machines.iter().position(|pooled| pooled.in_flight().is_some());
        let index = unclean.or_else(|| idle.machines.len().checked_sub(1));
        let mut pooled = match index {
            Some(index) => idle.machines.remove(index),
            None => {
                let tokens = idle.next_owner();
                let seed = tokens.seed();
                let machine = LockMachine::new(self.config.clone(), tokens, seed);
                Pooled { machine, series: TokenSeries::default() }
            }
        };
        if pooled.in_flight().is_none()
            && let Some(token) = idle.leftovers.pop()
        {
            pooled.machine.leave_behind(token);
        }
        Borrowed { shared: self, pooled: Some(pooled) }
    }

    /// Gives back in the background what dropped calls may have been granted, one after another. Their
    /// machines stay here: a call that comes meanwhile begins by giving it back, too, which does no
    /// harm, since nothing is granted to a token that was given up.
    fn clean_up(self: &Arc<Self>) {
        if mem::replace(&mut self.idle().is_cleaning, true) {
            return;
        }
        let shared = Arc::clone(self);
        let mut cleaning = Cleaning { shared: Arc::clone(self), is_over: false };
        self.clock.spawn(Box::pin(async move {
            while let Some(dropped) = cleaning.next() {
                let mut machine = dropped.clone();
                let released = requests::release(&mut machine, &shared.store, &shared.clock).await;
                if released.is_err() {
                    // It waits for the next call.
                    return;
                }
                shared.idle().replace(&dropped, machine);
            }
        }));
    }

    /// Remembers the token of a lease that nobody could release.
    pub(super) fn leave_behind(&self, token: Token) {
        self.idle().leftovers.push(token);
    }
}

impl Idle {
    /// A machine whose call was dropped, and may have been granted the lock.
    fn dropped(&self) -> Option<&LockMachine> {
        let mut machines = self.machines.iter().map(|pooled| &pooled.machine);
        machines.find(|machine| machine.is_dropped())
    }

    /// Puts `machine` where `before` is, unless that has made a call since.
    fn replace(&mut self, before: &LockMachine, machine: LockMachine) {
        let mut machines = self.machines.iter_mut().map(|pooled| &mut pooled.machine);
        if let Some(same) = machines.find(|pooled| *pooled == before) {
            *same = machine;
        }
    }

    /// The owner of the next machine: the handle's own for the first one.
    fn next_owner(&mut self) -> Tokens {
        self.owners += 1;
        match self.owners {
            1 => self.tokens.clone(),
            number => Tokens::of_owner(format!("{}~{number}", self.tokens.owner())),
        }
    }
}

impl Pooled {
    fn in_flight(&self) -> Option<&Token> {
        let held = || self.machine.grant().map(Grant::token);
        self.machine.in_flight().or_else(held)
    }
}

impl Borrowed<'_> {
    pub(super) fn machine(&mut self) -> &mut LockMachine {
        let pooled = self.pooled.as_mut().expect("it is given back only by the drop");
        if pooled.series.is_settled() {
            pooled.machine.resume_series();
        }
        &mut pooled.machine
    }

    /// The grant that the machine has, in a machine of its own.
    pub(super) fn hand_over(mut self) -> (LockMachine, Receipt) {
        let pooled = self.pooled.as_mut().expect("it is given back only by the drop");
        (pooled.machine.hand_over(), pooled.series.receipt())
    }
}

/// A task that cleans up. There is another one as soon as this is over, or was dropped.
struct Cleaning {
    shared: Arc<Shared>,
    is_over: bool,
}

impl Cleaning {
    /// What to clean up next. That there is nothing more, and that the task is over, is one step: what
    /// is dropped after it has a task of its own.
    fn next(&mut self) -> Option<LockMachine> {
        let mut idle = self.shared.idle();
        let next = idle.dropped().cloned();
        if next.is_none() {
            idle.is_cleaning = false;
            self.is_over = true;
        }
        next
    }
}

impl Drop for Cleaning {
    fn drop(&mut self) {
        if !self.is_over {
            self.shared.idle().is_cleaning = false;
        }
    }
}

impl Drop for Borrowed<'_> {
    fn drop(&mut self) {
        let Some(pooled) = self.pooled.take() else { return };
        let unclean = pooled.in_flight().is_some();
        let was_dropped = pooled.machine.is_dropped();
        {
            let mut idle = self.shared.idle();
            if unclean || idle.machines.len() < IDLE_MACHINES {
                idle.machines.push(pooled);
            }
        }
        if was_dropped {
            self.shared.clean_up();
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        let idle = self.idle.get_mut().unwrap_or_else(PoisonError::into_inner);
        let (machines, leftovers) = (mem::take(&mut idle.machines), mem::take(&mut idle.leftovers));
        let unclean = machines.into_iter().filter(|pooled| pooled.in_flight().is_some());
        let left = leftovers.into_iter().map(|token| {
            let mut machine = LockMachine::new(self.config.clone(), Tokens::of_owner(""), 0);
            machine.leave_behind(token);
            machine
        });
        for mut machine in unclean.map(|pooled| pooled.machine).chain(left) {
            let (store, clock) = (self.store.clone(), self.clock.clone());
            self.clock.spawn(Box::pin(async move {
                // Nobody is left to be told. The key's time to live does what this could not.
                let _ = requests::release(&mut machine, &store, &clock).await;
            }));
        }
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("id", &self.id()).finish_non_exhaustive()
    }
}
