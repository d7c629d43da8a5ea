//! Moving the deadline once.

use super::*;
use crate::settings::MAX_LEASE;

fn extend(by_ms: u64) -> LockRequest {
    LockRequest::Extend { by_ms }
}

fn target(scene: &Scene) -> u64 {
    match scene.command() {
        LockCommand::Extend { lease_ms, .. } => *lease_ms,
        command => panic!("{command:?}"),
    }
}

#[test]
fn an_extension_is_sent_as_a_target_and_counts_from_the_send() {
    let mut scene = Scene::held();
    scene.pass(4_000).start(extend(10_000));
    assert_eq!(target(&scene), 16_000, "6 s are left of 10");
    scene.pass(500).reply(LockReply::Extended);
    let LockOutcome::Extend(Ok(grant)) = scene.done() else { panic!("{:?}", scene.action) };
    assert_eq!(grant.remaining(scene.now).as_millis(), 16_000 - 162 - 500);
    assert_eq!(grant.fence(), Fence(7));
}

#[test]
fn an_extension_never_shortens() {
    for waited in [0, 1, 5_000, 9_897] {
        for by_ms in [1, 2, 4_999, 100_000] {
            let mut scene = Scene::held();
            scene.pass(waited);
            let before = scene.millis_left();
            scene.start(extend(by_ms)).reply(LockReply::Extended);
            assert!(scene.millis_left() >= before, "{waited} {by_ms}");
        }
    }
}

#[test]
fn an_extension_never_asks_for_more_than_a_server_can_count() {
    let mut scene = Scene::held();
    let longest = u64::try_from(MAX_LEASE.as_millis()).unwrap();
    assert_eq!(target(scene.start(extend(u64::MAX))), longest);
}

#[test]
fn a_failed_extension_leaves_the_deadline_and_releases_nothing() {
    let replies = [Err(TIMED_OUT), Err(UNREACHABLE), Err(refused()), Ok(LockReply::Released)];
    for reply in replies {
        let mut scene = Scene::held();
        let before = scene.millis_left();
        scene.start(extend(5_000)).step(Event::Replied(reply.map(Reply::Lock)));
        let outcome = scene.done();
        assert!(
            !matches!(outcome, LockOutcome::Extend(Ok(_) | Err(ExtendError::Lost(_)))),
            "{outcome:?}"
        );
        assert_eq!(scene.millis_left(), before);
        assert_eq!(scene.start(extend(5_000)).call(), "extend me.1#1", "it can be tried again");
    }
}

#[test]
fn an_answer_after_the_deadline_is_too_late() {
    let mut scene = Scene::held();
    scene.pass(9_000).start(extend(10_000));
    assert_eq!(scene.millis_to_give_up(), 898, "never waits beyond the deadline");
    scene.pass(898).reply(LockReply::Extended);
    assert_eq!(scene.done(), LockOutcome::Extend(Err(ExtendError::Lost(LossReason::Expired))));
}

#[test]
fn an_expired_lease_is_not_extended() {
    let mut scene = Scene::held();
    scene.pass(9_898).start(extend(1_000));
    assert_eq!(scene.done(), LockOutcome::Extend(Err(ExtendError::Lost(LossReason::Expired))));
    let mut never_held = Scene::new();
    assert_eq!(
        never_held.start(extend(1)).done(),
        LockOutcome::Extend(Err(ExtendError::Lost(LossReason::Expired)))
    );
}

#[test]
fn a_lease_that_the_server_does_not_know_is_lost() {
    let mut scene = Scene::held();
    scene.start(extend(1_000)).reply(LockReply::NotHeld);
    assert_eq!(scene.done(), LockOutcome::Extend(Err(ExtendError::Lost(LossReason::Taken))));
    assert_eq!(scene.machine.grant(), None);
    // A late copy of its acquire could still bring it back.
    assert_eq!(scene.in_flight(), Some("me.1#1"));
    assert_eq!(scene.acquire().call(), "release me.1#1");
}

#[test]
fn an_adopted_lease_is_extended_and_released_under_its_own_token() {
    let mut scene = Scene::new();
    let token = Token::new("theirs").unwrap();
    scene.machine.adopt(scene.now, token, Fence(9), 5_000);
    assert_eq!(scene.millis_left(), 5_000 - 52);
    assert_eq!(scene.start(extend(1_000)).call(), "extend theirs");
    scene.reply(LockReply::Extended);
    assert_eq!(scene.start(LockRequest::Release).call(), "release theirs");
}

#[test]
#[should_panic(expected = "only a machine that holds nothing")]
fn a_lease_is_not_adopted_over_another() {
    let mut scene = Scene::held();
    scene.machine.adopt(scene.now, Token::new("theirs").unwrap(), Fence(9), 5_000);
}
