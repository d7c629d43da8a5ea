//! A debounced call as a handle: its settings, and what its machines need to run.

use alloc::{format, sync::Arc};
use core::{fmt, time::Duration};
use std::sync::{Mutex, PoisonError};

#[cfg(feature = "tokio")]
use super::DebounceOptions;
use super::{
    Args, CallError, CallOutcome, Called, Claim, DebounceConfig, DebounceMachine, DebounceOutcome,
    DebounceRequest, DebounceStatus, NextRun, Run, SweepOutcome, Swept, Unsettled,
};
use crate::{
    drive::{Driver, drive, race},
    machine::outcome_of,
    pool::{Borrowed, Pool, Pooled},
    settings::ConfigError,
    store::{DynStore, Store, StoreError},
    telemetry,
    time::{Clock, DynClock},
    token::{Token, Tokens},
};

/// A debounced call in a store, by its id.
///
/// A handle is cheap to clone and to share, and any number of tasks may call by it at the same
/// time: each call is a participant that stays until its burst is settled.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::{io, time::Duration};
/// use leasehold_core::{MemoryStore, debounce::{Called, Debounce, DebounceOptions}};
///
/// let options = DebounceOptions::new().wait(Duration::from_millis(20));
/// let debounce = Debounce::with_options(MemoryStore::new(), "index", &options)?;
/// let called = debounce.call("page 7", async |run| {
///     // … index run.args(), and send run.fence() with every write …
///     Ok::<_, io::Error>(run.args().len())
/// }).await?;
/// assert_eq!(called, Called::Fired(6));
/// # Ok(())
/// # }
/// ```
///
/// # Cancellation
///
/// Every future of a handle may be dropped at any point. A call that is armed stays armed, for
/// other participants and sweepers. A run that was dropped, or whose callback panicked, is given
/// back in the background, if the clock belongs to a runtime. Until then, and where no runtime is,
/// it stays in the handle: [`Debounce::in_flight`] says so, and the next call begins by giving it
/// back. Without either, its lease ends. If the end of a run may not have reached the server, the next
/// call tells it, or the drop of the last clone.
#[derive(Clone)]
pub struct Debounce {
    shared: Arc<Shared>,
}

struct Shared {
    config: DebounceConfig,
    pool: Arc<Pool<DebounceMachine>>,
    tokens: Mutex<Tokens>,
}

/// A machine that makes one call.
struct Participant<'a> {
    shared: &'a Shared,
    machine: Borrowed<'a, DebounceMachine>,
}

/// How a callback ended.
enum Ended<R, E> {
    Returned(R),
    Failed(E),
    Overran,
}

impl Debounce {
    /// The debounced call named `id` in `store`, with the default [`DebounceOptions`], on tokio's
    /// clock.
    ///
    /// # Errors
    ///
    /// [`ConfigError::EmptyId`].
    #[cfg(feature = "tokio")]
    pub fn new(store: impl Store + Send + Sync + 'static, id: &str) -> Result<Self, ConfigError> {
        Self::with_options(store, id, &DebounceOptions::new())
    }

    /// The debounced call named `id` in `store`, with settings of its own, on tokio's clock.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] names the first setting that cannot work.
    #[cfg(feature = "tokio")]
    pub fn with_options(
        store: impl Store + Send + Sync + 'static,
        id: &str,
        options: &DebounceOptions,
    ) -> Result<Self, ConfigError> {
        let config = DebounceConfig::new(id, options)?;
        Ok(Self::from_config(store, crate::time::TokioClock::new(), config, Tokens::from_os()))
    }

    /// A debounced call from all of its parts: another clock, or tokens of one's own. No two
    /// handles may have tokens of one owner.
    #[must_use]
    pub fn from_config(
        store: impl Store + Send + Sync + 'static,
        clock: impl Clock + Send + Sync + 'static,
        config: DebounceConfig,
        tokens: Tokens,
    ) -> Self {
        Self::of(store.into_dyn(), DynClock::new(clock), config, tokens)
    }

    fn of(store: DynStore, clock: DynClock, config: DebounceConfig, tokens: Tokens) -> Self {
        let pool = Arc::new(Pool::new(Driver { store, clock }));
        Self { shared: Arc::new(Shared { config, pool, tokens: Mutex::new(tokens) }) }
    }

