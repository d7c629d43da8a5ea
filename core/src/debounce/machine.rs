//! The debounced call's protocol.
//!
//! As straight-line code it would read:
//!
//! ```text
//! call:    seq, due = store.call(call_id, args)              // again while it is unclear
//!          loop {
//!              if due > leave_at { return Delegated }
//!              sleep(until due)
//!              match store.claim(runner, seq) {              // again while it is unclear
//!                  Claimed  => return Run(args, fence, deadline)
//!                  NotDue   => due = as it says              // a newer call came: stay as a backup
//!                  Running  => due = soon                    // takes over when its lease is over
//!                  Settled  => return Superseded | FiredElsewhere | Cancelled
//!                  Missing  => due = store.call(args, seq)   // the record was lost: put it back
//!              }
//!          }
//! end:     store.finish(runner, went well?)                  // again while it is unclear
//! sweep:   store.claim(runner)
//! flush:   store.flush(); sweep
//! ```
//!
//! As a machine, every `store.` above is a state, and the caller may vanish in any of them. A claim
//! that nobody will run is given back: as a run that failed and is due again at once.

mod call;
mod finish;
mod state;

use alloc::{borrow::Cow, boxed::Box, format, sync::Arc};
use core::time::Duration;

use self::state::{Call, Next, Participant, Purpose, Question, Run, State};
use super::{
    CallOutcome, Claim, DebounceCommand, DebounceConfig, DebounceOutcome, DebounceReply, NextRun,
    SweepOutcome, Unsettled,
};
use crate::{
    jitter::Jitter,
    machine::{Action, Event, Machine},
    store::{Cause, Command, Reply, StoreError},
    time::Instant,
    token::{Token, Tokens},
};

/// What a caller asks of a debounced call.
///
/// ```
/// use leasehold_core::debounce::DebounceRequest;
///
/// let call = DebounceRequest::Call { args: b"page 7".as_slice().into() };
/// assert_ne!(call, DebounceRequest::Sweep);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum DebounceRequest {
    /// Count a call, and participate until it is settled.
    Call {
        /// The arguments, as the callers understand them.
        args: Arc<[u8]>,
    },
    /// Claim whatever is due, whoever called.
    Sweep,
    /// Drop what waits to run.
    Cancel,
    /// Make due what waits to run, and claim it.
    Flush,
    /// End the run that was claimed, since it went well. Without one, it was taken over.
    Succeed,
    /// End the run that was claimed, since it failed. Without one, it was taken over.
    Fail,
    /// Ask what the record says.
    Status,
}

/// A debounced call as a value: one participant. See [`Machine`] for how to drive it.
///
/// Once it has a claim, run the callback until [`Claim::deadline`] and say
/// [`DebounceRequest::Succeed`] or [`DebounceRequest::Fail`]; any other request gives the claim back
/// first.
///
/// ```
/// use leasehold_core::{
///     Action, Event, Instant, Machine, Tokens,
///     debounce::{DebounceConfig, DebounceMachine, DebounceOptions, DebounceRequest},
/// };
///
/// let config = DebounceConfig::new("index", &DebounceOptions::default())?;
/// let mut machine = DebounceMachine::new(config, Tokens::of_owner("me"), 0);
/// let call = DebounceRequest::Call { args: b"page 7".as_slice().into() };
/// let action = machine.step(Instant::ORIGIN, Event::Start(call));
/// assert!(matches!(action, Action::Call { .. }));
/// # Ok::<(), leasehold_core::ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DebounceMachine {
    config: DebounceConfig,
    tokens: Tokens,
    jitter: Jitter,
    run: Option<Run>,
    /// The end of a run, or the return of a claim, of which the server may not know.
    owed: Option<DebounceCommand>,
    state: State,
}

impl Machine for DebounceMachine {
    type Outcome = DebounceOutcome;
    type Request = DebounceRequest;

