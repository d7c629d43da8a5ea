//! Giving up, and asking who holds.

use super::*;

#[test]
fn a_release_is_told_whether_it_was_ours() {
    let release = |reply| Scene::held().start(LockRequest::Release).reply(reply).done();
    assert_eq!(release(LockReply::Released), LockOutcome::Release(Ok(Released::Released)));
    assert_eq!(release(LockReply::NotHeld), LockOutcome::Release(Ok(Released::NotHeld)));
    assert_eq!(
        Scene::new().start(LockRequest::Release).done(),
        LockOutcome::Release(Ok(Released::NotHeld))
    );
}

#[test]
fn a_release_whose_reply_was_lost_is_sent_again_with_the_same_token() {
    let mut scene = Scene::held();
    scene.start(LockRequest::Release).fail(TIMED_OUT);
    assert_eq!(scene.millis_asleep(), 100);
    assert_eq!(scene.sleep().call(), "release me.1#1");
    assert_eq!(
        scene.reply(LockReply::Released).done(),
        LockOutcome::Release(Ok(Released::Released))
    );
    assert_eq!(scene.in_flight(), None);
}

#[test]
fn a_release_that_gets_no_answer_is_unknown_and_can_be_asked_again() {
    let mut scene = Scene::held();
    scene.start(LockRequest::Release).fail(TIMED_OUT).sleep();
    scene.fail(UNREACHABLE).sleep();
    assert_eq!(
        scene.fail(UNREACHABLE).done(),
        LockOutcome::Release(Err(ReleaseError::Unknown(UNREACHABLE)))
    );
    assert_eq!(scene.in_flight(), Some("me.1#1"));
    scene.start(LockRequest::Release);
    assert_eq!(scene.call(), "release me.1#1");
    assert_eq!(
        scene.reply(LockReply::Released).done(),
        LockOutcome::Release(Ok(Released::Released))
    );
}

#[test]
fn a_release_that_never_left_is_unavailable() {
    let mut scene = Scene::held();
    scene.start(LockRequest::Release).fail(UNREACHABLE).sleep();
    scene.fail(UNREACHABLE).sleep();
    assert_eq!(
        scene.fail(UNREACHABLE).done(),
        LockOutcome::Release(Err(ReleaseError::Unavailable(UNREACHABLE)))
    );
    assert_eq!(scene.in_flight(), Some("me.1#1"));
}

#[test]
fn a_refused_release_is_not_sent_again_by_itself() {
    let mut scene = Scene::held();
    scene.start(LockRequest::Release).fail(refused());
    assert!(matches!(scene.done(), LockOutcome::Release(Err(ReleaseError::Rejected(_)))));
    assert_eq!(scene.in_flight(), Some("me.1#1"));
}

#[test]
fn a_released_lease_is_over_before_the_server_knows() {
    let mut scene = Scene::held();
    scene.start(LockRequest::Release);
    assert_eq!(scene.machine.grant(), None);
}

#[test]
fn an_answer_to_another_question_does_not_count_as_released() {
    let mut scene = Scene::held();
    scene.start(LockRequest::Release).reply(LockReply::Extended);
    assert_eq!(scene.sleep().call(), "release me.1#1");
}

#[test]
fn a_status_asks_about_our_own_token() {
    let mut scene = Scene::held();
    let holder = Holder::Us { remaining_ms: Some(3) };
    assert_eq!(scene.start(LockRequest::Status).call(), "inspect me.1#1");
    assert_eq!(scene.reply(LockReply::Holder(holder)).done(), LockOutcome::Status(Ok(holder)));
    assert_eq!(Scene::new().start(LockRequest::Status).call(), "inspect -");
}

#[test]
fn a_status_that_is_not_answered_is_not_free() {
    let ask = |error| Scene::new().start(LockRequest::Status).fail(error).done();
    assert_eq!(ask(TIMED_OUT), LockOutcome::Status(Err(TIMED_OUT)));
    assert_eq!(ask(UNREACHABLE), LockOutcome::Status(Err(UNREACHABLE)));
    let mut odd = Scene::new();
    odd.start(LockRequest::Status).reply(LockReply::Extended);
    assert!(matches!(
        odd.done(),
        LockOutcome::Status(Err(StoreError::Unknown(Cause::Malformed(_))))
    ));
}
