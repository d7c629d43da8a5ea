//! Where exactly one answer ends and the next begins.

use super::*;

const WITHIN_MS: u64 = 5_000;
const MISSING: DebounceReply = DebounceReply::Missing;

/// A call, armed as number 7, whose claim was sent when it was due, and when its caller leaves.
fn impatient() -> (Scene, Instant) {
    let mut scene = Scene::with(|options| options.within = Some(Duration::from_millis(WITHIN_MS)));
    let leave_at = scene.now.plus_micros(WITHIN_MS * 1_000);
    scene.call().reply(ARMED).wake();
    (scene, leave_at)
}

/// Call 7, which looks whether it is due, and leaves when a newer one comes if it is set to.
fn looking(leaves: bool) -> Scene {
    let mut scene = Scene::with(|options| options.leave_when_superseded = leaves);
    scene.call().reply(ARMED).wake();
    scene
}

/// Fails the question so often, and sleeps in between.
fn fail(scene: &mut Scene, error: &StoreError, times: u32) {
    for time in 0..times {
        if time > 0 {
            scene.wake();
        }
        scene.fail(error.clone());
    }
}

fn just_before(at: Instant) -> Instant {
    Instant::from_micros(at.as_micros() - 1)
}

fn sleeps(scene: &Scene) -> bool {
    matches!(scene.action, Action::SleepUntil(_))
}

#[test]
fn a_caller_waits_until_its_time_is_over_but_no_longer() {
    let waits = |due_in_ms| {
        let mut scene =
            Scene::with(|options| options.within = Some(Duration::from_millis(WITHIN_MS)));
        sleeps(scene.call().reply(DebounceReply::Armed { seq: 7, due_in_ms }))
    };
    assert!(waits(WITHIN_MS));
    assert!(!waits(WITHIN_MS + 1));
}

#[test]
fn an_armed_caller_asks_again_and_puts_its_call_back_until_its_time_is_over() {
    let (mut scene, leave_at) = impatient();
    scene.now = just_before(leave_at);
    scene.fail(UNREACHABLE);
    assert!(sleeps(&scene));

    let (mut scene, leave_at) = impatient();
    scene.now = leave_at;
    scene.fail(UNREACHABLE);
    assert_eq!(scene.done(), DebounceOutcome::Call(Err(IN_DOUBT)));

    let (mut scene, leave_at) = impatient();
    scene.now = just_before(leave_at);
    scene.reply(MISSING);
    assert!(matches!(scene.asked(), DebounceCommand::Call { seq: 7, .. }));

    let (mut scene, leave_at) = impatient();
    scene.now = leave_at;
    scene.reply(MISSING);
    assert!(matches!(scene.done(), DebounceOutcome::Call(Err(StoreError::Unknown(_)))));
}

#[test]
fn a_claim_is_run_until_its_lease_is_usable_no_more() {
    // Of a lease of 2 s, 22 ms are the margin.
    let mut scene = Scene::looking();
    scene.now = just_before(scene.now.plus_micros(1_978_000));
    scene.reply(claimed(2_000));
    assert!(matches!(scene.done(), DebounceOutcome::Call(Ok(CallOutcome::Run(_)))));

    let mut scene = Scene::looking();
    let (runner, _) = scene.claim_of();
    scene.pass(1_978).reply(claimed(2_000));
    assert_eq!(scene.given_back(), runner);
}

#[test]
fn a_caller_is_superseded_by_a_newer_call_only_and_leaves_only_if_it_is_set_to() {
    // For each newest call: how long it sleeps if something waits, and if another runs.
    for (leaves, newest, not_due, runs) in [
        (false, 7, Some(400), Some(100)),
        (false, 8, Some(500), Some(100)),
        (true, 7, Some(400), Some(100)),
        (true, 8, None, None),
    ] {
        let replies = [
            (DebounceReply::NotDue { due_in_ms: 400, newest }, not_due),
            (DebounceReply::Running { remaining_ms: 400, newest }, runs),
        ];
        for (reply, sleep) in replies {
            let mut scene = looking(leaves);
            scene.reply(reply);
            match sleep {
                Some(millis) => assert_eq!(scene.slept(), millis, "{leaves} {newest}"),
                None => assert_eq!(
                    scene.done(),
                    DebounceOutcome::Call(Ok(CallOutcome::Delegated { due_in_ms: 400 }))
                ),
            }
        }
    }
}

