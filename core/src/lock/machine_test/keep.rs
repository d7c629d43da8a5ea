//! Renewing again and again.

use super::*;

fn keeping(change: impl FnOnce(&mut LockOptions)) -> Scene {
    let mut scene = Scene::with(change);
    scene.acquire_with(lease_of(9_000)).reply(granted());
    scene.start(LockRequest::Keep);
    scene
}

#[test]
fn a_lease_is_renewed_to_its_whole_length_at_each_third() {
    let mut scene = keeping(|_| ());
    for _ in 0..20 {
        assert_eq!(scene.millis_asleep(), 3_000);
        scene.sleep();
        assert!(matches!(scene.command(), LockCommand::Extend { lease_ms: 9_000, .. }));
        scene.reply(LockReply::Extended);
        assert_eq!(scene.millis_left(), 9_000 - 92);
    }
}

#[test]
fn an_extended_lease_is_renewed_to_its_own_length() {
    let mut scene = keeping(|_| ());
    scene.stop().start(LockRequest::Extend { by_ms: 60_000 }).reply(LockReply::Extended);
    scene.start(LockRequest::Keep);
    assert_eq!(scene.millis_asleep(), 69_000 - 6_000);
    scene.sleep();
    assert!(matches!(scene.command(), LockCommand::Extend { lease_ms: 9_000, .. }));
}

#[test]
fn a_renewal_that_fails_is_tried_again_at_the_next_ninth_until_the_deadline() {
    for error in [TIMED_OUT, UNREACHABLE, refused()] {
        let mut scene = keeping(|_| ());
        let deadline = scene.now.plus_micros((9_000 - 92) * 1_000);
        let mut tries = 0;
        while matches!(scene.action, Action::SleepUntil(_)) {
            scene.sleep();
            if matches!(scene.action, Action::Call { .. }) {
                tries += 1;
                scene.fail(error.clone());
                assert!(scene.millis_asleep() <= 1_000);
            }
        }
        assert_eq!(scene.done(), LockOutcome::Keep(LossReason::Expired));
        assert_eq!((tries, scene.now), (6, deadline), "and is lost on time");
    }
}

#[test]
fn a_renewal_that_hangs_ends_at_the_deadline() {
    let mut scene = keeping(|options| options.call_timeout = Duration::from_secs(60));
    assert_eq!(scene.sleep().millis_to_give_up(), 9_000 - 3_000 - 92);
    scene.pass(9_000 - 3_000 - 92).fail(TIMED_OUT);
    assert_eq!(scene.done(), LockOutcome::Keep(LossReason::Expired));
}

#[test]
fn a_lease_that_was_taken_is_lost_at_once() {
    let mut scene = keeping(|_| ());
    scene.sleep().reply(LockReply::NotHeld);
    assert_eq!(scene.done(), LockOutcome::Keep(LossReason::Taken));
}

#[test]
fn a_capped_lease_ends_at_its_deadline() {
    let mut scene = keeping(|options| options.max_renewals = Some(2));
    scene.sleep().reply(LockReply::Extended);
    scene.sleep().reply(LockReply::Extended);
    assert_eq!(scene.millis_asleep(), 9_000 - 92);
    assert_eq!(scene.sleep().done(), LockOutcome::Keep(LossReason::RenewalLimit));

    let mut again = keeping(|options| options.max_renewals = Some(1));
    again.sleep().reply(LockReply::Extended).stop().start(LockRequest::Keep);
    assert!(matches!(again.sleep().action, Action::Call { .. }), "each keep counts from zero");

    let mut never = keeping(|options| options.max_renewals = Some(0));
    assert_eq!(never.sleep().done(), LockOutcome::Keep(LossReason::RenewalLimit));
}

#[test]
fn a_late_sleeper_finds_the_lease_lost_and_sends_nothing() {
    let mut scene = keeping(|_| ());
    scene.pass(9_000).step(Event::Woke);
    assert_eq!(scene.done(), LockOutcome::Keep(LossReason::Expired));
}

#[test]
fn keeping_stops_when_told_and_the_lease_stands() {
    let mut asleep = keeping(|_| ());
    assert_eq!(asleep.stop().done(), LockOutcome::Stopped);
    assert_eq!(asleep.start(LockRequest::Release).call(), "release me.1#1");
    let mut renewing = keeping(|_| ());
    assert_eq!(renewing.sleep().stop().done(), LockOutcome::Stopped);
    assert_eq!(renewing.start(LockRequest::Release).call(), "release me.1#1");
}
