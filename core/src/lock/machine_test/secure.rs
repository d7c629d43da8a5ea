//! Waiting for the replicas.

use super::*;
use crate::lock::Durability;
use crate::settings::ConfigError;

fn on_two() -> Scene {
    Scene::with(|options| options.durability = Durability::Replicas(2))
}

fn confirmed(replicas: u32) -> LockReply {
    LockReply::Confirmed { replicas }
}

fn held_on_two() -> Scene {
    let mut scene = on_two();
    scene.acquire().reply(granted()).reply(confirmed(2));
    assert!(matches!(scene.done(), LockOutcome::Acquire(Ok(_))));
    scene
}

#[test]
fn a_lease_is_handed_out_once_enough_replicas_have_it_and_says_how_many() {
    let mut scene = on_two();
    scene.acquire().reply(granted());
    assert_eq!(scene.call(), "confirm");
    assert_eq!(scene.millis_to_give_up(), 2_200, "the server's timeout and ours");
    scene.pass(100).reply(confirmed(3));
    match scene.done() {
        LockOutcome::Acquire(Ok(grant)) => {
            assert_eq!((grant.replicas(), scene.millis_left()), (3, 9_898 - 100));
        }
        outcome => panic!("{outcome:?}"),
    }
}

#[test]
fn without_a_level_nothing_is_asked() {
    let mut scene = Scene::new();
    scene.acquire().reply(granted());
    match scene.done() {
        LockOutcome::Acquire(Ok(grant)) => assert_eq!(grant.replicas(), 0),
        outcome => panic!("{outcome:?}"),
    }
}

#[test]
fn a_shortfall_is_released_and_told() {
    let mut scene = on_two();
    scene.acquire().reply(granted()).reply(confirmed(1));
    assert_eq!(scene.call(), "release me.1#1");
    scene.reply(LockReply::Released);
    assert_eq!(scene.done(), not_acquired(NotAcquired::NotDurable { wanted: 2, got: 1 }));
    assert_eq!(scene.in_flight(), None);
}

#[test]
fn without_an_answer_about_replicas_the_lease_is_given_up_and_tried_again() {
    for error in [TIMED_OUT, UNREACHABLE] {
        let mut scene = on_two();
        scene.acquire().reply(granted()).fail(error);
        assert_eq!(scene.call(), "release me.1#1");
        scene.reply(LockReply::Released).sleep();
        assert_eq!(scene.call(), "acquire me.1#2");
    }
    let mut scene = on_two();
    scene.acquire().reply(granted()).fail(refused());
    assert_eq!(scene.call(), "release me.1#1");
    assert!(matches!(
        scene.reply(LockReply::Released).done(),
        LockOutcome::Acquire(Err(NotAcquired::Rejected(_)))
    ));
}

#[test]
fn a_lease_that_ends_while_replicas_are_awaited_is_not_handed_out() {
    let mut scene = on_two();
    scene.acquire_with(lease_of(1_000)).reply(granted());
    assert_eq!(scene.millis_to_give_up(), 988);
    scene.pass(988).reply(confirmed(2));
    assert_eq!(scene.call(), "release me.1#1");
}

#[test]
fn an_extension_counts_once_enough_replicas_have_it() {
    let mut scene = held_on_two();
    scene.start(LockRequest::Extend { by_ms: 5_000 }).reply(LockReply::Extended);
    let before = scene.millis_left();
    scene.reply(confirmed(2));
    assert!(matches!(scene.done(), LockOutcome::Extend(Ok(_))));
    assert!(scene.millis_left() > before);
    let mut scene = held_on_two();
    let before = scene.millis_left();
    scene.start(LockRequest::Extend { by_ms: 5_000 }).reply(LockReply::Extended);
    scene.reply(confirmed(1));
    assert!(matches!(scene.done(), LockOutcome::Extend(Err(ExtendError::Unknown(_)))));
    assert_eq!(scene.millis_left(), before, "the old deadline stands");
}

#[test]
fn a_secured_extension_counts_from_before_it_was_sent() {
    let mut scene = held_on_two();
    scene.start(LockRequest::Extend { by_ms: 5_000 });
    scene.pass(300).reply(LockReply::Extended).pass(400).reply(confirmed(2));
    assert_eq!(scene.millis_left(), 15_000 - 152 - 300 - 400);
    let mut scene = held_on_two();
    scene.start(LockRequest::Keep).sleep();
    scene.pass(300).reply(LockReply::Extended).pass(400).reply(confirmed(2));
    assert_eq!(scene.millis_left(), 10_000 - 102 - 300 - 400);
}

#[test]
fn a_renewal_that_falls_short_is_tried_again() {
    let mut scene = held_on_two();
    scene.start(LockRequest::Keep).sleep().reply(LockReply::Extended).reply(confirmed(0));
    let before = scene.millis_left();
    scene.sleep();
    assert_eq!(scene.call(), "extend me.1#1");
    scene.reply(LockReply::Extended).reply(confirmed(2));
    assert!(scene.millis_left() > before);
}

#[test]
fn a_lease_that_is_dropped_while_replicas_are_awaited_is_cleaned_up() {
    let mut scene = on_two();
    scene.acquire().reply(granted());
    assert_eq!(scene.in_flight(), Some("me.1#1"));
    let mut stopped = scene.clone();
    assert_eq!(stopped.stop().call(), "release me.1#1");
    assert_eq!(scene.acquire().call(), "release me.1#1");
}

#[test]
fn a_wait_without_end_is_refused() {
    let options = LockOptions::new().confirm_timeout(Duration::from_micros(1));
    let error = LockConfig::new("job", &options).unwrap_err();
    assert_eq!(error, ConfigError::Zero { what: "confirm_timeout" });
}
