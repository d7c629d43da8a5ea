//! A lean lock: what it asks for, and what it makes of the answers.

use super::*;

fn lean() -> Scene {
    Scene::with(|options| *options = options.clone().guarantee(Guarantee::Lean))
}

fn held() -> Scene {
    let mut scene = lean();
    scene.acquire().reply(granted());
    assert!(matches!(scene.done(), LockOutcome::Acquire(Ok(_))));
    scene
}

#[test]
fn a_free_lock_takes_one_command_and_its_release_another() {
    let mut scene = lean();
    assert_eq!(scene.acquire().call(), "take me.1#1");
    assert!(matches!(scene.reply(granted()).done(), LockOutcome::Acquire(Ok(_))));
    assert_eq!(scene.start(LockRequest::Release).call(), "free me.1#1");
    assert_eq!(
        scene.reply(LockReply::Released).done(),
        LockOutcome::Release(Ok(Released::Released))
    );
}

#[test]
fn a_lock_that_is_taken_is_asked_by_whom_under_the_same_token() {
    let mut scene = lean();
    scene.acquire().reply(LockReply::Taken);
    assert_eq!(scene.call(), "ask me.1#1");
    assert_eq!(scene.reply(busy()).sleep().call(), "take me.1#2");
    scene.reply(LockReply::Taken);
    assert_eq!(scene.call(), "ask me.1#2");
}

#[test]
fn a_lease_counts_from_the_first_question() {
    let mut scene = lean();
    scene.acquire().pass(100).reply(LockReply::Taken);
    assert_eq!(scene.millis_to_give_up(), 2_000);
    scene.pass(100).reply(LockReply::Acquired { fence: Fence(7), fresh: false });
    assert!(matches!(scene.done(), LockOutcome::Acquire(Ok(_))));
    assert_eq!(scene.millis_left(), 10_000 - 102 - 200);
}

#[test]
fn a_store_that_says_taken_to_who_asked_by_whom_is_not_believed() {
    let mut scene = lean();
    scene.acquire().reply(LockReply::Taken).reply(LockReply::Taken);
    assert_eq!(scene.call(), "free me.1#1", "it may have been applied");
}

#[test]
fn a_full_lock_is_never_taken_without_a_word() {
    let mut scene = Scene::new();
    scene.acquire().reply(LockReply::Taken);
    assert_eq!(scene.call(), "release me.1#1");
}

#[test]
fn a_waiter_leaves_a_note_once_it_has_a_subscription() {
    let mut scene = lean();
    let request =
        scene.machine.config().acquire().until(scene.now + Duration::from_secs(60), false);
    scene.start(LockRequest::Acquire(request));
    assert_eq!(scene.call(), "take me.1#1");
    assert_eq!(scene.reply(LockReply::Taken).call(), "ask me.1#1");
    assert!(matches!(scene.reply(busy()).action, Action::Subscribe { .. }));
    assert_eq!(scene.step(Event::Subscribed(true)).call(), "wait me.1#2");
    // Until it looks again, fifteen delays later at the latest, and has an answer.
    let LockCommand::AcquireLean { held: IfHeld::Wait(note_ms), .. } = scene.command() else {
        panic!("{:?}", scene.action)
    };
    assert_eq!(*note_ms, 1_500 + 2_000);
    scene.reply(LockReply::Busy { remaining_ms: Some(9_000) }).step(Event::Notified);
    assert_eq!(scene.call(), "wait me.1#3");
}

#[test]
fn a_waiter_without_notifications_leaves_no_note() {
    let mut scene = lean();
    let request =
        scene.machine.config().acquire().until(scene.now + Duration::from_secs(60), false);
    scene.start(LockRequest::Acquire(request)).reply(LockReply::Taken).reply(busy());
    assert_eq!(scene.step(Event::Subscribed(false)).sleep().call(), "take me.1#2");
    assert_eq!(scene.reply(LockReply::Taken).call(), "ask me.1#2");
}

#[test]
fn a_try_whose_reply_is_lost_is_taken_back_before_the_next() {
    let mut scene = lean();
    scene.acquire().fail(TIMED_OUT);
    assert_eq!(scene.call(), "free me.1#1");
    assert_eq!(scene.reply(LockReply::NotHeld).sleep().call(), "take me.1#2");
    scene.reply(LockReply::Taken).fail(TIMED_OUT);
    assert_eq!(scene.call(), "free me.1#2", "also if it was the second question");
}

#[test]
fn a_release_whose_reply_was_lost_has_freed_what_was_held_until_then() {
    let mut scene = held();
    scene.start(LockRequest::Release).fail(TIMED_OUT).sleep();
    assert_eq!(
        scene.reply(LockReply::NotHeld).done(),
        LockOutcome::Release(Ok(Released::Released))
    );
    // Whatever was over before it was released may have been anybody's.
    let mut late = held();
    late.pass(10_001).start(LockRequest::Release).fail(TIMED_OUT).sleep();
    assert_eq!(late.reply(LockReply::NotHeld).done(), LockOutcome::Release(Ok(Released::NotHeld)));
    // And what was never answered otherwise was not ours.
    assert_eq!(
        held().start(LockRequest::Release).reply(LockReply::NotHeld).done(),
        LockOutcome::Release(Ok(Released::NotHeld))
    );
    let mut full = Scene::held();
    full.start(LockRequest::Release).fail(TIMED_OUT).sleep();
    assert_eq!(
        full.reply(LockReply::NotHeld).done(),
        LockOutcome::Release(Ok(Released::NotHeld)),
        "its tombstone remembers"
    );
}

#[test]
fn a_callers_own_token_that_is_there_already_is_extended() {
    let mut scene = lean();
    scene.acquire_with(own_token()).reply(LockReply::Taken);
    assert_eq!(scene.call(), "ask mine");
    scene.reply(LockReply::Acquired { fence: Fence(7), fresh: false });
    assert_eq!(scene.call(), "extend mine");
}
