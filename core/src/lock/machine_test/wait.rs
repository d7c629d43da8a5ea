//! Waiting until a deadline.

use super::*;

/// A wait of this many milliseconds has begun.
fn waiting_for(millis: u64) -> Scene {
    waiting_with(millis, AcquireOptions::default(), false)
}

fn waiting_with(millis: u64, options: AcquireOptions, subscribed: bool) -> Scene {
    let mut scene = Scene::new();
    let until = scene.now.plus_micros(millis * 1_000);
    let request = scene.machine.config().acquire_with(&options).unwrap().until(until, subscribed);
    scene.start(LockRequest::Acquire(request));
    scene
}

fn held_for(remaining_ms: u64) -> LockReply {
    LockReply::Busy { remaining_ms: Some(remaining_ms) }
}

fn answer_subscribe(scene: &mut Scene, subscribed: bool) -> &mut Scene {
    assert!(matches!(scene.action, Action::Subscribe { .. }), "{:?}", scene.action);
    scene.step(Event::Subscribed(subscribed))
}

#[test]
fn a_free_lock_costs_one_call() {
    let mut scene = waiting_for(5_000);
    scene.reply(granted());
    assert!(matches!(scene.done(), LockOutcome::Acquire(Ok(_))));
}

#[test]
fn a_waiter_tries_again_once_it_is_subscribed() {
    let mut scene = waiting_for(5_000);
    answer_subscribe(scene.reply(held_for(60_000)), true);
    assert_eq!(scene.call(), "acquire me.1#2", "a release before the subscription is not missed");
    scene.reply(held_for(60_000));
    assert_eq!(scene.millis_asleep(), 1_000, "ten delays, since a notification may be lost");
    scene.step(Event::Notified);
    assert_eq!(scene.call(), "acquire me.1#3");
    scene.reply(granted());
    assert!(matches!(scene.done(), LockOutcome::Acquire(Ok(_))));
}

#[test]
fn a_waiter_whose_try_is_gone_waits_on() {
    let mut scene = waiting_for(5_000);
    answer_subscribe(scene.reply(LockReply::Revoked), true);
    assert_eq!(scene.call(), "acquire me.1#2");
    scene.reply(LockReply::Revoked);
    assert_eq!(scene.millis_asleep(), 11, "how long the lock is held was told to a copy only");
    assert_eq!(scene.sleep().call(), "acquire me.1#3");
    scene.pass(5_000).reply(LockReply::Revoked);
    assert_eq!(scene.done(), busy_for(0));
}

#[test]
fn a_waiter_that_has_a_subscription_asks_for_none() {
    let mut scene = waiting_with(5_000, AcquireOptions::default(), true);
    assert_eq!(scene.reply(held_for(60_000)).millis_asleep(), 1_000);
}

#[test]
fn without_a_subscription_a_waiter_looks_at_each_delay() {
    let mut scene = waiting_for(5_000);
    answer_subscribe(scene.reply(held_for(60_000)), false);
    assert_eq!(scene.millis_asleep(), 100);
    scene.sleep().reply(held_for(60_000));
    assert_eq!(scene.millis_asleep(), 100, "and does not ask for a subscription again");
}

#[test]
fn a_waiter_looks_when_the_holders_lease_is_over() {
    let mut scene = waiting_with(5_000, AcquireOptions::default(), true);
    // A millisecond for the server's rounding, and a tenth of the delay apart from other waiters.
    assert_eq!(scene.reply(held_for(40)).millis_asleep(), 40 + 1 + 10);
    let own = AcquireOptions { delay: Some(Duration::ZERO), ..own_token() };
    let mut scene = waiting_with(5_000, own, true);
    assert_eq!(scene.reply(busy()).millis_asleep(), 0, "a delay of zero is the caller's choice");
}

#[test]
fn a_wait_ends_by_its_deadline_with_the_last_answer() {
    let mut scene = waiting_with(1_500, AcquireOptions::default(), true);
    scene.reply(held_for(60_000)).sleep().reply(held_for(59_000));
    assert_eq!(scene.millis_asleep(), 500, "no longer than the deadline");
    scene.sleep();
    assert_eq!(scene.done(), busy_for(59_000));
    assert_eq!(scene.in_flight(), None);
}

#[test]
fn a_try_that_is_not_answered_by_the_deadline_is_unknown_and_remembered() {
    let mut scene = waiting_for(300);
    assert_eq!(scene.millis_to_give_up(), 300);
    scene.pass(300).fail(TIMED_OUT);
    assert_eq!(scene.done(), not_acquired(NotAcquired::Unknown(TIMED_OUT)));
    assert_eq!(scene.in_flight(), Some("me.1#1"));
    scene.acquire();
    assert_eq!(scene.call(), "release me.1#1");
}

#[test]
fn a_clean_up_ends_by_the_deadline_too() {
    let mut scene = waiting_for(2_500);
    scene.pass(2_000).fail(TIMED_OUT);
    assert_eq!(scene.call(), "release me.1#1");
    assert_eq!(scene.millis_to_give_up(), 500);
    scene.pass(500).fail(TIMED_OUT);
    assert_eq!(scene.done(), not_acquired(NotAcquired::Unknown(TIMED_OUT)));
    assert_eq!(scene.in_flight(), Some("me.1#1"));
}

#[test]
fn a_store_that_is_down_is_asked_again_until_the_deadline() {
    let mut scene = waiting_for(250);
    for _ in 0..2 {
        scene.fail(UNREACHABLE);
        assert_eq!(scene.millis_asleep(), 100);
        scene.sleep();
    }
    assert_eq!(scene.fail(UNREACHABLE).millis_asleep(), 50);
    assert_eq!(scene.sleep().done(), not_acquired(NotAcquired::Unavailable(UNREACHABLE)));
}

#[test]
fn a_refusal_ends_the_wait_at_once() {
    let mut scene = waiting_for(5_000);
    assert!(matches!(
        scene.fail(refused()).done(),
        LockOutcome::Acquire(Err(NotAcquired::Rejected(_)))
    ));
}

#[test]
fn a_callers_own_token_waits_too() {
    let mut scene = waiting_with(300, own_token(), true);
    scene.reply(held_for(60_000)).step(Event::Notified);
    assert_eq!(scene.call(), "acquire mine");
    scene.pass(300).fail(TIMED_OUT);
    assert_eq!(scene.done(), not_acquired(NotAcquired::Unknown(TIMED_OUT)));
    assert_eq!(scene.in_flight(), Some("mine"));
}

#[test]
fn a_notification_ends_a_pause_of_any_kind() {
    let mut scene = waiting_with(5_000, AcquireOptions::default(), true);
    scene.fail(TIMED_OUT).fail(TIMED_OUT);
    assert_eq!(scene.millis_asleep(), 100, "between two clean-ups");
    assert_eq!(scene.step(Event::Notified).call(), "release me.1#1");
}

#[test]
fn a_wait_can_be_stopped_while_the_subscription_is_asked_for() {
    let mut scene = waiting_for(5_000);
    scene.reply(held_for(60_000));
    assert_eq!(scene.stop().done(), LockOutcome::Stopped);
    let mut scene = waiting_for(5_000);
    scene.reply(held_for(60_000)).acquire();
    assert_eq!(scene.call(), "acquire me.1#2", "nothing was left");
}
