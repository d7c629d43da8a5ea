//! Trying, and waiting between tries.

use super::*;

#[test]
fn a_grant_counts_from_before_the_send_less_the_margin() {
    let mut scene = Scene::new();
    scene.acquire();
    assert_eq!(scene.call(), "acquire me.1#1");
    scene.pass(1_000).reply(granted());
    let LockOutcome::Acquire(Ok(grant)) = scene.done() else { panic!("{:?}", scene.action) };
    assert_eq!(grant.remaining(scene.now).as_millis(), 10_000 - 102 - 1_000);
    assert_eq!((grant.fence(), grant.token().as_str()), (Fence(7), "me.1#1"));
}

#[test]
fn each_attempt_has_a_fresh_token_and_nobody_sleeps_after_the_last() {
    let mut scene = Scene::new();
    scene.acquire();
    for token in ["acquire me.1#1", "acquire me.1#2"] {
        assert_eq!(scene.call(), token);
        scene.reply(busy());
        assert_eq!(scene.millis_asleep(), 100);
        scene.sleep();
    }
    assert_eq!(scene.call(), "acquire me.1#3");
    scene.reply(busy());
    assert_eq!(scene.done(), busy_for(5));
    assert_eq!(scene.in_flight(), None);
}

#[test]
fn a_store_that_is_down_is_not_a_lock_that_is_held() {
    let mut scene = Scene::new();
    scene.acquire();
    scene.fail(UNREACHABLE).sleep();
    scene.fail(UNREACHABLE).sleep();
    assert_eq!(scene.fail(UNREACHABLE).done(), not_acquired(NotAcquired::Unavailable(UNREACHABLE)));
    assert_eq!(scene.in_flight(), None);
}

#[test]
fn an_unknown_attempt_is_cleared_before_the_next() {
    let mut scene = Scene::new();
    scene.acquire().fail(TIMED_OUT);
    assert_eq!(scene.call(), "release me.1#1");
    assert_eq!(scene.in_flight(), Some("me.1#1"));
    scene.reply(LockReply::Released);
    assert_eq!(scene.millis_asleep(), 100);
    assert_eq!(scene.in_flight(), None);
    scene.sleep();
    assert_eq!(scene.call(), "acquire me.1#2");
    assert!(matches!(scene.reply(granted()).done(), LockOutcome::Acquire(Ok(_))));
}

#[test]
fn an_unknown_last_attempt_is_cleared_before_the_answer() {
    let mut scene = Scene::with(|options| options.attempts = 1);
    scene.acquire().fail(TIMED_OUT);
    assert_eq!(scene.call(), "release me.1#1");
    scene.reply(LockReply::NotHeld);
    assert_eq!(scene.done(), not_acquired(NotAcquired::Unavailable(TIMED_OUT)));
    assert_eq!(scene.in_flight(), None);
}

#[test]
fn a_clean_up_that_fails_leaves_the_outcome_open() {
    let mut scene = Scene::new();
    scene.acquire().fail(TIMED_OUT);
    scene.fail(TIMED_OUT).sleep();
    scene.fail(UNREACHABLE).sleep();
    assert_eq!(scene.call(), "release me.1#1");
    assert_eq!(scene.fail(TIMED_OUT).done(), not_acquired(NotAcquired::Unknown(TIMED_OUT)));
    assert_eq!(scene.in_flight(), Some("me.1#1"));
}

#[test]
fn a_refusal_is_final() {
    let mut scene = Scene::new();
    assert!(matches!(
        scene.acquire().fail(refused()).done(),
        LockOutcome::Acquire(Err(NotAcquired::Rejected(_)))
    ));
    let mut scene = Scene::new();
    scene.acquire().fail(TIMED_OUT).fail(refused());
    assert!(matches!(
        scene.done(),
        LockOutcome::Acquire(Err(NotAcquired::Unknown(StoreError::Rejected(_))))
    ));
    assert_eq!(scene.in_flight(), Some("me.1#1"));
}

#[test]
fn a_lease_born_expired_is_cleared_and_never_handed_out() {
    let mut scene = Scene::with(|options| options.attempts = 1);
    scene.acquire_with(lease_of(1_000));
    assert_eq!(scene.millis_to_give_up(), 988, "after that, an answer is of no use");
    scene.pass(988).reply(granted());
    assert_eq!(scene.call(), "release me.1#1");
    assert_eq!(
        scene.reply(LockReply::Released).done(),
        not_acquired(NotAcquired::Unavailable(TIMED_OUT))
    );
    assert_eq!(scene.machine.grant(), None);

    let mut scene = Scene::new();
    scene.acquire_with(lease_of(1_000)).pass(987).reply(granted());
    assert_eq!(scene.millis_left(), 1);
}

#[test]
fn a_call_is_given_up_at_the_call_timeout() {
    assert_eq!(Scene::new().acquire().millis_to_give_up(), 2_000);
}

