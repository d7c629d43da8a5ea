//! The lock's protocol.
//!
//! As straight-line code it would read:
//!
//! ```text
//! acquire:  for attempt in 1..=attempts {
//!               token = fresh(); sent = now()
//!               match store.acquire(token, lease) {
//!                   Acquired if now() < sent + lease - margin => return Acquired(deadline)
//!                            // after an extend, if a caller's own token was there already
//!                   Acquired | Unknown => store.release(token)    // leaves a tombstone
//!                   Busy | NotSent     => {}
//!                   Revoked            => {}        // a copy of it was told Busy; a caller's own
//!                                                   // token ends the call
//!                   Rejected           => return Rejected
//!               }
//!               sleep(delay)                                        // not after the last one
//!           }
//! within:   as acquire, until a deadline instead of a number of times; after the first Busy:
//!               subscribe(lock), and try again at once    // a release in between is not missed
//!               sleep until the holder's lease is over, or a bound, or a notification
//! extend:   store.extend(token, rest + by); deadline = max(deadline, sent + rest + by - margin)
//! keep:     at each third of the lease: extend to a whole lease; at the deadline: Lost
//!           with a durability level, each grant and extension is followed by:
//!               store.confirm(replicas)                 // too few: release, or the old deadline
//! release:  store.release(token), again while it is unclear whether it arrived
//! lean:     the same by store.acquire_lean(token), which may only say Taken: then it is asked
//!           again, by whom and for how long; and by store.release_lean(token): no tombstone
//! ```
//!
//! As a machine, every `store.` above is a state, and the caller may vanish in any of them.

mod acquire;
mod extend;
mod release;
mod secure;
mod wait;

use alloc::{boxed::Box, format};

use super::{
    AcquireRequest, ExtendError, Grant, Guarantee, IfHeld, LockCommand, LockConfig, LockOutcome,
    LockReply, LossReason, NotAcquired, RELEASE_TRIES, ReleaseError, Released,
};
use crate::{
    jitter::Jitter,
    machine::{Action, Event, Machine},
    store::{Cause, Command, Reply, StoreError},
    time::Instant,
    token::{Fence, Token, Tokens},
};

/// What a caller asks of a lock.
///
/// ```
/// use leasehold_core::lock::{LockConfig, LockOptions, LockRequest};
///
/// let config = LockConfig::new("job", &LockOptions::new())?;
/// let requests = [LockRequest::Acquire(config.acquire()), LockRequest::Keep, LockRequest::Release];
/// # let _ = requests;
/// # Ok::<(), leasehold_core::ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum LockRequest {
    /// Take the lock. A lease that the machine still has is given up first.
    Acquire(AcquireRequest),
    /// Move the deadline by this many milliseconds.
    Extend {
        /// Milliseconds, as checked by [`LockConfig::extension`].
        by_ms: u64,
    },
    /// Renew the lease until told to stop, or until it is lost.
    Keep,
    /// Give the lock up.
    Release,
    /// Ask who holds the lock.
    Status,
}

/// A lock as a value. See [`Machine`] for how to drive it.
///
/// ```
/// use leasehold_core::{
///     Action, Event, Instant, Machine, Tokens,
///     lock::{LockConfig, LockMachine, LockOptions, LockRequest},
/// };
///
/// let config = LockConfig::new("job", &LockOptions::default())?;
/// let request = LockRequest::Acquire(config.acquire());
/// let mut machine = LockMachine::new(config, Tokens::of_owner("me"), 0);
/// let action = machine.step(Instant::ORIGIN, Event::Start(request));
/// assert!(matches!(action, Action::Call { .. }));
/// # Ok::<(), leasehold_core::ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LockMachine {
    config: LockConfig,
    tokens: Tokens,
    /// Whether the next token may be of the series that the last one was of.
    goes_on: bool,
    jitter: Jitter,
    grant: Option<Grant>,
    /// A token that may be under the key although nobody wants it.
    leftover: Option<Token>,
    renewals: u32,
    state: State,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
