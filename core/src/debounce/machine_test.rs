//! The debounce's transitions, one fact a test.

mod bounds;
mod finish;
mod world;

use core::time::Duration;
use std::{vec, vec::Vec};

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
/// Unreachable by now, but an earlier try may have arrived.
const IN_DOUBT: StoreError =
    StoreError::Unknown(Cause::Unreachable(std::borrow::Cow::Borrowed("refused")));
const ARMED: DebounceReply = DebounceReply::Armed { seq: 7, due_in_ms: 1_000 };

/// A machine, its clock and its last action. A run lease of 30 s has a margin of 302 ms.
struct Scene {
    machine: DebounceMachine,
    now: Instant,
    action: Action<DebounceOutcome>,
}

impl Scene {
    fn with(change: impl FnOnce(&mut DebounceOptions)) -> Self {
        let mut options = DebounceOptions::new().jitter(false);
        change(&mut options);
        let config = DebounceConfig::new("job", &options).unwrap();
        let machine = DebounceMachine::new(config, Tokens::of_owner("me"), 0);
        let action = Action::Done(DebounceOutcome::Stopped);
        Self { machine, now: Instant::from_micros(1_000_000), action }
    }

    /// A call that was sent.
    fn called() -> Self {
        let mut scene = Self::with(|_| ());
        scene.call();
        scene
    }

    /// A call, armed as number 7, whose claim was sent when it was due.
    fn looking() -> Self {
        let mut scene = Self::called();
        scene.reply(ARMED).wake();
        scene
    }

    /// A run of call 7 that has begun.
    fn running() -> Self {
        let mut scene = Self::looking();
        scene.reply(claimed(30_000));
        assert!(matches!(scene.done(), DebounceOutcome::Call(Ok(CallOutcome::Run(_)))));
        scene
    }

    fn call(&mut self) -> &mut Self {
        self.start(DebounceRequest::Call { args: b"args".as_slice().into() })
    }

    fn start(&mut self, request: DebounceRequest) -> &mut Self {
        self.step(Event::Start(request))
    }

    fn step(&mut self, event: Event<DebounceRequest>) -> &mut Self {
        self.action = self.machine.step(self.now, event);
        self
    }

    fn pass(&mut self, millis: u64) -> &mut Self {
        self.now = self.now.plus_micros(millis * 1_000);
        self
    }

    fn reply(&mut self, reply: DebounceReply) -> &mut Self {
        self.step(Event::Replied(Ok(Reply::Debounce(reply))))
    }

    fn fail(&mut self, error: StoreError) -> &mut Self {
        self.step(Event::Replied(Err(error)))
    }

    /// Wakes when it asked to, and returns after how many milliseconds that was.
    fn slept(&mut self) -> u64 {
        let Action::SleepUntil(until) = self.action else { panic!("{:?}", self.action) };
        let slept = until.since(self.now);
        self.now = until;
        self.step(Event::Woke);
        u64::try_from(slept.as_millis()).unwrap()
    }

    fn wake(&mut self) -> &mut Self {
        self.slept();
        self
    }

    fn asked(&self) -> DebounceCommand {
        match &self.action {
            Action::Call { command: Command::Debounce(command), .. } => command.clone(),
            action => panic!("{action:?}"),
        }
    }

    fn claim_of(&self) -> (Token, u64) {
        match self.asked() {
            DebounceCommand::Claim { runner, seq, .. } => (runner, seq),
            command => panic!("{command:?}"),
        }
    }

    /// The runner whose claim is given back.
    fn given_back(&self) -> Token {
        match self.asked() {
            DebounceCommand::Finish { runner, success: false, retry_ms: 0, .. } => runner,
            command => panic!("{command:?}"),
        }
    }

    fn done(&self) -> DebounceOutcome {
        match &self.action {
            Action::Done(outcome) => outcome.clone(),
            action => panic!("{action:?}"),
        }
    }
}

fn claimed(remaining_ms: u64) -> DebounceReply {
    let args = b"newest".as_slice().into();
    DebounceReply::Claimed { seq: 7, fence: Fence(70), args, remaining_ms }
}

#[test]
fn a_call_is_claimed_when_it_is_due() {
    let mut scene = Scene::called();
    assert!(matches!(scene.asked(), DebounceCommand::Call { seq: 0, .. }));
    scene.reply(ARMED);
    assert_eq!(scene.slept(), 1_000);
    assert_eq!(scene.claim_of().1, 7);
}

#[test]
fn a_leading_call_is_claimed_at_once() {
    let mut scene = Scene::called();
    scene.reply(DebounceReply::Armed { seq: 7, due_in_ms: 0 });
    assert_eq!(scene.claim_of().1, 7);
}