#[test]
fn an_answer_to_another_question_is_unknown() {
    for odd in [LockReply::Extended, LockReply::Released, LockReply::Holder(Holder::Free)] {
        let mut scene = Scene::new();
        scene.acquire().reply(odd);
        assert_eq!(scene.call(), "release me.1#1");
    }
    let mut scene = Scene::new();
    scene.acquire().fail(TIMED_OUT).reply(LockReply::Extended);
    assert_eq!(scene.in_flight(), Some("me.1#1"));
    assert_eq!(scene.sleep().call(), "release me.1#1");
}

#[test]
fn a_fresh_token_that_is_there_already_is_a_copy_of_this_send() {
    let mut scene = Scene::new();
    scene.acquire().pass(500);
    scene.reply(LockReply::Acquired { fence: Fence(7), fresh: false });
    assert_eq!(scene.millis_left(), 10_000 - 102 - 500);
}

#[test]
fn a_callers_token_is_tried_again_and_not_cleared_between_tries() {
    let mut scene = Scene::new();
    scene.acquire_with(own_token()).fail(TIMED_OUT);
    assert_eq!(scene.in_flight(), Some("mine"));
    assert_eq!(scene.sleep().call(), "acquire mine");
    assert!(matches!(scene.reply(granted()).done(), LockOutcome::Acquire(Ok(_))));
}

#[test]
fn a_callers_token_that_is_there_already_is_a_lease_only_from_its_extension_on() {
    let there = LockReply::Acquired { fence: Fence(7), fresh: false };
    let mut scene = Scene::new();
    scene.acquire_with(own_token()).pass(9_000).reply(there.clone());
    assert_eq!(scene.call(), "extend mine");
    assert_eq!(scene.in_flight(), Some("mine"));
    scene.pass(300).reply(LockReply::Extended);
    assert!(matches!(scene.done(), LockOutcome::Acquire(Ok(_))));
    assert_eq!(scene.millis_left(), 10_000 - 102 - 300);

    let mut scene = Scene::new();
    scene.acquire_with(own_token()).reply(there.clone()).reply(LockReply::NotHeld);
    assert_eq!(scene.sleep().call(), "acquire mine", "it ran out in between");

    let mut last_try = Scene::with(|options| options.attempts = 1);
    last_try.acquire_with(own_token()).reply(there).fail(TIMED_OUT);
    assert_eq!(last_try.call(), "release mine");
}

#[test]
fn a_callers_token_that_may_be_there_is_given_up_after_the_last_try() {
    let mut scene = Scene::with(|options| options.attempts = 2);
    scene.acquire_with(own_token()).fail(TIMED_OUT).sleep();
    scene.reply(busy());
    assert_eq!(scene.call(), "release mine");
    let outcome = scene.reply(LockReply::NotHeld).done();
    assert_eq!(outcome, busy_for(5));
}

#[test]
fn a_doubt_about_a_callers_token_outlives_a_try_that_was_not_sent() {
    let mut scene = Scene::with(|options| options.attempts = 2);
    scene.acquire_with(own_token()).fail(TIMED_OUT).sleep();
    scene.fail(UNREACHABLE);
    assert_eq!(scene.call(), "release mine");
    assert_eq!(
        scene.reply(LockReply::Released).done(),
        not_acquired(NotAcquired::Unavailable(UNREACHABLE))
    );
}

#[test]
fn a_spent_token_is_told_apart() {
    let mut scene = Scene::new();
    assert_eq!(
        scene.acquire_with(own_token()).reply(LockReply::Revoked).done(),
        not_acquired(NotAcquired::Revoked)
    );
}

#[test]
fn a_try_of_ours_that_is_gone_was_busy() {
    let mut scene = Scene::with(|options| options.attempts = 2);
    scene.acquire().reply(LockReply::Revoked);
    assert_eq!((scene.millis_asleep(), scene.in_flight()), (100, None));
    assert_eq!(scene.sleep().call(), "acquire me.1#2");
    scene.reply(LockReply::Revoked);
    assert_eq!(scene.done(), busy_for(0));
    assert_eq!(scene.in_flight(), None);
}

#[test]
fn a_delay_is_jittered_by_half_of_it() {
    let mut scene = Scene::with(|options| {
        options.jitter = true;
        options.attempts = 200;
    });
    scene.acquire();
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..100 {
        scene.reply(busy());
        assert!((50..=150).contains(&scene.millis_asleep()));
        seen.insert(scene.millis_asleep());
        scene.sleep();
    }
    assert!(seen.len() > 40, "{seen:?}");
}

#[test]
fn two_handles_do_not_march_in_step_after_their_first_leases() {
    let pause = |seed| {
        let mut scene = Scene::with(|options| options.jitter = true);
        scene.machine =
            LockMachine::new(scene.machine.config().clone(), Tokens::of_owner("me"), seed);
        scene.acquire().reply(granted());
        assert!(scene.machine.hand_over().grant().is_some());
        scene.acquire().reply(busy());
        scene.woken_at()
    };
    assert_ne!(pause(1), pause(2));
}

#[test]
fn a_lease_that_the_machine_has_is_given_up_before_the_next() {
    let mut scene = Scene::held();
    assert_eq!(scene.acquire().call(), "release me.1#1");
    assert_eq!(scene.in_flight(), Some("me.1#1"));
    assert_eq!(scene.reply(LockReply::Released).call(), "acquire me.1#2");
}
