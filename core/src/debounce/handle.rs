//! A debounced call as a handle: the machine, and what it needs to run.

use alloc::{format, sync::Arc};
use core::{fmt, time::Duration};

#[cfg(feature = "std")]
use super::DebounceOptions;
use super::{
    CallError, Called, Claim, DebounceConfig, DebounceMachine, DebounceOutcome, DebounceRequest,
    DebounceStatus, NextRun, Swept, Unsettled,
};
use crate::{
    drive::{drive, race},
    lock::ConfigError,
    store::{Store, StoreError},
    time::Clock,
    token::{Token, Tokens},
};

/// A debounced call in a store, by its id: one participant.
///
/// One handle makes one call at a time and stays until its burst is settled, so give each task its
/// own: [`Debounce::sibling`] is cheap.
///
/// ```
/// # #[cfg(all(feature = "memory", feature = "tokio"))]
/// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
/// use std::{convert::Infallible, sync::Arc, time::Duration};
/// use leasehold_core::{MemoryStore, debounce::{Called, Debounce, DebounceOptions}};
///
/// let options = DebounceOptions { wait: Duration::from_millis(20), ..DebounceOptions::default() };
/// let store = Arc::new(MemoryStore::new());
/// let mut debounce = Debounce::with_options(store, "index", &options)?;
/// let called = debounce.call(b"page 7".as_slice(), async |run| {
///     // … index run.args(), and send run.fence() with every write …
///     Ok::<_, Infallible>(run.args().len())
/// }).await?;
/// assert_eq!(called, Called::Fired(6));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
///
/// # Cancellation
///
/// Every future of a handle may be dropped at any point. A call that is armed stays armed, for other
/// participants and sweepers. A run that was dropped stays in the handle: [`Debounce::in_flight`]
/// says so, the next call begins by giving it back, and without a next call its lease ends. The same
/// goes for a callback that panics.
pub struct Debounce<S, C> {
    machine: DebounceMachine,
    tokens: Tokens,
    store: S,
    clock: C,
}

/// How a callback ended.
enum Ended<R, E> {
    Returned(R),
    Failed(E),
    Overran,
}

#[cfg(feature = "tokio")]
impl<S: Store> Debounce<S, crate::time::TokioClock> {
    /// The debounced call named `id`, with the default [`DebounceOptions`] and tokens from the
    /// operating system.
    ///
    /// # Errors
    ///
    /// [`ConfigError::EmptyId`].
    pub fn new(store: S, id: &str) -> Result<Self, ConfigError> {
        Self::with_options(store, id, &DebounceOptions::default())
    }

    /// The debounced call named `id`, with settings of its own.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] names the first setting that cannot work.
    pub fn with_options(
        store: S,
        id: &str,
        options: &DebounceOptions,
    ) -> Result<Self, ConfigError> {
        let config = DebounceConfig::new(id, options)?;
        let tokens = Tokens::for_handle(&store);
        Ok(Self::from_config(store, crate::time::TokioClock::new(), config, tokens))
    }
}

impl<S: Store, C: Clock> Debounce<S, C> {
    /// The debounced call named `id` on a clock of the caller's, with the default
    /// [`DebounceOptions`].
    ///
    /// # Errors
    ///
    /// [`ConfigError::EmptyId`].
    #[cfg(feature = "std")]
    pub fn with_clock(store: S, clock: C, id: &str) -> Result<Self, ConfigError> {
        let config = DebounceConfig::new(id, &DebounceOptions::default())?;
        let tokens = Tokens::for_handle(&store);
        Ok(Self::from_config(store, clock, config, tokens))
    }

    /// A debounced call from all of its parts: what the other constructors call, and all that is
    /// there without the feature `std`.
    pub fn from_config(store: S, clock: C, config: DebounceConfig, mut tokens: Tokens) -> Self {
        let seed = tokens.seed();
        let own = Tokens::of_owner(tokens.fresh().as_str());
        Self { machine: DebounceMachine::new(config, own, seed), tokens, store, clock }
    }

    /// The name of what is debounced.
    #[must_use]
    pub fn id(&self) -> &str {
        self.machine.config().keys().id()
    }