    fn step(&mut self, now: Instant, event: Event<DebounceRequest>) -> Action<DebounceOutcome> {
        let action = match event {
            Event::Start(request) => self.start(now, request),
            Event::Replied(result) => self.replied(now, result),
            Event::Woke => self.woke(now),
            Event::Notified | Event::Subscribed(_) => {
                unreachable!("driver: a debounced call subscribes to nothing")
            }
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

impl DebounceMachine {
    /// A participant that has done nothing yet. `jitter_seed` spreads the delays; any number will
    /// do.
    #[must_use]
    pub fn new(config: DebounceConfig, tokens: Tokens, jitter_seed: u64) -> Self {
        let jitter = Jitter::from_seed(jitter_seed);
        Self { config, tokens, jitter, run: None, owed: None, state: State::Idle }
    }

    /// The settings.
    #[must_use]
    pub fn config(&self) -> &DebounceConfig {
        &self.config
    }

    /// The run that has begun and not ended.
    #[must_use]
    pub fn claim(&self) -> Option<&Claim> {
        self.run.as_ref().map(|run| &run.claim)
    }

    /// The name of the run whose end the server may still wait for: of the one that has begun and
    /// not ended, or of a claim or an end that was dropped or never answered. The next request
    /// starts by telling the server; without one, its lease ends. (A call itself needs no clean-up:
    /// once armed, it stays armed for others.)
    #[must_use]
    pub fn in_flight(&self) -> Option<&Token> {
        let owed = match &self.state {
            State::Asking(question) | State::Pausing(question) => match &question.purpose {
                Purpose::Claim(participant) => Some(&participant.runner),
                Purpose::Arm(participant) => participant.held(),
                Purpose::Finish { .. } | Purpose::GiveBack(_) => question.command.name(),
                Purpose::Cancel | Purpose::Flush | Purpose::Inspect => None,
            },
            State::Waiting(participant) => participant.held(),
            State::Idle => None,
        };
        let begun = || self.run.as_ref().map(|run| &run.runner);
        owed.or_else(begun).or_else(|| self.owed.as_ref().and_then(DebounceCommand::name))
    }

    /// Of a machine that nobody drives: whether a call or a run of it was dropped of which the server
    /// waits for an end.
    #[cfg(feature = "std")]
    pub(super) fn is_dropped(&self) -> bool {
        self.in_flight().is_some() && (self.state != State::Idle || self.run.is_some())
    }

    fn start(&mut self, now: Instant, request: DebounceRequest) -> Action<DebounceOutcome> {
        self.interrupt();
        match request {
            DebounceRequest::Succeed => self.finish(now, true),
            DebounceRequest::Fail => self.finish(now, false),
            DebounceRequest::Call { .. }
            | DebounceRequest::Cancel
            | DebounceRequest::Flush
            | DebounceRequest::Status
            | DebounceRequest::Sweep => {
                if let Some(run) = self.run.take() {
                    self.owed = Some(self.give_back_command(run.runner));
                }
                match self.owed.take() {
                    Some(command) => self.give_back(now, command, Next::Begin(request)),
                    None => self.begin(now, request),
                }
            }
        }
    }

    /// Leaves what was under way, and remembers what the server must be told.
    fn interrupt(&mut self) {
        let owed = match core::mem::take(&mut self.state) {
            State::Asking(question) | State::Pausing(question) => match question.purpose {
                Purpose::Claim(participant) => Some(self.give_back_command(participant.runner)),
                Purpose::Arm(participant) => self.owed_by(participant),
                Purpose::Finish { .. } | Purpose::GiveBack(_) => Some(question.command),
                Purpose::Cancel | Purpose::Flush | Purpose::Inspect => None,
            },
            State::Waiting(participant) => self.owed_by(participant),
            State::Idle => None,
        };
        self.owed = owed.or_else(|| self.owed.take());
    }

    fn begin(&mut self, now: Instant, request: DebounceRequest) -> Action<DebounceOutcome> {
        match request {
            DebounceRequest::Call { args } => self.first_call(now, args),
            DebounceRequest::Sweep => self.sweep(now),
            DebounceRequest::Succeed => self.finish(now, true),
            DebounceRequest::Fail => self.finish(now, false),
            DebounceRequest::Cancel => {
                let (keys, request) = (self.config.keys.clone(), self.tokens.fresh());
                let retention = self.config.retention;
                let command = DebounceCommand::Cancel { keys, request, retention };
                self.ask(now, command, Purpose::Cancel)
            }
            DebounceRequest::Flush => {
                let (keys, request) = (self.config.keys.clone(), self.tokens.fresh());
                let retention = self.config.retention;
                let command = DebounceCommand::Flush { keys, request, retention };
                self.ask(now, command, Purpose::Flush)
            }
            DebounceRequest::Status => {
                let keys = self.config.keys.clone();
                self.ask(now, DebounceCommand::Inspect { keys }, Purpose::Inspect)
            }
        }
    }

    fn replied(
        &mut self,
        now: Instant,
        result: Result<Reply, StoreError>,
    ) -> Action<DebounceOutcome> {
        let State::Asking(question) = core::mem::take(&mut self.state) else {
            unreachable!("driver: a reply came, but nothing was asked")
        };
        match result {
            Ok(Reply::Debounce(reply)) => self.answered(now, question, reply),
            Ok(Reply::Lock(_)) => self.failed(now, question, malformed("an answer about a lock")),
            Err(error) => self.failed(now, question, error),
        }
    }

    /// The replies that end a request. A reply that does not answer the command may still mean that
    /// it was applied: see [`Reply`].
    fn answered(
        &mut self,
        now: Instant,
        question: Question,
        reply: DebounceReply,
    ) -> Action<DebounceOutcome> {
        use DebounceReply as R;
        Action::Done(match (&question.purpose, reply) {
            (Purpose::Finish { success: true, seq, .. }, R::Finished) => {
                DebounceOutcome::Succeed(Ok(*seq))
            }
            (Purpose::Finish { success: true, .. }, R::Stale) => {
                DebounceOutcome::Succeed(Err(Unsettled::TakenOver))
            }
            (Purpose::Finish { success: false, .. }, R::Rearmed { due_in_ms }) => {
                let due_in = Duration::from_millis(due_in_ms);
                DebounceOutcome::Fail(NextRun::Rearmed { due_in })
            }
            (Purpose::Finish { success: false, .. }, R::Stale) => {
                DebounceOutcome::Fail(NextRun::TakenOver)
            }
            (Purpose::Finish { success: false, .. }, R::Dropped) => {
                DebounceOutcome::Fail(NextRun::Cancelled)
            }
            (Purpose::Cancel, R::Cancelled { pending }) => DebounceOutcome::Cancel(Ok(pending)),
            (Purpose::Inspect, R::Status(status)) => DebounceOutcome::Status(Ok(status)),
            (_, reply) => return self.go_on(now, question, reply),
        })
    }

    /// The replies after which something else is to be done.
    fn go_on(
        &mut self,
        now: Instant,
        question: Question,
        reply: DebounceReply,
    ) -> Action<DebounceOutcome> {
        use DebounceReply as R;
        match (question.purpose, reply) {
            (Purpose::Arm(it), R::Armed { seq, due_in_ms }) => self.armed(now, it, seq, due_in_ms),
            (Purpose::Arm(it), R::Suppressed { reopens_in_ms }) => {
                let outcome = CallOutcome::Suppressed { reopens_in_ms };
                self.leave(now, it, DebounceOutcome::Call(Ok(outcome)))
            }
            (Purpose::Flush, R::Flushed { .. }) => self.sweep(now),
            (Purpose::GiveBack(next), R::Dropped | R::Finished | R::Rearmed { .. } | R::Stale) => {
                self.proceed(now, *next)
            }
            (purpose, reply) => self.looked(now, Question { purpose, ..question }, reply),
        }
    }

    /// Asks again, or gives up.
    fn failed(
        &mut self,
        now: Instant,
        mut question: Question,
        error: StoreError,
    ) -> Action<DebounceOutcome> {
        question.ambiguous |= matches!(error, StoreError::Unknown(_));
        if !matches!(error, StoreError::Rejected(_)) && self.may_retry(now, &question) {
            let delay_us = self.backoff(question.tries - 1);
            self.state = State::Pausing(question);
            return Action::SleepUntil(now.plus_micros(delay_us));
        }
        let ambiguous = question.ambiguous;
        match question.purpose {
            Purpose::Claim(mut participant) => {
                participant.may_hold |= ambiguous;
                let error = in_doubt(ambiguous || participant.call.is_some(), error);
                let outcome = participant.failed(error);
                self.leave(now, participant, outcome)
            }
            Purpose::Arm(participant) => {
                let was_armed = participant.call.as_ref().is_some_and(|call| call.seq > 0);
                let outcome = participant.failed(in_doubt(ambiguous || was_armed, error));
                self.leave(now, participant, outcome)
            }
            Purpose::GiveBack(next) => {
                // Its lease ends in any case, so the caller does not suffer for it.
                self.owed = Some(question.command);
                self.proceed(now, *next)
            }
            Purpose::Finish { success, .. } => {
                self.owed = Some(question.command);
                let error = in_doubt(ambiguous, error);
                Action::Done(if success {
                    DebounceOutcome::Succeed(Err(Unsettled::Unknown(error)))
                } else {
                    DebounceOutcome::Fail(NextRun::Unknown(error))
                })
            }
            Purpose::Cancel => {
                Action::Done(DebounceOutcome::Cancel(Err(in_doubt(ambiguous, error))))
            }
            Purpose::Flush => Action::Done(DebounceOutcome::Sweep(Err(in_doubt(ambiguous, error)))),
            Purpose::Inspect => {
                Action::Done(DebounceOutcome::Status(Err(in_doubt(ambiguous, error))))
            }
        }
    }

    /// A caller whose call is armed keeps asking for as long as it participates, and the end of a
    /// run is told for as long as nobody else may start over. But nothing else is sent again when
    /// the server may have forgotten the first sending.
    fn may_retry(&self, now: Instant, question: &Question) -> bool {
        let life_us = self.config.retention.memo_ms * 1_000;
        let remembered = now < question.first_sent.plus_micros(life_us / 2);
        let tries_left = question.tries < self.config.attempts;
        match &question.purpose {
            Purpose::Claim(participant) if participant.call.is_some() => now < participant.leave_at,
            Purpose::Finish { deadline, .. } => remembered && (tries_left || now < *deadline),
            _ => remembered && tries_left,
        }
    }

    fn woke(&mut self, now: Instant) -> Action<DebounceOutcome> {
        match core::mem::take(&mut self.state) {
            State::Waiting(participant) => self.look(now, participant),
            State::Pausing(question) => {
                self.send(now, Question { tries: question.tries.saturating_add(1), ..question })
            }
            state => unreachable!("driver: a sleep ended in {state:?}"),
        }
    }

    fn stop(&mut self, now: Instant) -> Action<DebounceOutcome> {
        let telling = matches!(
            &self.state,
            State::Asking(question) | State::Pausing(question)
                if matches!(question.purpose, Purpose::Finish { .. } | Purpose::GiveBack(_))
        );
        self.interrupt();
        match self.owed.take() {
            Some(command) if !telling => {
                self.give_back(now, command, Next::End(DebounceOutcome::Stopped))
            }
            owed => {
                self.owed = owed;
                Action::Done(DebounceOutcome::Stopped)
            }
        }
    }

    fn ask(
        &mut self,
        now: Instant,
        command: DebounceCommand,
        purpose: Purpose,
    ) -> Action<DebounceOutcome> {
        let question = Question {
            command,
            purpose,
            tries: 1,
            first_sent: now,
            sent_at: now,
            ambiguous: false,
        };
        self.send(now, question)
    }

    fn send(&mut self, now: Instant, mut question: Question) -> Action<DebounceOutcome> {
        debug_assert!(self.run.is_none(), "a run is ended before anything else is asked");
        debug_assert!(question.first_sent <= now, "time does not go back");
        question.sent_at = now;
        let command = Command::Debounce(question.command.clone());
        self.state = State::Asking(question);
        Action::Call { command, give_up_at: now.plus_micros(self.config.call_timeout_us) }
    }

    fn proceed(&mut self, now: Instant, next: Next) -> Action<DebounceOutcome> {
        match next {
            Next::Begin(request) => self.begin(now, request),
            Next::Look(participant) => self.look(now, participant),
            Next::End(outcome) => Action::Done(outcome),
        }
    }

    /// The delay, doubled `times` times but no more than four times.
    fn backoff(&mut self, times: u32) -> u64 {
        let delay_us = self.config.delay_us.saturating_mul(1 << times.min(4));
        if self.config.jitter { self.jitter.spread(delay_us) } else { delay_us }
    }
}

/// That a reply does not answer its command.
fn no_answer(reply: &DebounceReply) -> StoreError {
    malformed(format!("{reply:?} does not answer the command"))
}

fn malformed(what: impl Into<Cow<'static, str>>) -> StoreError {
    StoreError::Unknown(Cause::Malformed(what.into()))
}

/// What to say after the last try: whether or not that was applied, an earlier one may have been.
fn in_doubt(ambiguous: bool, error: StoreError) -> StoreError {
    match error {
        StoreError::NotSent(cause) if ambiguous => StoreError::Unknown(cause),
        StoreError::Rejected(rejection) if ambiguous => {
            StoreError::Unknown(Cause::Other(rejection.message))
        }
        error => error,
    }
}
