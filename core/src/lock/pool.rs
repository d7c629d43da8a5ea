//! What the clones of a lock's handle share: their machines, and what these leave behind.

use alloc::{format, sync::Arc, vec::Vec};
use core::{fmt, mem};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{
    Grant, LockConfig, LockMachine,
    queue::LocalQueue,
    requests,
    token_series::{Receipt, TokenSeries},
};
use crate::{
    drive::Driver,
    pool::{Borrowed, Pool, Pooled},
    store::DynStore,
    time::DynClock,
    token::{Token, Tokens},
};

pub(super) struct Shared {
    pub(super) config: LockConfig,
    /// Where the waiters of this process stand.
    pub(super) queue: Arc<LocalQueue>,
    pool: Arc<Pool<Acquirer>>,
    owners: Mutex<Owners>,
}

struct Owners {
    tokens: Tokens,
    /// How many owners were named after `tokens`.
    named: u64,
    /// Tokens that may be under the key, of leases that nobody could release.
    leftovers: Vec<Token>,
}

/// A machine that acquires, and the tokens that it may go on with.
#[derive(Clone)]
pub(super) struct Acquirer {
    machine: LockMachine,
    series: TokenSeries,
}

impl Shared {
    pub(super) fn new(
        store: DynStore,
        clock: DynClock,
        config: LockConfig,
        tokens: Tokens,
        queue: Arc<LocalQueue>,
    ) -> Self {
        let owners = Mutex::new(Owners { tokens, named: 0, leftovers: Vec::new() });
        let pool = Arc::new(Pool::new(Driver { store, clock }));
        Self { config, queue, pool, owners }
    }

    /// The name of what is protected.
    pub(super) fn id(&self) -> &str {
        self.config.keys().lock()
    }

    pub(super) fn store(&self) -> &DynStore {
        &self.pool.backend().store
    }

    pub(super) fn clock(&self) -> &DynClock {
        &self.pool.backend().clock
    }

    /// A token that may be under the key although nobody has its lease.
    pub(super) fn in_flight(&self) -> Option<Token> {
        let of_machines = self.pool.find_map(|acquirer| acquirer.in_flight().cloned());
        of_machines.or_else(|| self.owners().leftovers.first().cloned())
    }

    fn owners(&self) -> MutexGuard<'_, Owners> {
        self.owners.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A machine for one call: first of all one that has something to clean up.
    pub(super) fn borrow(&self) -> Borrowed<'_, Acquirer> {
        let mut acquirer = self.pool.borrow(|| Acquirer::new(&self.config, self.next_owner()));
        if !acquirer.is_unsettled()
            && let Some(token) = self.owners().leftovers.pop()
        {
            acquirer.machine.leave_behind(token);
        }
        acquirer
    }

    /// Remembers the token of a lease that nobody could release.
    pub(super) fn leave_behind(&self, token: Token) {
        self.owners().leftovers.push(token);
    }

    /// The owner of the next machine: the handle's own for the first one.
    fn next_owner(&self) -> Tokens {
        let mut owners = self.owners();
        owners.named += 1;
        match owners.named {
            1 => owners.tokens.clone(),
            number => Tokens::of_owner(format!("{}~{number}", owners.tokens.owner())),
        }
    }
}

impl Acquirer {
    fn new(config: &LockConfig, tokens: Tokens) -> Self {
        let seed = tokens.seed();
        let machine = LockMachine::new(config.clone(), tokens, seed);
        Self { machine, series: TokenSeries::default() }
    }

    fn in_flight(&self) -> Option<&Token> {
        let held = || self.machine.grant().map(Grant::token);
        self.machine.in_flight().or_else(held)
    }

    pub(super) fn machine(&mut self) -> &mut LockMachine {
        if self.series.is_settled() {
            self.machine.resume_series();
        }
        &mut self.machine
    }

    /// The grant that the machine has, in a machine of its own.
    pub(super) fn hand_over(&mut self) -> (LockMachine, Receipt) {
        (self.machine.hand_over(), self.series.receipt())
    }
}

/// Whether the same calls were made. Each lease of the series is one, so the machine tells.
impl PartialEq for Acquirer {
    fn eq(&self, other: &Self) -> bool {
        self.machine == other.machine
    }
}

impl Pooled for Acquirer {
    type Backend = Driver;

    fn is_unsettled(&self) -> bool {
        self.in_flight().is_some()
    }

    fn is_dropped(&self) -> bool {
        self.machine.is_dropped()
    }

    async fn give_back(&mut self, driver: &Driver) {
        // Whether it worked is seen in the machine. Nothing is granted to a token that was given up, so
        // nothing is taken from a call that does the same meanwhile.
        let _ = requests::release(&mut self.machine, &driver.store, &driver.clock).await;
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        let owners = self.owners.get_mut().unwrap_or_else(PoisonError::into_inner);
        for token in mem::take(&mut owners.leftovers) {
            let mut left = Acquirer::new(&self.config, Tokens::of_owner(""));
            left.machine.leave_behind(token);
            self.pool.put(left);
        }
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("id", &self.id()).finish_non_exhaustive()
    }
}