    /// The debounced call of one `key`, e.g. of one argument: its id is this id, a colon and the
    /// key. Different keys never wait for one another.
    ///
    /// # Errors
    ///
    /// [`ConfigError::EmptyId`] if `key` is empty.
    pub fn for_key(&self, key: &str) -> Result<Self, ConfigError> {
        if key.is_empty() {
            return Err(ConfigError::EmptyId);
        }
        let config = self.shared.config.with_id(&format!("{}:{key}", self.id()))?;
        let Driver { store, clock } = self.shared.driver().clone();
        Ok(Self::of(store, clock, config, self.shared.next_owner()))
    }

    /// The name of what is debounced.
    #[must_use]
    pub fn id(&self) -> &str {
        self.shared.config.keys().id()
    }

    /// Calls, and stays until the call is settled or [`DebounceOptions::within`] is over. When it
    /// falls to this participant, `callback` runs with the **latest** arguments, whoever gave them,
    /// and is dropped where it is when its lease is over. An error re-arms its arguments.
    ///
    /// # Errors
    ///
    /// [`CallError`] says whether the callback failed here, the store is down, or nobody knows.
    ///
    /// # Panics
    ///
    /// If `callback` does; its arguments are due again as if it had been dropped.
    ///
    /// # Cancellation
    ///
    /// See [`Debounce`].
    pub async fn call<R, E>(
        &self,
        args: impl Into<Args>,
        callback: impl AsyncFnOnce(Run) -> Result<R, E>,
    ) -> Result<Called<R>, CallError<E>> {
        let request = DebounceRequest::Call { args: args.into().into_bytes() };
        let mut participant = self.shared.participant();
        let outcome = outcome_of!(participant.ask(request).await, DebounceOutcome::Call);
        Ok(match outcome.map_err(failure)? {
            CallOutcome::Run(claim) => match participant.run(claim, callback).await? {
                (result, None) => Called::Fired(result),
                (result, Some(reason)) => Called::Unsettled { result, reason },
            },
            CallOutcome::Superseded { by } => Called::Superseded { by },
            CallOutcome::FiredElsewhere => Called::FiredElsewhere,
            CallOutcome::Suppressed { reopens_in_ms } => {
                Called::Suppressed { reopens_in: Duration::from_millis(reopens_in_ms) }
            }
            CallOutcome::Delegated { due_in_ms } => {
                Called::Delegated { due_in: Duration::from_millis(due_in_ms) }
            }
            CallOutcome::Cancelled => Called::Cancelled,
        })
    }

    /// Runs `callback` with whatever is due, whoever called. Call it now and then, in any process,
    /// if callers may crash or leave and no further call may come.
    ///
    /// # Errors
    ///
    /// As [`Debounce::call`].
    ///
    /// # Panics
    ///
    /// As [`Debounce::call`].
    ///
    /// # Cancellation
    ///
    /// See [`Debounce`].
    pub async fn sweep<R, E>(
        &self,
        callback: impl AsyncFnOnce(Run) -> Result<R, E>,
    ) -> Result<Swept<R>, CallError<E>> {
        self.sweep_as(DebounceRequest::Sweep, callback).await
    }

    /// Makes due what waits, and runs `callback` with it.
    ///
    /// # Errors
    ///
    /// As [`Debounce::call`].
    ///
    /// # Panics
    ///
    /// As [`Debounce::call`].
    ///
    /// # Cancellation
    ///
    /// See [`Debounce`].
    pub async fn flush<R, E>(
        &self,
        callback: impl AsyncFnOnce(Run) -> Result<R, E>,
    ) -> Result<Swept<R>, CallError<E>> {
        self.sweep_as(DebounceRequest::Flush, callback).await
    }

    /// Drops what waits to run, and says whether anything did. A run under way goes on, but is not
    /// repeated if it fails.
    ///
    /// # Errors
    ///
    /// What the store answered instead. After [`StoreError::Unknown`], it may have happened.
    pub async fn cancel(&self) -> Result<bool, StoreError> {
        let outcome = self.shared.participant().ask(DebounceRequest::Cancel).await;
        outcome_of!(outcome, DebounceOutcome::Cancel)
    }

    /// Asks the store what waits and what runs. It may have changed since.
    ///
    /// # Errors
    ///
    /// What the store answered instead.
    pub async fn status(&self) -> Result<DebounceStatus, StoreError> {
        let outcome = self.shared.participant().ask(DebounceRequest::Status).await;
        outcome_of!(outcome, DebounceOutcome::Status)
    }

