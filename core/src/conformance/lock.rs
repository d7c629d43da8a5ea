//! What every store answers about locks.
#![allow(missing_docs, clippy::missing_panics_doc, reason = "each case's name is its fact")]

use std::{format, vec::Vec};

use super::{
    DynFixture, LONG, SHORT,
    subject::{Subject, all, token},
    two_tokens, unique,
};
use crate::{
    lock::{
        Holder, LockCommand, LockConfig, LockMachine, LockOptions, LockOutcome, LockReply,
        LockRequest, NotAcquired,
    },
    machine::{Action, Event, Machine},
    store::Store,
    time::Instant,
    token::{Fence, Tokens},
};

pub(super) async fn a_free_lock_is_taken(fixture: DynFixture<'_>) {
    let (subject, (mine, _)) = (Subject::new(fixture), two_tokens());
    assert!(subject.take(&mine, LONG).await > Fence(0));
    let left = subject.left(&mine).await;
    assert!((1..=LONG).contains(&left), "{left}");
}

pub(super) async fn a_held_lock_is_busy_for_as_long_as_it_lives(fixture: DynFixture<'_>) {
    let (subject, (mine, other)) = (Subject::new(fixture), two_tokens());
    subject.take(&mine, LONG).await;
    match subject.acquire(&other, LONG).await {
        LockReply::Busy { remaining_ms: Some(left) } => assert!((1..=LONG).contains(&left)),
        reply => panic!("{reply:?}"),
    }
    assert!(matches!(subject.holder(&mine).await, Holder::Us { .. }));
}

pub(super) async fn an_acquire_sent_twice_takes_one_lock_with_one_fence(fixture: DynFixture<'_>) {
    let (subject, (mine, _)) = (Subject::new(fixture), two_tokens());
    let fence = subject.take(&mine, LONG).await;
    let copy = subject.acquire(&mine, LONG).await;
    assert_eq!(copy, LockReply::Acquired { fence, fresh: false });
}

pub(super) async fn an_acquire_sent_twice_does_not_lengthen_the_lease(fixture: DynFixture<'_>) {
    let (subject, (mine, _)) = (Subject::new(fixture), two_tokens());
    subject.take(&mine, SHORT).await;
    subject.acquire(&mine, LONG).await;
    assert!(subject.left(&mine).await <= SHORT);
}

pub(super) async fn a_lease_ends_by_itself(fixture: DynFixture<'_>) {
    let (subject, (mine, other)) = (Subject::new(fixture), two_tokens());
    subject.take(&mine, SHORT).await;
    subject.pass(SHORT).await;
    assert_eq!(subject.holder(&mine).await, Holder::Free);
    subject.take(&other, LONG).await;
}

pub(super) async fn a_release_frees_the_lock_and_says_so_again_to_its_copy(
    fixture: DynFixture<'_>,
) {
    let (subject, (mine, other)) = (Subject::new(fixture), two_tokens());
    subject.take(&mine, LONG).await;
    assert_eq!(subject.release(&mine).await, LockReply::Released);
    assert_eq!(subject.release(&mine).await, LockReply::Released);
    subject.take(&other, LONG).await;
    assert_eq!(subject.release(&mine).await, LockReply::Released);
    assert!(matches!(subject.holder(&other).await, Holder::Us { .. }), "a copy frees nothing");
}

pub(super) async fn a_release_by_another_token_changes_nothing(fixture: DynFixture<'_>) {
    let (subject, (mine, other)) = (Subject::new(fixture), two_tokens());
    subject.take(&mine, LONG).await;
    assert_eq!(subject.release(&other).await, LockReply::NotHeld);
    assert!(matches!(subject.holder(&mine).await, Holder::Us { .. }));
}

pub(super) async fn a_release_of_an_expired_lease_is_not_held(fixture: DynFixture<'_>) {
    let (subject, (mine, _)) = (Subject::new(fixture), two_tokens());
    subject.take(&mine, SHORT).await;
    subject.pass(SHORT).await;
    assert_eq!(subject.release(&mine).await, LockReply::NotHeld);
}

pub(super) async fn a_released_token_is_gone_even_if_its_acquire_comes_late(
    fixture: DynFixture<'_>,
) {
    let (subject, (mine, other)) = (Subject::new(fixture), two_tokens());
    subject.take(&mine, LONG).await;
    subject.release(&mine).await;
    assert_eq!(subject.acquire(&mine, LONG).await, LockReply::Revoked);
    subject.take(&other, LONG).await;
}