#[test]
fn a_claim_says_what_to_run_and_until_when() {
    let mut scene = Scene::looking();
    let sent = scene.now;
    scene.pass(100).reply(claimed(30_000));
    let DebounceOutcome::Call(Ok(CallOutcome::Run(claim))) = scene.done() else {
        panic!("{:?}", scene.action)
    };
    assert_eq!((claim.seq(), claim.fence(), &**claim.args()), (7, Fence(70), b"newest".as_slice()));
    assert_eq!(claim.deadline(), sent.plus_micros(29_698_000));
}

#[test]
fn a_call_whose_reply_is_lost_is_sent_again_as_it_was() {
    let mut scene = Scene::called();
    let first = scene.asked();
    scene.fail(TIMED_OUT);
    assert_eq!(scene.slept(), 100);
    assert_eq!(scene.asked(), first);
}

#[test]
fn a_call_that_never_was_answered_is_unknown_and_one_never_sent_is_not() {
    let outcome = |errors: [StoreError; 3]| {
        let mut scene = Scene::called();
        for error in errors {
            if matches!(scene.action, Action::SleepUntil(_)) {
                scene.wake();
            }
            scene.fail(error);
        }
        scene.done()
    };
    assert_eq!(
        outcome([UNREACHABLE, UNREACHABLE, UNREACHABLE]),
        DebounceOutcome::Call(Err(UNREACHABLE))
    );
    assert_eq!(
        outcome([UNREACHABLE, TIMED_OUT, UNREACHABLE]),
        DebounceOutcome::Call(Err(IN_DOUBT))
    );
}

#[test]
fn a_call_is_not_sent_again_when_its_memo_may_be_forgotten() {
    let mut scene = Scene::called();
    scene.pass(30_000).fail(TIMED_OUT);
    assert_eq!(scene.done(), DebounceOutcome::Call(Err(TIMED_OUT)));
}

#[test]
fn a_refused_call_is_not_tried_again() {
    let rejection = Rejection { kind: RejectionKind::WrongType, message: "WRONGTYPE".into() };
    let mut scene = Scene::called();
    scene.fail(StoreError::Rejected(rejection.clone()));
    assert_eq!(scene.done(), DebounceOutcome::Call(Err(StoreError::Rejected(rejection))));
}

#[test]
fn a_superseded_caller_stays_as_a_backup_that_comes_a_little_later() {
    let mut scene = Scene::looking();
    let (runner, _) = scene.claim_of();
    scene.reply(DebounceReply::NotDue { due_in_ms: 400, newest: 9 });
    assert_eq!(scene.slept(), 500);
    // The same runner, so that a late copy of its first claim is its own.
    assert_eq!(scene.claim_of(), (runner, 7));
}

#[test]
fn a_superseded_caller_leaves_if_it_is_set_to() {
    let mut scene = Scene::with(|options| options.leave_when_superseded = true);
    scene.call().reply(ARMED).wake();
    scene.reply(DebounceReply::NotDue { due_in_ms: 400, newest: 9 });
    assert_eq!(scene.done(), DebounceOutcome::Call(Ok(CallOutcome::Delegated { due_in_ms: 400 })));
}

#[test]
fn while_another_runs_it_looks_again_ever_less_often_and_when_the_lease_ends() {
    let mut scene = Scene::looking();
    let mut slept = Vec::new();
    for remaining_ms in [30_000, 20_000, 10_000, 9_000, 5_000, 4_000, 3] {
        scene.reply(DebounceReply::Running { remaining_ms, newest: 7 });
        slept.push(scene.slept());
    }
    assert_eq!(slept, vec![100, 200, 400, 800, 1_600, 1_600, 3]);
}

#[test]
fn a_settled_caller_learns_how() {
    let outcome = |fired, done| {
        let mut scene = Scene::looking();
        scene.reply(DebounceReply::Settled { fired, done });
        scene.done()
    };
    assert_eq!(outcome(7, 7), DebounceOutcome::Call(Ok(CallOutcome::FiredElsewhere)));
    assert_eq!(outcome(9, 9), DebounceOutcome::Call(Ok(CallOutcome::Superseded { by: 9 })));
    assert_eq!(outcome(6, 8), DebounceOutcome::Call(Ok(CallOutcome::Cancelled)));
}

#[test]
fn a_lost_record_gets_the_call_back_under_its_old_number() {
    let mut scene = Scene::called();
    let DebounceCommand::Call { call: first, .. } = scene.asked() else { panic!() };
    scene.reply(ARMED).wake();
    scene.reply(DebounceReply::Missing);
    let DebounceCommand::Call { call, seq, args, .. } = scene.asked() else { panic!() };
    assert_eq!((call, seq, &*args), (first, 7, b"args".as_slice()));
}