#[test]
fn a_sweeper_gives_up_after_its_attempts_and_says_what_it_knows() {
    let mut scene = Scene::with(|_| ());
    fail(scene.start(DebounceRequest::Sweep), &UNREACHABLE, 3);
    assert_eq!(scene.done(), DebounceOutcome::Sweep(Err(UNREACHABLE)));

    let mut scene = Scene::with(|_| ());
    scene.start(DebounceRequest::Sweep);
    let (runner, _) = scene.claim_of();
    fail(&mut scene, &TIMED_OUT, 3);
    assert_eq!(scene.given_back(), runner);
    scene.reply(DebounceReply::Stale);
    assert_eq!(scene.done(), DebounceOutcome::Sweep(Err(TIMED_OUT)));
}

#[test]
fn a_caller_that_leaves_gives_back_a_claim_whose_reply_never_came() {
    let (mut scene, leave_at) = impatient();
    let (runner, _) = scene.claim_of();
    scene.now = leave_at;
    scene.fail(TIMED_OUT);
    assert_eq!(scene.given_back(), runner);
    scene.reply(DebounceReply::Stale);
    assert_eq!(scene.done(), DebounceOutcome::Call(Err(TIMED_OUT)));
}

#[test]
fn a_claim_whose_reply_never_came_is_in_flight_while_its_caller_waits_and_arms() {
    let mut scene = Scene::looking();
    let (runner, _) = scene.claim_of();
    scene.fail(TIMED_OUT).wake();
    scene.reply(DebounceReply::NotDue { due_in_ms: 400, newest: 7 });
    assert_eq!(scene.machine.in_flight(), Some(&runner));
    scene.wake().reply(MISSING);
    assert!(matches!(scene.asked(), DebounceCommand::Call { .. }));
    assert_eq!(scene.machine.in_flight(), Some(&runner));

    let mut scene = Scene::looking();
    scene.reply(DebounceReply::NotDue { due_in_ms: 400, newest: 7 });
    assert_eq!(scene.machine.in_flight(), None, "every claim was answered");
}

#[test]
fn a_call_that_was_armed_once_is_unknown_though_it_cannot_be_put_back() {
    let mut scene = Scene::looking();
    fail(scene.reply(MISSING), &UNREACHABLE, 3);
    assert_eq!(scene.done(), DebounceOutcome::Call(Err(IN_DOUBT)));
}

#[test]
fn an_end_is_told_again_until_the_deadline_even_after_the_last_attempt() {
    let tells_again = |early_us| {
        let mut scene = Scene::running();
        let deadline = scene.machine.claim().unwrap().deadline();
        fail(scene.start(DebounceRequest::Succeed), &UNREACHABLE, 3);
        scene.wake();
        scene.now = Instant::from_micros(deadline.as_micros() - early_us);
        sleeps(scene.fail(UNREACHABLE))
    };
    assert!(tells_again(1));
    assert!(!tells_again(0));
}

#[test]
fn an_end_is_not_told_again_when_its_memo_may_be_forgotten() {
    // The deadline is over in both, but attempts are left; the memo lives for 60 s.
    for (passed_ms, again) in [(29_999, true), (30_000, false)] {
        let mut scene = Scene::running();
        scene.start(DebounceRequest::Succeed);
        assert_eq!(sleeps(scene.pass(passed_ms).fail(TIMED_OUT)), again);
    }
}