    /// Calls, and stays until the call is settled or the patience is over. When it falls to this
    /// participant, `callback` runs with the **latest** arguments, whoever gave them, and is dropped
    /// where it is when its lease is over. An error re-arms its arguments.
    ///
    /// # Errors
    ///
    /// [`CallError`] says whether the callback failed here, the store is down, or nobody knows.
    ///
    /// # Panics
    ///
    /// If `callback` does; its arguments are due again when the lease is over, or at the handle's
    /// next call.
    ///
    /// # Cancellation
    ///
    /// See [`Debounce`].
    pub async fn call<R, E>(
        &mut self,
        args: impl Into<Arc<[u8]>>,
        callback: impl AsyncFnOnce(Claim) -> Result<R, E>,
    ) -> Result<Called<R>, CallError<E>> {
        let request = DebounceRequest::Call { args: args.into() };
        Ok(match self.ask(request).await {
            DebounceOutcome::Run(claim) => match self.run(claim, callback).await? {
                (result, None) => Called::Fired(result),
                (result, Some(reason)) => Called::Unsettled { result, reason },
            },
            DebounceOutcome::Superseded { by } => Called::Superseded { by },
            DebounceOutcome::FiredElsewhere => Called::FiredElsewhere,
            DebounceOutcome::Suppressed { reopens_in_ms } => {
                Called::Suppressed { reopens_in: Duration::from_millis(reopens_in_ms) }
            }
            DebounceOutcome::Delegated { due_in_ms } => {
                Called::Delegated { due_in: Duration::from_millis(due_in_ms) }
            }
            DebounceOutcome::Cancelled => Called::Cancelled,
            outcome => return Err(failure(outcome)),
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
        &mut self,
        callback: impl AsyncFnOnce(Claim) -> Result<R, E>,
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
        &mut self,
        callback: impl AsyncFnOnce(Claim) -> Result<R, E>,
    ) -> Result<Swept<R>, CallError<E>> {
        self.sweep_as(DebounceRequest::Flush, callback).await
    }

    /// Drops what waits to run, and says whether anything did. A run under way goes on, but is not
    /// repeated if it fails.
    ///
    /// # Errors
    ///
    /// What the store answered instead. After [`StoreError::Unknown`], it may have happened.
    pub async fn cancel(&mut self) -> Result<bool, StoreError> {
        match self.ask(DebounceRequest::Cancel).await {
            DebounceOutcome::Cancelled => Ok(true),
            DebounceOutcome::Idle { .. } => Ok(false),
            outcome => Err(store_error(outcome)),
        }
    }

    /// Asks the store what waits and what runs. It may have changed since.
    ///
    /// # Errors
    ///
    /// What the store answered instead.
    pub async fn status(&mut self) -> Result<DebounceStatus, StoreError> {
        match self.ask(DebounceRequest::Status).await {
            DebounceOutcome::Status(status) => Ok(status),
            outcome => Err(store_error(outcome)),
        }
    }

    /// The name of the run whose end the server may still wait for. See
    /// [`DebounceMachine::in_flight`].
    #[must_use]
    pub fn in_flight(&self) -> Option<&Token> {
        self.machine.in_flight()
    }

    async fn sweep_as<R, E>(
        &mut self,
        request: DebounceRequest,
        callback: impl AsyncFnOnce(Claim) -> Result<R, E>,
    ) -> Result<Swept<R>, CallError<E>> {
        Ok(match self.ask(request).await {
            DebounceOutcome::Run(claim) => match self.run(claim, callback).await? {
                (result, None) => Swept::Fired(result),
                (result, Some(reason)) => Swept::Unsettled { result, reason },
            },
            DebounceOutcome::Idle { due_in_ms } => {
                Swept::Idle { due_in: due_in_ms.map(Duration::from_millis) }
            }
            outcome => return Err(failure(outcome)),
        })
    }

    async fn ask(&mut self, request: DebounceRequest) -> DebounceOutcome {
        drive(&mut self.machine, &self.store, &self.clock, request).await
    }

    /// Runs the callback under its claim, and tells the server how it went.
    async fn run<R, E>(
        &mut self,
        claim: Claim,
        callback: impl AsyncFnOnce(Claim) -> Result<R, E>,
    ) -> Result<(R, Option<Unsettled>), CallError<E>> {
        let deadline = claim.deadline();
        let clock = &self.clock;
        let overrun = async {
            clock.sleep_until(deadline).await;
            Ended::Overran
        };
        let work = async {
            match callback(claim).await {
                Ok(result) => Ended::Returned(result),
                Err(error) => Ended::Failed(error),
            }
        };
        // The clock first: work that would begin to act after the deadline never does.
        let ended = race(overrun, work).await;
        let success = matches!(ended, Ended::Returned(_));
        let outcome = self.ask(DebounceRequest::Finish { success }).await;
        match ended {
            Ended::Returned(result) => Ok((result, unsettled(outcome))),
            Ended::Failed(error) => Err(CallError::Failed { error, next: next_run(outcome) }),
            Ended::Overran => Err(CallError::Overran { next: next_run(outcome) }),
        }
    }
}

impl<S: Clone, C: Clone> Debounce<S, C> {
    /// Another participant in the same debounced call.
    #[must_use]
    pub fn sibling(&mut self) -> Self {
        self.participant(self.machine.config().clone())
    }

    /// A participant in the debounced call of one `key`, e.g. of one argument: its id is this id, a
    /// colon and the key. Different keys never wait for one another.
    ///
    /// # Errors
    ///
    /// [`ConfigError::EmptyId`] if `key` is empty.
    pub fn for_key(&mut self, key: &str) -> Result<Self, ConfigError> {
        if key.is_empty() {
            return Err(ConfigError::EmptyId);
        }
        let config = self.machine.config();
        let config = config.with_id(&format!("{}:{key}", config.keys().id()))?;
        Ok(self.participant(config))
    }

    fn participant(&mut self, config: DebounceConfig) -> Self {
        let own = Tokens::of_owner(self.tokens.fresh().as_str());
        let children = Tokens::of_owner(self.tokens.fresh().as_str());
        let seed = own.seed();
        let machine = DebounceMachine::new(config, own, seed);
        Self { machine, tokens: children, store: self.store.clone(), clock: self.clock.clone() }
    }
}

impl<S, C> fmt::Debug for Debounce<S, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Debounce").field("machine", &self.machine).finish_non_exhaustive()
    }
}

