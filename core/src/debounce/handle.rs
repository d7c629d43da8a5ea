//! A debounced call as a handle: its settings, and what its machines need to run.

use alloc::{boxed::Box, format, sync::Arc, vec::Vec};
use core::{fmt, mem, time::Duration};
use std::sync::{Mutex, MutexGuard, PoisonError};

#[cfg(feature = "tokio")]
use super::DebounceOptions;
use super::{
    Args, CallError, CallOutcome, Called, Claim, DebounceConfig, DebounceMachine, DebounceOutcome,
    DebounceRequest, DebounceStatus, NextRun, Run, SweepOutcome, Swept, Unsettled,
};
use crate::{
    drive::{drive, race},
    machine::outcome_of,
    settings::ConfigError,
    store::{DynStore, Store, StoreError},
    telemetry,
    time::{Clock, DynClock},
    token::{Token, Tokens},
};

/// How many machines wait in a handle for the next call.
const IDLE_MACHINES: usize = 8;

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
    store: DynStore,
    clock: DynClock,
    idle: Mutex<Idle>,
}

struct Idle {
    tokens: Tokens,
    machines: Vec<DebounceMachine>,
    /// Whether a task gives back what dropped calls had.
    gives_back: bool,
}

/// A machine that makes one call. Dropping it gives the machine back, with what is in flight; if the
/// call was not over, that is told to the server in the background.
struct Participant<'a> {
    shared: &'a Arc<Shared>,
    machine: Option<DebounceMachine>,
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
        let idle = Mutex::new(Idle { tokens, machines: Vec::new(), gives_back: false });
        Self { shared: Arc::new(Shared { config, store, clock, idle }) }
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
        let Shared { config, store, clock, .. } = &*self.shared;
        let config = config.with_id(&format!("{}:{key}", config.keys().id()))?;
        let tokens = self.shared.idle().tokens.child();
        Ok(Self::of(store.clone(), clock.clone(), config, tokens))
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
        let idle = self.shared.idle();
        idle.machines.iter().find_map(DebounceMachine::in_flight).cloned()
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
        let machine = self.machine.as_mut().expect("it is given back only by the drop");
        drive(machine, &self.shared.store, &self.shared.clock, request).await
    }

    /// Runs the callback under its claim, and tells the server how it went.
    async fn run<R, E>(
        &mut self,
        claim: Claim,
        callback: impl AsyncFnOnce(Run) -> Result<R, E>,
    ) -> Result<(R, Option<Unsettled>), CallError<E>> {
        let (deadline, fence) = (claim.deadline(), claim.fence());
        let clock = &self.shared.clock;
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
    fn idle(&self) -> MutexGuard<'_, Idle> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A machine for one call: first of all one that owes the server something.
    fn participant(self: &Arc<Self>) -> Participant<'_> {
        let mut idle = self.idle();
        let owing = idle.machines.iter().position(|machine| machine.in_flight().is_some());
        let machine = match owing.or_else(|| idle.machines.len().checked_sub(1)) {
            Some(index) => idle.machines.remove(index),
            None => {
                let tokens = idle.tokens.child();
                let seed = tokens.seed();
                DebounceMachine::new(self.config.clone(), tokens, seed)
            }
        };
        Participant { shared: self, machine: Some(machine) }
    }

    /// Gives back in the background what dropped calls had, one after another. Their machines stay
    /// here: a call that comes meanwhile begins by giving it back, too, which does no harm.
    fn give_back(self: &Arc<Self>) {
        if mem::replace(&mut self.idle().gives_back, true) {
            return;
        }
        let shared = Arc::clone(self);
        let mut giving = GivingBack { shared: Arc::clone(self), is_over: false };
        self.clock.spawn(Box::pin(async move {
            while let Some(dropped) = giving.next() {
                let mut machine = dropped.clone();
                // Any request begins by giving the run back.
                drive(&mut machine, &shared.store, &shared.clock, DebounceRequest::Status).await;
                if machine.in_flight().is_some() {
                    // It waits for the next call.
                    return;
                }
                shared.idle().replace(&dropped, machine);
            }
        }));
    }
}

impl Idle {
    /// A machine whose call or run was dropped, and of which the server waits for an end.
    fn dropped(&self) -> Option<&DebounceMachine> {
        self.machines.iter().find(|machine| machine.is_dropped())
    }

    /// Puts `machine` where `before` is, unless that has made a call since.
    fn replace(&mut self, before: &DebounceMachine, machine: DebounceMachine) {
        if let Some(same) = self.machines.iter_mut().find(|machine| *machine == before) {
            *same = machine;
        }
    }
}

/// A task that gives back. There is another one as soon as this is over, or was dropped.
struct GivingBack {
    shared: Arc<Shared>,
    is_over: bool,
}

impl GivingBack {
    /// What to give back next. That there is nothing more, and that the task is over, is one step:
    /// what is dropped after it has a task of its own.
    fn next(&mut self) -> Option<DebounceMachine> {
        let mut idle = self.shared.idle();
        let next = idle.dropped().cloned();
        if next.is_none() {
            idle.gives_back = false;
            self.is_over = true;
        }
        next
    }
}

impl Drop for GivingBack {
    fn drop(&mut self) {
        if !self.is_over {
            self.shared.idle().gives_back = false;
        }
    }
}

impl Drop for Participant<'_> {
    fn drop(&mut self) {
        let Some(machine) = self.machine.take() else { return };
        let owes = machine.in_flight().is_some();
        let was_dropped = machine.is_dropped();
        {
            let mut idle = self.shared.idle();
            if owes || idle.machines.len() < IDLE_MACHINES {
                idle.machines.push(machine);
            }
        }
        if was_dropped {
            self.shared.give_back();
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        let idle = self.idle.get_mut().unwrap_or_else(PoisonError::into_inner);
        let machines = mem::take(&mut idle.machines);
        for mut machine in machines.into_iter().filter(|machine| machine.in_flight().is_some()) {
            let (store, clock) = (self.store.clone(), self.clock.clone());
            self.clock.spawn(Box::pin(async move {
                // Any request begins by giving the run back.
                drive(&mut machine, &store, &clock, DebounceRequest::Status).await;
            }));
        }
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
