//! How runs end, and what is told to the server when nobody will end them.

use super::*;

fn finish_of(scene: &Scene) -> (Token, u64, Fence, bool) {
    match scene.asked() {
        DebounceCommand::Finish { runner, seq, fence, success, .. } => {
            (runner, seq, fence, success)
        }
        command => panic!("{command:?}"),
    }
}

#[test]
fn the_end_of_a_run_says_what_ran_and_how_it_went() {
    let outcome = |success, reply| {
        let mut scene = Scene::running();
        scene.start(if success { DebounceRequest::Succeed } else { DebounceRequest::Fail });
        let (_, seq, fence, told) = finish_of(&scene);
        assert_eq!((seq, fence, told), (7, Fence(70), success));
        scene.reply(reply);
        assert_eq!(scene.machine.in_flight(), None);
        scene.done()
    };
    assert_eq!(outcome(true, DebounceReply::Finished), DebounceOutcome::Succeed(Ok(7)));
    assert_eq!(
        outcome(true, DebounceReply::Stale),
        DebounceOutcome::Succeed(Err(Unsettled::TakenOver))
    );
    let due_in = Duration::from_millis(5);
    let rearmed = DebounceOutcome::Fail(NextRun::Rearmed { due_in });
    assert_eq!(outcome(false, DebounceReply::Rearmed { due_in_ms: 5 }), rearmed);
    assert_eq!(outcome(false, DebounceReply::Dropped), DebounceOutcome::Fail(NextRun::Cancelled));
}

#[test]
fn the_end_of_a_run_is_told_until_its_lease_is_over() {
    let mut scene = Scene::running();
    let deadline = scene.machine.claim().unwrap().deadline();
    scene.start(DebounceRequest::Succeed);
    let first = scene.asked();
    while scene.now < deadline {
        assert_eq!(scene.asked(), first);
        scene.pass(2_000).fail(TIMED_OUT);
        if matches!(scene.action, Action::SleepUntil(_)) {
            scene.wake();
        }
    }
    scene.fail(TIMED_OUT);
    assert_eq!(scene.done(), DebounceOutcome::Succeed(Err(Unsettled::Unknown(TIMED_OUT))));
    // The next request first tells it once more.
    scene.call();
    assert_eq!(scene.asked(), first);
    scene.reply(DebounceReply::Finished);
    assert!(matches!(scene.asked(), DebounceCommand::Call { .. }));
}

#[test]
fn a_finish_without_a_run_asks_nobody() {
    let mut scene = Scene::with(|_| ());
    scene.start(DebounceRequest::Succeed);
    assert_eq!(scene.done(), DebounceOutcome::Succeed(Err(Unsettled::TakenOver)));
}

#[test]
fn a_run_that_was_dropped_is_given_back_before_anything_else() {
    let mut scene = Scene::running();
    let runner = scene.machine.in_flight().unwrap().clone();
    scene.call();
    assert_eq!(scene.given_back(), runner);
    scene.reply(DebounceReply::Rearmed { due_in_ms: 0 });
    assert!(matches!(scene.asked(), DebounceCommand::Call { .. }));
    assert_eq!(scene.machine.in_flight(), None);
}

#[test]
fn a_call_dropped_while_it_claims_gives_the_claim_back_first() {
    let mut scene = Scene::looking();
    let (runner, _) = scene.claim_of();
    assert_eq!(scene.machine.in_flight(), Some(&runner));
    scene.start(DebounceRequest::Status);
    assert_eq!(scene.given_back(), runner);
    scene.reply(DebounceReply::Stale);
    assert!(matches!(scene.asked(), DebounceCommand::Inspect { .. }));
}

#[test]
fn a_give_back_that_fails_is_remembered_and_does_not_hold_up_the_caller() {
    let mut scene = Scene::running();
    let runner = scene.machine.in_flight().unwrap().clone();
    scene.call();
    for _ in 0..2 {
        scene.fail(UNREACHABLE).wake();
    }
    scene.fail(UNREACHABLE);
    assert!(matches!(scene.asked(), DebounceCommand::Call { .. }));
    assert_eq!(scene.machine.in_flight(), Some(&runner));
}

#[test]
fn a_claim_that_came_too_late_is_given_back_and_asked_for_anew() {
    let mut scene = Scene::looking();
    let (runner, _) = scene.claim_of();
    scene.pass(1_999).reply(claimed(2_000));
    assert_eq!(scene.given_back(), runner);
    scene.reply(DebounceReply::Rearmed { due_in_ms: 0 });
    assert_ne!(scene.claim_of().0, runner);
}

#[test]
fn a_caller_that_leaves_gives_back_a_claim_that_may_stand() {
    let mut scene = Scene::with(|options| options.within = Some(Duration::from_millis(1_500)));
    scene.call().reply(ARMED).wake();
    let (runner, _) = scene.claim_of();
    scene.fail(TIMED_OUT).wake();
    scene.reply(DebounceReply::NotDue { due_in_ms: 900, newest: 7 });
    assert_eq!(scene.given_back(), runner);
    scene.reply(DebounceReply::Stale);
    assert_eq!(scene.done(), DebounceOutcome::Call(Ok(CallOutcome::Delegated { due_in_ms: 900 })));
}

#[test]
fn an_armed_caller_keeps_asking_while_the_store_is_down_and_then_says_that_it_does_not_know() {
    let mut scene = Scene::looking();
    let called = Instant::from_micros(1_000_000);
    while matches!(scene.action, Action::Call { .. }) {
        scene.fail(UNREACHABLE);
        if matches!(scene.action, Action::SleepUntil(_)) {
            scene.wake();
        }
    }
    assert_eq!(scene.done(), DebounceOutcome::Call(Err(IN_DOUBT)));
    assert!(scene.now.since(called) >= Duration::from_secs(71), "{:?}", scene.now);
}

#[test]
fn a_stop_gives_a_claim_back_and_leaves_the_rest() {
    let mut scene = Scene::looking();
    let (runner, _) = scene.claim_of();
    scene.step(Event::Stop);
    assert_eq!(scene.given_back(), runner);
    scene.reply(DebounceReply::Stale);
    assert_eq!(scene.done(), DebounceOutcome::Stopped);

    let mut scene = Scene::called();
    scene.reply(ARMED).step(Event::Stop);
    assert_eq!(scene.done(), DebounceOutcome::Stopped);
}

#[test]
fn a_second_stop_ends_at_once_and_forgets_nothing() {
    let mut scene = Scene::running();
    let runner = scene.machine.in_flight().unwrap().clone();
    scene.start(DebounceRequest::Succeed).step(Event::Stop);
    assert_eq!(scene.done(), DebounceOutcome::Stopped);
    assert_eq!(scene.machine.in_flight(), Some(&runner));
}

#[test]
fn a_spent_runner_gets_a_new_name() {
    let mut scene = Scene::looking();
    let (runner, _) = scene.claim_of();
    scene.reply(DebounceReply::Revoked).wake();
    assert_ne!(scene.claim_of().0, runner);
}