    /// The name of the run whose end the server may still wait for. See
    /// [`DebounceMachine::in_flight`].
    #[must_use]
    pub fn in_flight(&self) -> Option<Token> {
        self.shared.pool.find_map(|machine| machine.in_flight().cloned())
    }

    async fn sweep_as<R, E>(
        &self,
        request: DebounceRequest,
        callback: impl AsyncFnOnce(Run) -> Result<R, E>,
    ) -> Result<Swept<R>, CallError<E>> {
        let mut participant = self.shared.participant();
        let outcome = outcome_of!(participant.ask(request).await, DebounceOutcome::Sweep);
        Ok(match outcome.map_err(failure)? {
            SweepOutcome::Run(claim) => match participant.run(claim, callback).await? {
                (result, None) => Swept::Fired(result),
                (result, Some(reason)) => Swept::Unsettled { result, reason },
            },
            SweepOutcome::Idle { due_in_ms } => {
                Swept::Idle { due_in: due_in_ms.map(Duration::from_millis) }
            }
        })
    }
}

impl Participant<'_> {
    async fn ask(&mut self, request: DebounceRequest) -> DebounceOutcome {
        let Driver { store, clock } = self.shared.driver();
        drive(&mut *self.machine, store, clock, request).await
    }

    /// Runs the callback under its claim, and tells the server how it went.
    async fn run<R, E>(
        &mut self,
        claim: Claim,
        callback: impl AsyncFnOnce(Run) -> Result<R, E>,
    ) -> Result<(R, Option<Unsettled>), CallError<E>> {
        let (deadline, fence) = (claim.deadline(), claim.fence());
        let clock = &self.shared.driver().clock;
        let run = Run::new(claim, clock.clone());
        let overrun = async {
            clock.sleep_until(deadline).await;
            Ended::Overran
        };
        let work = async {
            match callback(run).await {
                Ok(result) => Ended::Returned(result),
                Err(error) => Ended::Failed(error),
            }
        };
        // The clock first: work that would begin to act after the deadline never does.
        let ended = race(overrun, work).await;
        let how = match ended {
            Ended::Returned(_) => "returned",
            Ended::Failed(_) => "failed",
            Ended::Overran => "overran",
        };
        telemetry::ran(self.shared.config.keys().id(), how, fence);
        match ended {
            Ended::Returned(result) => {
                let outcome = self.ask(DebounceRequest::Succeed).await;
                Ok((result, outcome_of!(outcome, DebounceOutcome::Succeed).err()))
            }
            Ended::Failed(error) => Err(CallError::Failed { error, next: self.fail().await }),
            Ended::Overran => Err(CallError::Overran { next: self.fail().await }),
        }
    }

    async fn fail(&mut self) -> NextRun {
        outcome_of!(self.ask(DebounceRequest::Fail).await, DebounceOutcome::Fail)
    }
}

impl Shared {
    fn driver(&self) -> &Driver {
        self.pool.backend()
    }

    /// Tokens of an owner of their own.
    fn next_owner(&self) -> Tokens {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner).child()
    }

    /// A machine for one call: first of all one that owes the server something.
    fn participant(&self) -> Participant<'_> {
        let machine = self.pool.borrow(|| {
            let tokens = self.next_owner();
            let seed = tokens.seed();
            DebounceMachine::new(self.config.clone(), tokens, seed)
        });
        Participant { shared: self, machine }
    }
}

impl Pooled for DebounceMachine {
    type Backend = Driver;

    fn is_unsettled(&self) -> bool {
        self.in_flight().is_some()
    }

    fn is_dropped(&self) -> bool {
        self.is_dropped()
    }

    async fn give_back(&mut self, driver: &Driver) {
        // Any request begins by giving the run back.
        drive(self, &driver.store, &driver.clock, DebounceRequest::Status).await;
    }
}

impl fmt::Debug for Debounce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Debounce").field("id", &self.id()).finish_non_exhaustive()
    }
}

fn failure<E>(error: StoreError) -> CallError<E> {
    match error {
        StoreError::NotSent(_) => CallError::Unavailable(error),
        StoreError::Rejected(rejection) => CallError::Rejected(rejection),
        StoreError::Unknown(_) => CallError::Unknown(error),
    }
}