pub(super) async fn a_token_given_up_before_it_arrived_is_gone(fixture: DynFixture<'_>) {
    let (subject, (mine, _)) = (Subject::new(fixture), two_tokens());
    assert_eq!(subject.release(&mine).await, LockReply::NotHeld);
    assert_eq!(subject.acquire(&mine, LONG).await, LockReply::Revoked);
    assert_eq!(subject.holder(&mine).await, Holder::Free);
}

pub(super) async fn a_try_that_was_busy_is_gone_even_if_its_copy_comes_late(
    fixture: DynFixture<'_>,
) {
    let (subject, (mine, other)) = (Subject::new(fixture), two_tokens());
    subject.take(&other, LONG).await;
    assert!(matches!(subject.acquire(&mine, LONG).await, LockReply::Busy { .. }));
    assert_eq!(subject.release(&other).await, LockReply::Released);
    assert_eq!(subject.acquire(&mine, LONG).await, LockReply::Revoked);
    assert_eq!(subject.holder(&mine).await, Holder::Free);
}

pub(super) async fn a_busy_try_that_is_sent_twice_was_busy(fixture: DynFixture<'_>) {
    let (subject, (mine, other)) = (Subject::new(fixture), two_tokens());
    subject.take(&other, LONG).await;
    assert!(matches!(subject.acquire(&mine, LONG).await, LockReply::Busy { .. }));
    assert_eq!(subject.acquire(&mine, LONG).await, LockReply::Revoked);
    // So is a caller told of whose requests all arrive twice, and who sees the second answers.
    let options = LockOptions::new().attempts(1);
    let config = LockConfig::new(subject.keys.lock(), &options).expect("it can work");
    let request = config.acquire();
    let mut machine = LockMachine::new(config, Tokens::from_os(), 0);
    let mut event = Event::Start(LockRequest::Acquire(request));
    let outcome = loop {
        match machine.step(Instant::ORIGIN, event) {
            Action::Call { command, .. } => {
                let _lost = fixture.store().execute(command.clone()).await;
                event = Event::Replied(fixture.store().execute(command).await);
            }
            Action::Done(outcome) => break outcome,
            action => panic!("{action:?}"),
        }
    };
    assert!(matches!(outcome, LockOutcome::Acquire(Err(NotAcquired::Busy { .. }))), "{outcome:?}");
    assert!(matches!(subject.holder(&other).await, Holder::Us { .. }));
}

pub(super) async fn a_callers_own_token_may_be_tried_again_after_busy(fixture: DynFixture<'_>) {
    let (subject, (_, other)) = (Subject::new(fixture), two_tokens());
    let own = token(&unique().replace('#', "-"));
    subject.take(&other, LONG).await;
    assert!(matches!(subject.acquire(&own, LONG).await, LockReply::Busy { .. }));
    assert_eq!(subject.release(&other).await, LockReply::Released);
    subject.take(&own, LONG).await;
}

pub(super) async fn giving_up_a_try_gives_up_those_before_it(fixture: DynFixture<'_>) {
    let (subject, mut tokens) = (Subject::new(fixture), Tokens::from_os());
    let (first, second, third) = (tokens.fresh(), tokens.next_in_series(), tokens.next_in_series());
    assert_eq!(subject.release(&second).await, LockReply::NotHeld);
    assert_eq!(subject.acquire(&first, LONG).await, LockReply::Revoked);
    assert_eq!(subject.acquire(&second, LONG).await, LockReply::Revoked);
    subject.take(&third, LONG).await;
}

pub(super) async fn a_tombstone_does_not_block_other_series(fixture: DynFixture<'_>) {
    let (subject, mut tokens) = (Subject::new(fixture), Tokens::from_os());
    let mut last = Fence(0);
    for _ in 0..20 {
        let token = tokens.fresh();
        let fence = subject.take(&token, LONG).await;
        assert!(fence > last);
        last = fence;
        assert_eq!(subject.release(&token).await, LockReply::Released);
    }
}

pub(super) async fn a_tombstone_is_forgotten_in_time(fixture: DynFixture<'_>) {
    let (subject, (mine, _)) = (Subject::new(fixture), two_tokens());
    subject.release_for(&mine, SHORT).await;
    assert_eq!(subject.acquire(&mine, LONG).await, LockReply::Revoked);
    subject.pass(SHORT).await;
    subject.take(&mine, LONG).await;
}