#[test]
fn the_longest_stay_ends_in_the_truth_that_others_must_do_it() {
    let mut scene = Scene::with(|options| options.within = Some(Duration::ZERO));
    scene.call().reply(ARMED);
    assert_eq!(
        scene.done(),
        DebounceOutcome::Call(Ok(CallOutcome::Delegated { due_in_ms: 1_000 }))
    );
}

#[test]
fn after_its_time_a_caller_does_not_put_back_what_may_have_run_long_ago() {
    let mut scene = Scene::looking();
    scene.pass(71_000).reply(DebounceReply::Missing);
    assert!(matches!(scene.done(), DebounceOutcome::Call(Err(StoreError::Unknown(_)))));
}

#[test]
fn a_call_within_the_window_of_a_leading_one_is_told_so() {
    let mut scene = Scene::with(|options| (options.leading, options.trailing) = (true, false));
    scene.call().reply(DebounceReply::Suppressed { reopens_in_ms: 30 });
    assert_eq!(
        scene.done(),
        DebounceOutcome::Call(Ok(CallOutcome::Suppressed { reopens_in_ms: 30 }))
    );
}

#[test]
fn a_sweeper_claims_whatever_is_due_or_says_when_to_come_back() {
    let sweep = |reply| {
        let mut scene = Scene::with(|_| ());
        scene.start(DebounceRequest::Sweep);
        assert_eq!(scene.claim_of().1, 0);
        scene.reply(reply);
        scene.done()
    };
    assert!(matches!(sweep(claimed(30_000)), DebounceOutcome::Sweep(Ok(SweepOutcome::Run(_)))));
    assert_eq!(
        sweep(DebounceReply::Idle),
        DebounceOutcome::Sweep(Ok(SweepOutcome::Idle { due_in_ms: None }))
    );
    let idle =
        |due_in_ms| DebounceOutcome::Sweep(Ok(SweepOutcome::Idle { due_in_ms: Some(due_in_ms) }));
    assert_eq!(sweep(DebounceReply::NotDue { due_in_ms: 9, newest: 1 }), idle(9));
    assert_eq!(sweep(DebounceReply::Running { remaining_ms: 8, newest: 1 }), idle(8));
}

#[test]
fn a_sweeper_whose_name_is_spent_and_that_does_not_stay_is_to_come_back_at_once() {
    let mut scene = Scene::with(|options| *options = options.clone().within(Duration::ZERO));
    scene.start(DebounceRequest::Sweep).reply(DebounceReply::Revoked);
    let at_once = SweepOutcome::Idle { due_in_ms: Some(0) };
    assert_eq!(scene.done(), DebounceOutcome::Sweep(Ok(at_once)));
}

#[test]
fn a_refusal_after_a_lost_reply_leaves_open_what_became_of_it() {
    let message = "NOPERM".into();
    let mut scene = Scene::with(|_| ());
    scene.start(DebounceRequest::Cancel).fail(TIMED_OUT).wake();
    scene.fail(StoreError::Rejected(Rejection { kind: RejectionKind::NotAllowed, message }));
    let in_doubt = StoreError::Unknown(Cause::Other("NOPERM".into()));
    assert_eq!(scene.done(), DebounceOutcome::Cancel(Err(in_doubt)));
}

#[test]
fn a_flush_sweeps() {
    let mut scene = Scene::with(|_| ());
    scene.start(DebounceRequest::Flush);
    assert!(matches!(scene.asked(), DebounceCommand::Flush { .. }));
    scene.reply(DebounceReply::Flushed { pending: true });
    assert_eq!(scene.claim_of().1, 0);
}

#[test]
fn a_cancel_says_whether_something_waited() {
    let cancel = |pending| {
        let mut scene = Scene::with(|_| ());
        scene.start(DebounceRequest::Cancel).reply(DebounceReply::Cancelled { pending });
        scene.done()
    };
    assert_eq!(cancel(true), DebounceOutcome::Cancel(Ok(true)));
    assert_eq!(cancel(false), DebounceOutcome::Cancel(Ok(false)));
}

#[test]
fn a_status_is_passed_on() {
    let status =
        DebounceStatus { newest: 3, fired: 2, done: 2, due_in_ms: Some(5), running_ms: None };
    let mut scene = Scene::with(|_| ());
    scene.start(DebounceRequest::Status).reply(DebounceReply::Status(status));
    assert_eq!(scene.done(), DebounceOutcome::Status(Ok(status)));
}

#[test]
fn a_reply_to_another_question_counts_as_no_reply() {
    let mut scene = Scene::called();
    scene.reply(DebounceReply::Finished);
    assert_eq!(scene.slept(), 100);
    scene.step(Event::Replied(Ok(Reply::Lock(crate::lock::LockReply::Revoked))));
    assert_eq!(scene.slept(), 200);
    assert!(matches!(scene.asked(), DebounceCommand::Call { .. }));
}
