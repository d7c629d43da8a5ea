//! The lock's transitions, one fact a test.

mod acquire;
mod cleanup;
mod extend;
mod keep;
mod lean;
mod property;
mod release;
mod secure;
mod wait;

use std::{string::String, time::Duration, vec, vec::Vec};

use super::*;
use crate::{
    machine::{Action, Event, Machine},
    store::{Cause, Command, Rejection, RejectionKind, Reply, StoreError},
    time::Instant,
    token::{Fence, Token, Tokens},
};

const TIMED_OUT: StoreError = StoreError::Unknown(Cause::TIMED_OUT);
const UNREACHABLE: StoreError =
    StoreError::NotSent(Cause::Unreachable(std::borrow::Cow::Borrowed("refused")));

/// A machine, its clock and its last action. A lease of 10 s has a margin of 102 ms.
#[derive(Clone)]
struct Scene {
    machine: LockMachine,
    now: Instant,
    action: Action<LockOutcome>,
}

impl Scene {
    fn new() -> Self {
        Self::with(|_| ())
    }

    fn with(change: impl FnOnce(&mut LockOptions)) -> Self {
        let mut options = LockOptions::new().jitter(false);
        change(&mut options);
        let config = LockConfig::new("job", &options).unwrap();
        let machine = LockMachine::new(config, Tokens::of_owner("me"), 0);
        let action = Action::Done(LockOutcome::Stopped);
        Self { machine, now: Instant::from_micros(1_000_000), action }
    }

    /// A scene in which the lock is held since `now`.
    fn held() -> Self {
        let mut scene = Self::new();
        scene.acquire().reply(granted());
        assert!(matches!(scene.done(), LockOutcome::Acquire(Ok(_))));
        scene
    }

    fn pass(&mut self, millis: u64) -> &mut Self {
        self.now = self.now.plus_micros(millis * 1_000);
        self
    }

    fn step(&mut self, event: Event<LockRequest>) -> &mut Self {
        self.action = self.machine.step(self.now, event);
        self
    }

    fn start(&mut self, request: LockRequest) -> &mut Self {
        self.step(Event::Start(request))
    }

    fn acquire(&mut self) -> &mut Self {
        self.acquire_with(AcquireOptions::default())
    }

    fn acquire_with(&mut self, options: AcquireOptions) -> &mut Self {
        let request = self.machine.config().acquire_with(&options).unwrap();
        self.start(LockRequest::Acquire(request))
    }

    fn reply(&mut self, reply: LockReply) -> &mut Self {
        self.step(Event::Replied(Ok(Reply::Lock(reply))))
    }

    fn fail(&mut self, error: StoreError) -> &mut Self {
        self.step(Event::Replied(Err(error)))
    }

    /// Sleeps as told.
    fn sleep(&mut self) -> &mut Self {
        self.now = self.woken_at();
        self.step(Event::Woke)
    }

    fn stop(&mut self) -> &mut Self {
        self.step(Event::Stop)
    }

    fn woken_at(&self) -> Instant {
        match self.action {
            Action::SleepUntil(at) => at,
            _ => panic!("not asleep: {:?}", self.action),
        }
    }

    fn millis_asleep(&self) -> u128 {
        self.woken_at().since(self.now).as_millis()
    }

    fn command(&self) -> &LockCommand {
        match &self.action {
            Action::Call { command: Command::Lock(command), .. } => command,
            action => panic!("no call: {action:?}"),
        }
    }

    fn millis_to_give_up(&self) -> u128 {
        match &self.action {
            Action::Call { give_up_at, .. } => give_up_at.since(self.now).as_millis(),
            action => panic!("no call: {action:?}"),
        }
    }

    /// The call under way, as `what token`.
    fn call(&self) -> String {
        let (what, token) = match self.command() {
            LockCommand::Acquire { token, .. } => ("acquire ", token.as_str()),
            LockCommand::AcquireLean { token, held: IfHeld::Unsaid, .. } => {
                ("take ", token.as_str())
            }
            LockCommand::AcquireLean { token, held: IfHeld::Say, .. } => ("ask ", token.as_str()),
            LockCommand::AcquireLean { token, .. } => ("wait ", token.as_str()),
            LockCommand::ReleaseLean { token, .. } => ("free ", token.as_str()),
            LockCommand::Extend { token, .. } => ("extend ", token.as_str()),
            LockCommand::Release { token, .. } => ("release ", token.as_str()),
            LockCommand::RaiseFence { token, .. } => ("raise fence ", token.as_str()),
            LockCommand::Confirm { .. } => ("confirm", ""),
            LockCommand::Inspect { token, .. } => {
                ("inspect ", token.as_ref().map_or("-", Token::as_str))
            }
        };
        String::from(what) + token
    }

    fn done(&self) -> LockOutcome {
        match &self.action {
            Action::Done(outcome) => outcome.clone(),
            action => panic!("not done: {action:?}"),
        }
    }

    fn in_flight(&self) -> Option<&str> {
        self.machine.in_flight().map(Token::as_str)
    }

    fn millis_left(&self) -> u128 {
        self.machine.grant().map_or(0, |grant| grant.remaining(self.now).as_millis())
    }
}

fn granted() -> LockReply {
    LockReply::Acquired { fence: Fence(7), fresh: true }
}

fn busy() -> LockReply {
    LockReply::Busy { remaining_ms: Some(5) }
}

fn refused() -> StoreError {
    let (kind, message) = (RejectionKind::WrongType, "WRONGTYPE".into());
    StoreError::Rejected(Rejection { kind, message })
}

fn own_token() -> AcquireOptions {
    AcquireOptions { token: Some(Token::new("mine").unwrap()), ..AcquireOptions::default() }
}

fn lease_of(millis: u64) -> AcquireOptions {
    AcquireOptions { lease: Some(Duration::from_millis(millis)), ..AcquireOptions::default() }
}

fn not_acquired(why: NotAcquired) -> LockOutcome {
    LockOutcome::Acquire(Err(why))
}

fn busy_for(millis: u64) -> LockOutcome {
    not_acquired(NotAcquired::Busy { remaining: Some(Duration::from_millis(millis)) })
}