pub(super) async fn an_extension_reaches_its_target_however_often_it_is_sent(
    fixture: DynFixture<'_>,
) {
    let (subject, (mine, _)) = (Subject::new(fixture), two_tokens());
    subject.take(&mine, SHORT).await;
    for _ in 0..3 {
        assert_eq!(subject.extend(&mine, LONG).await, LockReply::Extended);
        let left = subject.left(&mine).await;
        assert!((SHORT + 1..=LONG).contains(&left), "{left}");
    }
    subject.pass(SHORT).await;
    assert!(subject.left(&mine).await <= LONG - SHORT);
}

pub(super) async fn an_extension_never_shortens(fixture: DynFixture<'_>) {
    let (subject, (mine, _)) = (Subject::new(fixture), two_tokens());
    subject.take(&mine, LONG).await;
    assert_eq!(subject.extend(&mine, 1).await, LockReply::Extended);
    assert!(subject.left(&mine).await > SHORT);
}

pub(super) async fn an_extension_never_creates(fixture: DynFixture<'_>) {
    let (subject, (mine, _)) = (Subject::new(fixture), two_tokens());
    assert_eq!(subject.extend(&mine, LONG).await, LockReply::NotHeld);
    assert_eq!(subject.holder(&mine).await, Holder::Free);
    subject.take(&mine, SHORT).await;
    subject.pass(SHORT).await;
    assert_eq!(subject.extend(&mine, LONG).await, LockReply::NotHeld);
    assert_eq!(subject.holder(&mine).await, Holder::Free);
}

pub(super) async fn an_extension_by_another_token_changes_nothing(fixture: DynFixture<'_>) {
    let (subject, (mine, other)) = (Subject::new(fixture), two_tokens());
    subject.take(&mine, SHORT).await;
    assert_eq!(subject.extend(&other, LONG).await, LockReply::NotHeld);
    assert!(subject.left(&mine).await <= SHORT);
}

pub(super) async fn fences_grow_with_each_grant(fixture: DynFixture<'_>) {
    let (subject, mut tokens) = (Subject::new(fixture), Tokens::from_os());
    let mut last = Fence(0);
    for round in 0..5 {
        let token = tokens.fresh();
        let fence = subject.take(&token, SHORT).await;
        assert!(fence > last, "{fence} after {last}");
        last = fence;
        if round == 3 {
            subject.pass(SHORT).await;
        } else {
            subject.release(&token).await;
        }
    }
}

pub(super) async fn a_fence_is_kept_by_extending(fixture: DynFixture<'_>) {
    let (subject, (mine, _)) = (Subject::new(fixture), two_tokens());
    let fence = subject.take(&mine, SHORT).await;
    subject.extend(&mine, LONG).await;
    let again = subject.acquire(&mine, LONG).await;
    assert_eq!(again, LockReply::Acquired { fence, fresh: false });
}

pub(super) async fn an_inspection_tells_free_from_ours_from_anothers(fixture: DynFixture<'_>) {
    let (subject, (mine, other)) = (Subject::new(fixture), two_tokens());
    assert_eq!(subject.holder(&mine).await, Holder::Free);
    subject.take(&mine, LONG).await;
    assert!(matches!(subject.holder(&mine).await, Holder::Us { remaining_ms: Some(1..=LONG) }));
    assert!(matches!(subject.holder(&other).await, Holder::Other { remaining_ms: Some(1..=LONG) }));
    let anonymous = LockCommand::Inspect { keys: subject.keys.clone(), token: None };
    let reply = subject.ask(anonymous).await;
    assert!(matches!(reply, LockReply::Holder(Holder::Other { .. })), "{reply:?}");
}

pub(super) async fn odd_ids_and_tokens_are_kept_apart(fixture: DynFixture<'_>) {
    let odd = ["12345", "null", "\"quoted\"", "a b\r\nc", "ünï\u{1F512}", "{}", "%00", "-1", "1e3"];
    let unique = unique();
    for id in odd {
        let subject = Subject::called(fixture, &format!("{{{unique}}}{id}"));
        for text in odd {
            let (mine, other) = (token(text), token(&format!("{text} ")));
            subject.take(&mine, LONG).await;
            assert!(matches!(subject.acquire(&other, LONG).await, LockReply::Busy { .. }));
            assert!(matches!(subject.holder(&mine).await, Holder::Us { .. }), "{id} {text}");
            assert_eq!(subject.release(&mine).await, LockReply::Released, "{id} {text}");
        }
    }
}