enum State {
    #[default]
    Idle,
    Acquiring(Attempt),
    /// The caller's own token was already under the key, since nobody knows when.
    Confirming(Attempt, Fence),
    /// With what the last try came to.
    Waiting(Attempt, NotAcquired),
    /// The replicas are awaited.
    Securing(Attempt, Fence),
    /// The driver is asked for a subscription.
    Subscribing(Attempt, NotAcquired),
    Clearing(Clearing),
    ClearPause(Clearing),
    Extending(Extension),
    /// With whether it is a renewal.
    SecuringExtension(Extension, bool),
    KeepSleeping,
    Renewing(Extension),
    Releasing(Releasing),
    ReleasePause(Releasing),
    Inspecting,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Attempt {
    request: AcquireRequest,
    number: u32,
    token: Token,
    /// The lease counts from here.
    sent_at: Instant,
    /// Whether the token may be under the key.
    ambiguous: bool,
    /// What a lean try is to find out.
    held: IfHeld,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Clearing {
    token: Token,
    tries: u64,
    /// When to leave it.
    until: Instant,
    then: Box<Next>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Next {
    Stop,
    End(NotAcquired),
    Retry(Attempt, NotAcquired),
    Start(LockRequest),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Extension {
    sent_at: Instant,
    lease_ms: u64,
    replicas: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Releasing {
    token: Token,
    tries: u64,
    ambiguous: bool,
    /// Whether the key was not over yet when the lease was given up.
    was_held: bool,
}

impl Machine for LockMachine {
    type Outcome = LockOutcome;
    type Request = LockRequest;

    fn step(&mut self, now: Instant, event: Event<LockRequest>) -> Action<LockOutcome> {
        let action = match event {
            Event::Start(request) => self.start(now, request),
            Event::Replied(result) => self.replied(now, result),
            Event::Woke => self.woke(now),
            Event::Notified => self.notified(now),
            Event::Subscribed(subscribed) => self.subscribed(now, subscribed),
            Event::Stop => self.stop(now),
        };
        debug_assert_eq!(
            matches!(action, Action::Done(_)),
            self.state == State::Idle,
            "a request is over exactly when nothing is under way"
        );
        debug_assert!(action.is_not_before(now), "nothing is asked for in the past");
        action
    }
}

impl LockMachine {
    /// A lock that holds nothing. `jitter_seed` spreads the delays; any number will do.
    #[must_use]
    pub fn new(config: LockConfig, tokens: Tokens, jitter_seed: u64) -> Self {
        Self {
            config,
            tokens,
            goes_on: false,
            jitter: Jitter::from_seed(jitter_seed),
            grant: None,
            leftover: None,
            renewals: 0,
            state: State::Idle,
        }
    }

    /// The settings.
    #[must_use]
    pub fn config(&self) -> &LockConfig {
        &self.config
    }

    /// The lease that the machine has, dead or alive: compare its deadline with the clock.
    #[must_use]
    pub fn grant(&self) -> Option<&Grant> {
        self.grant.as_ref()
    }

    /// The token that may be under the key although no lease is held: of a call under way, or of
    /// one that was dropped or never answered. The next request starts by cleaning it up.
    #[must_use]
    pub fn in_flight(&self) -> Option<&Token> {
        match &self.state {
            State::Acquiring(attempt)
            | State::Confirming(attempt, _)
            | State::Securing(attempt, _) => Some(&attempt.token),
            State::Subscribing(attempt, _) | State::Waiting(attempt, _) if attempt.ambiguous => {
                Some(&attempt.token)
            }
            State::Clearing(clearing) | State::ClearPause(clearing) => Some(&clearing.token),
            State::Releasing(releasing) | State::ReleasePause(releasing) => Some(&releasing.token),
            State::Extending(_)
            | State::Idle
            | State::Inspecting
            | State::KeepSleeping
            | State::Renewing(_)
            | State::SecuringExtension(..)
            | State::Subscribing(..)
            | State::Waiting(..) => self.leftover.as_ref(),
        }
    }

    /// Takes over a lease from another process: its token and fence, and how long it is certain to
    /// last, counted from `now`. The margin is taken off.
    ///
    /// # Panics
    ///
    /// If the machine has a lease or something in flight: release that first.
    pub fn adopt(&mut self, now: Instant, token: Token, fence: Fence, lease_ms: u64) {
        assert!(
            self.grant.is_none() && self.in_flight().is_none(),
            "only a machine that holds nothing can take over a lease"
        );
        self.grant = Some(self.granted(token, fence, lease_ms, now));
    }

    /// Of a machine that nobody drives: whether a call of it was dropped that may have been granted
    /// the lock, and that can be cleaned up at any later time. What is not revoked by its release, and
    /// may be asked for again, cannot: the release could come after that.
    #[cfg(feature = "std")]
    pub(super) fn is_dropped(&self) -> bool {
        let may_come_again = |token: &Token| token.series().1 == 0 && self.is_lean();
        self.state != State::Idle && self.in_flight().is_some_and(|token| !may_come_again(token))
    }

    /// Remembers a token that may be under the key although nobody wants it.
    #[cfg(feature = "std")]
    pub(super) fn leave_behind(&mut self, token: Token) {
        self.leftover = Some(token);
    }

    /// Moves the lease and what is under way for it into a machine of their own, which never makes
    /// a token; this one goes on making them, so none is made twice.
    #[cfg(feature = "std")]
    pub(super) fn hand_over(&mut self) -> Self {
        let successor = Self {
            jitter: self.jitter.clone(),
            ..Self::new(self.config.clone(), self.tokens.clone(), 0)
        };
        core::mem::replace(self, successor)
    }

    /// What was handed over is done with: its series may go on.
    #[cfg(feature = "std")]
    pub(super) fn resume_series(&mut self) {
        self.goes_on = true;
    }

    fn start(&mut self, now: Instant, request: LockRequest) -> Action<LockOutcome> {
        if let Some(token) = self.in_flight().cloned() {
            self.leftover = Some(token);
        }
        self.state = State::Idle;
        match request {
            LockRequest::Release => self.release(now),
            LockRequest::Acquire(_)
            | LockRequest::Extend { .. }
            | LockRequest::Keep
            | LockRequest::Status => self.clear_leftover(now, request),
        }
    }

    fn clear_leftover(&mut self, now: Instant, request: LockRequest) -> Action<LockOutcome> {
        match self.leftover.take() {
            Some(token) => self.clear(now, token, Next::Start(request)),
            None => self.begin(now, request),
        }
    }

    fn begin(&mut self, now: Instant, request: LockRequest) -> Action<LockOutcome> {
        match request {
            LockRequest::Acquire(request) => match self.grant.take() {
                Some(old) => self.clear(now, old.token, Next::Start(LockRequest::Acquire(request))),
                None => self.first_try(now, request),
            },
            LockRequest::Extend { by_ms } => self.extend(now, by_ms),
            LockRequest::Keep => {
                self.renewals = 0;
                self.keep(now)
            }
            LockRequest::Release => self.release(now),
            LockRequest::Status => {
                self.state = State::Inspecting;
                let token = self.grant.as_ref().map(|grant| grant.token.clone());
                let keys = self.config.keys.clone();
                self.call(now, Instant::NEVER, LockCommand::Inspect { keys, token })
            }
        }
    }

    fn replied(&mut self, now: Instant, result: Result<Reply, StoreError>) -> Action<LockOutcome> {
        let result = result.and_then(lock_reply);
        match core::mem::take(&mut self.state) {
            State::Acquiring(attempt) => self.acquire_replied(now, attempt, result),
            State::Confirming(attempt, fence) => self.confirm_replied(now, attempt, fence, result),
            State::Clearing(clearing) => self.clear_replied(now, clearing, result),
            State::Extending(extension) => self.extend_replied(now, extension, false, result),
            State::Renewing(extension) => self.extend_replied(now, extension, true, result),
            State::Securing(attempt, fence) => self.secured(now, attempt, fence, result),
            State::SecuringExtension(extension, renewal) => {
                self.extension_secured(now, extension, renewal, result)
            }
            State::Releasing(releasing) => self.release_replied(now, releasing, result),
            State::Inspecting => Action::Done(LockOutcome::Status(match result {
                Ok(LockReply::Holder(holder)) => Ok(holder),
                other => Err(unexpected(other)),
            })),
            state => unreachable!("driver: a reply came in {state:?}"),
        }
    }

    fn woke(&mut self, now: Instant) -> Action<LockOutcome> {
        match core::mem::take(&mut self.state) {
            State::Waiting(attempt, outcome) => self.wait_is_over(now, attempt, outcome),
            State::ClearPause(clearing) => self.send_clear(now, clearing),
            State::ReleasePause(releasing) => self.send_release(now, releasing),
            State::KeepSleeping => self.keep(now),
            state => unreachable!("driver: a sleep ended in {state:?}"),
        }
    }

    fn stop(&mut self, now: Instant) -> Action<LockOutcome> {
        match core::mem::take(&mut self.state) {
            State::Acquiring(attempt)
            | State::Confirming(attempt, _)
            | State::Securing(attempt, _) => self.clear(now, attempt.token, Next::Stop),
            State::Subscribing(attempt, _) | State::Waiting(attempt, _) if attempt.ambiguous => {
                self.clear(now, attempt.token, Next::Stop)
            }
            State::Clearing(clearing) | State::ClearPause(clearing) => {
                self.leftover = Some(clearing.token);
                Action::Done(LockOutcome::Stopped)
            }
            State::Releasing(releasing) | State::ReleasePause(releasing) => {
                self.leftover = Some(releasing.token);
                Action::Done(LockOutcome::Stopped)
            }
            State::Extending(_)
            | State::Idle
            | State::Inspecting
            | State::KeepSleeping
            | State::Renewing(_)
            | State::SecuringExtension(..)
            | State::Subscribing(..)
            | State::Waiting(..) => Action::Done(LockOutcome::Stopped),
        }
    }

    /// Asks the store, and gives up at the call timeout or at `useless_at`.
    fn call(&self, now: Instant, useless_at: Instant, command: LockCommand) -> Action<LockOutcome> {
        let give_up_at = now.plus_micros(self.config.call_timeout_us).min(useless_at).max(now);
        Action::Call { command: Command::Lock(command), give_up_at }
    }

    fn sleep(&mut self, now: Instant, delay_us: u64) -> Action<LockOutcome> {
        self.sleep_until(now, delay_us, Instant::NEVER)
    }

    /// Sleeps for about `delay_us`, but not beyond `until`.
    fn sleep_until(&mut self, now: Instant, delay_us: u64, until: Instant) -> Action<LockOutcome> {
        let delay_us = self.spread(delay_us);
        Action::SleepUntil(now.plus_micros(delay_us).min(until))
    }

    fn spread(&mut self, delay_us: u64) -> u64 {
        if self.config.jitter { self.jitter.spread(delay_us) } else { delay_us }
    }

    fn granted(&self, token: Token, fence: Fence, lease_ms: u64, from: Instant) -> Grant {
        let until = from.plus_micros(lease_ms * 1_000);
        let deadline = self.deadline(from, lease_ms);
        debug_assert!(deadline < until, "the holder gives a lease up before the server does");
        Grant { token, fence, lease_ms, until, deadline, replicas: 0 }
    }

    /// The end of a lease that was asked for at `from`, less the margin.
    fn deadline(&self, from: Instant, lease_ms: u64) -> Instant {
        let lease_us = lease_ms * 1_000;
        from.plus_micros(lease_us.saturating_sub(self.config.margin(lease_us)))
    }
}

fn lock_reply(reply: Reply) -> Result<LockReply, StoreError> {
    match reply {
        Reply::Lock(reply) => Ok(reply),
        Reply::Debounce(_) => Err(malformed("an answer about a debounced call")),
    }
}

/// A reply that does not answer the command may still mean that it was applied: see [`Reply`].
fn unexpected(result: Result<LockReply, StoreError>) -> StoreError {
    match result {
        Ok(reply) => malformed(format!("{reply:?} does not answer the command")),
        Err(error) => error,
    }
}

fn malformed(what: impl Into<alloc::borrow::Cow<'static, str>>) -> StoreError {
    StoreError::Unknown(Cause::Malformed(what.into()))
}

fn not_acquired(why: NotAcquired) -> Action<LockOutcome> {
    Action::Done(LockOutcome::Acquire(Err(why)))
}