fn unsettled(outcome: DebounceOutcome) -> Option<Unsettled> {
    match outcome {
        DebounceOutcome::Fired { .. } => None,
        DebounceOutcome::TakenOver => Some(Unsettled::TakenOver),
        outcome => Some(Unsettled::Unknown(store_error(outcome))),
    }
}

fn next_run(outcome: DebounceOutcome) -> NextRun {
    match outcome {
        DebounceOutcome::Rearmed { due_in_ms } => {
            NextRun::Rearmed { due_in: Duration::from_millis(due_in_ms) }
        }
        DebounceOutcome::TakenOver => NextRun::TakenOver,
        DebounceOutcome::Cancelled => NextRun::Cancelled,
        outcome => NextRun::Unknown(store_error(outcome)),
    }
}

fn failure<E>(outcome: DebounceOutcome) -> CallError<E> {
    match outcome {
        DebounceOutcome::Unavailable(error) => CallError::Unavailable(error),
        DebounceOutcome::Rejected(rejection) => CallError::Rejected(rejection),
        outcome => CallError::Unknown(store_error(outcome)),
    }
}

fn store_error(outcome: DebounceOutcome) -> StoreError {
    match outcome {
        // An earlier sending may have been applied, though the last one was not.
        DebounceOutcome::Unknown(StoreError::NotSent(cause)) => StoreError::Unknown(cause),
        DebounceOutcome::Unavailable(error) | DebounceOutcome::Unknown(error) => error,
        DebounceOutcome::Rejected(rejection) => StoreError::Rejected(rejection),
        outcome => unreachable!("this request never ends in {outcome:?}"),
    }
}