pub(super) async fn tokens_are_compared_whole(fixture: DynFixture<'_>) {
    let subject = Subject::new(fixture);
    subject.take(&token("job-2"), LONG).await;
    for other in ["job", "job-", "job-22", "JOB-2"] {
        let other = token(other);
        assert!(matches!(subject.acquire(&other, LONG).await, LockReply::Busy { .. }));
        assert_eq!(subject.extend(&other, LONG).await, LockReply::NotHeld);
        assert_eq!(subject.release(&other).await, LockReply::NotHeld);
    }
    assert!(matches!(subject.holder(&token("job-2")).await, Holder::Us { .. }));
}

pub(super) async fn locks_of_different_ids_do_not_meet(fixture: DynFixture<'_>) {
    let (one, two) = (Subject::new(fixture), Subject::new(fixture));
    let (mine, _) = two_tokens();
    one.take(&mine, LONG).await;
    two.take(&mine, LONG).await;
    assert_eq!(one.release(&mine).await, LockReply::Released);
    assert!(matches!(two.holder(&mine).await, Holder::Us { .. }));
    assert_eq!(two.extend(&mine, LONG).await, LockReply::Extended);
}

pub(super) async fn of_many_at_once_exactly_one_takes_the_lock(fixture: DynFixture<'_>) {
    let (subject, mut tokens) = (Subject::new(fixture), Tokens::from_os());
    let tokens: Vec<_> = (0..16).map(|_| tokens.fresh()).collect();
    let calls = tokens.iter().map(|token| subject.acquire(token, LONG)).collect();
    let replies = all(calls).await;
    let taken = replies.iter().filter(|reply| matches!(reply, LockReply::Acquired { .. })).count();
    let busy = replies.iter().filter(|reply| matches!(reply, LockReply::Busy { .. })).count();
    assert_eq!((taken, busy), (1, 15), "{replies:?}");
}

pub(super) async fn a_fence_is_raised_by_its_holder_and_never_lowered(fixture: DynFixture<'_>) {
    let (subject, (mine, other)) = (Subject::new(fixture), two_tokens());
    assert_eq!(subject.raise_fence(&mine, Fence(1)).await, LockReply::NotHeld, "nobody's");
    let fence = subject.take(&mine, LONG).await;
    assert_eq!(subject.raise_fence(&other, Fence(fence.0 + 9)).await, LockReply::NotHeld);
    let raised = Fence(fence.0 + 5);
    for _ in 0..2 {
        assert_eq!(subject.raise_fence(&mine, raised).await, LockReply::FenceRaised);
        assert_eq!(subject.raise_fence(&mine, fence).await, LockReply::FenceRaised);
        let copy = subject.acquire(&mine, LONG).await;
        assert_eq!(copy, LockReply::Acquired { fence: raised, fresh: false });
    }
}

pub(super) async fn a_raised_fence_is_the_least_that_follows(fixture: DynFixture<'_>) {
    let (subject, (mine, other)) = (Subject::new(fixture), two_tokens());
    let fence = subject.take(&mine, LONG).await;
    // Ten minutes ahead of the server's clock, as another server's may be.
    let raised = Fence(fence.0 + 600_000_000);
    assert_eq!(subject.raise_fence(&mine, raised).await, LockReply::FenceRaised);
    subject.release(&mine).await;
    assert!(subject.take(&other, LONG).await > raised);
}

pub(super) async fn a_confirmation_says_how_many_replicas_have_it(fixture: DynFixture<'_>) {
    let (subject, (mine, _)) = (Subject::new(fixture), two_tokens());
    subject.take(&mine, LONG).await;
    let mut least = 0;
    for wanted in [0, 1, 99] {
        let keys = subject.keys.clone();
        let command = LockCommand::Confirm { keys, replicas: wanted, timeout_ms: 50 };
        match subject.ask(command).await {
            LockReply::Confirmed { replicas } => {
                assert!(replicas >= least, "what has arrived stays there");
                least = replicas;
            }
            reply => panic!("{reply:?}"),
        }
    }
    assert!(least < 99, "a shortfall is told");
}
