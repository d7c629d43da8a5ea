//! What becomes of work that was dropped or stopped in the middle.

use super::*;

/// Every state in which a token may be under the key without a lease, with that token.
fn with_something_in_flight() -> Vec<(&'static str, Scene)> {
    let mut acquiring = Scene::new();
    acquiring.acquire();
    let mut confirming = Scene::new();
    confirming.acquire_with(own_token());
    let mut waiting = confirming.clone();
    confirming.reply(LockReply::Acquired { fence: Fence(1), fresh: false });
    waiting.fail(TIMED_OUT);
    let mut clearing = acquiring.clone();
    clearing.fail(TIMED_OUT);
    let mut clear_pause = clearing.clone();
    clear_pause.fail(TIMED_OUT);
    let mut releasing = Scene::held();
    releasing.start(LockRequest::Release);
    let mut release_pause = releasing.clone();
    release_pause.fail(TIMED_OUT);
    vec![
        ("acquiring", acquiring),
        ("confirming", confirming),
        ("waiting", waiting),
        ("clearing", clearing),
        ("clear pause", clear_pause),
        ("releasing", releasing),
        ("release pause", release_pause),
    ]
}

/// The call that takes what is in flight out of the store.
fn clean_up(scene: &Scene) -> String {
    String::from("release ") + scene.in_flight().expect("something is in flight")
}

#[test]
fn after_a_dropped_future_every_request_begins_with_the_clean_up() {
    for (state, scene) in with_something_in_flight() {
        let clean_up = clean_up(&scene);
        for request in [LockRequest::Status, LockRequest::Keep, LockRequest::Release] {
            let mut again = scene.clone();
            assert_eq!(again.start(request).call(), clean_up, "{state}");
        }
        let mut again = scene.clone();
        assert_eq!(again.acquire().call(), clean_up, "{state}");
        assert_eq!(again.in_flight(), scene.in_flight(), "{state}");
        again.reply(LockReply::NotHeld);
        let LockCommand::Acquire { token, .. } = again.command() else { panic!("{state}") };
        assert_ne!(scene.in_flight(), Some(token.as_str()), "{state}: a token is not used twice");
    }
}

#[test]
fn a_clean_up_that_fails_keeps_the_request_from_starting() {
    for (state, mut scene) in with_something_in_flight() {
        let before = scene.clone();
        scene.start(LockRequest::Status).fail(UNREACHABLE).sleep();
        scene.fail(UNREACHABLE).sleep();
        assert!(matches!(scene.fail(UNREACHABLE).done(), LockOutcome::Status(Err(_))), "{state}");
        assert_eq!(scene.in_flight(), before.in_flight(), "{state}");
    }
}

#[test]
fn stopping_leaves_nothing_that_the_machine_does_not_remember() {
    for (state, mut scene) in with_something_in_flight() {
        let before = scene.clone();
        scene.stop();
        if matches!(scene.action, Action::Call { .. }) {
            assert_eq!(scene.call(), clean_up(&before), "{state}");
            scene.reply(LockReply::Released);
            assert_eq!(scene.in_flight(), None, "{state}");
        } else {
            assert_eq!(scene.in_flight(), before.in_flight(), "{state}");
        }
        assert_eq!(scene.done(), LockOutcome::Stopped, "{state}");
    }
}

#[test]
fn stopping_where_nothing_is_in_flight_is_done_at_once() {
    let mut waiting = Scene::new();
    waiting.acquire().reply(busy());
    let mut extending = Scene::held();
    extending.start(LockRequest::Extend { by_ms: 1 });
    let mut inspecting = Scene::new();
    inspecting.start(LockRequest::Status);
    for mut scene in [waiting, extending, inspecting, Scene::new()] {
        assert_eq!(scene.stop().done(), LockOutcome::Stopped);
        assert_eq!(scene.in_flight(), None);
    }
}

#[test]
fn a_dropped_extension_leaves_the_lease() {
    let mut scene = Scene::held();
    let before = scene.millis_left();
    scene.start(LockRequest::Extend { by_ms: 5_000 });
    scene.start(LockRequest::Extend { by_ms: 5_000 });
    assert_eq!((scene.call().as_str(), scene.millis_left()), ("extend me.1#1", before));
}

#[test]
#[should_panic(expected = "driver: a reply came")]
fn a_reply_to_nothing_is_a_bug_of_the_driver() {
    Scene::new().reply(granted());
}

#[test]
#[should_panic(expected = "driver: a sleep ended")]
fn waking_from_nothing_is_a_bug_of_the_driver() {
    Scene::held().step(Event::Woke);
}
