//! What every store answers at the edges: the last millisecond, odd names, keys that are no locks.
#![allow(missing_docs, clippy::missing_panics_doc, reason = "each case's name is its fact")]

use std::{format, string::String, vec::Vec};

use super::{
    DynFixture, Foreign, LONG, SHORT,
    subject::{Subject, all, token},
    two_tokens, unable, unique,
};
use crate::{
    lock::{Holder, LockCommand, LockReply},
    settings::MAX_LEASE,
    store::{Command, RejectionKind, Store, StoreError},
    token::{Fence, Tokens},
};

pub(super) async fn a_lease_lives_to_its_last_millisecond_and_not_one_past_its_end(
    fixture: DynFixture<'_>,
) {
    let (subject, (mine, other)) = (Subject::new(fixture), two_tokens());
    if !subject.is_exact() {
        return;
    }
    subject.take(&mine, SHORT).await;
    subject.pass_exactly(SHORT - 1).await;
    assert_eq!(subject.left(&mine).await, 1);
    assert_eq!(subject.acquire(&other, LONG).await, LockReply::Busy { remaining_ms: Some(1) });
    // Whether it is over at its very end is the server's to say: one millisecond later it is.
    subject.pass_exactly(2).await;
    assert_eq!(subject.holder(&mine).await, Holder::Free);
}

pub(super) async fn a_lease_of_one_millisecond_ends(fixture: DynFixture<'_>) {
    let (subject, (mine, other)) = (Subject::new(fixture), two_tokens());
    subject.take(&mine, 1).await;
    subject.pass(1).await;
    subject.take(&other, LONG).await;
    assert_eq!(subject.extend(&mine, LONG).await, LockReply::NotHeld);
}

pub(super) async fn the_longest_lease_is_kept_whole(fixture: DynFixture<'_>) {
    let (subject, (mine, _)) = (Subject::new(fixture), two_tokens());
    let longest = u64::try_from(MAX_LEASE.as_millis()).expect("ten years");
    subject.take(&mine, longest).await;
    let left = subject.left(&mine).await;
    assert!((longest - LONG..=longest).contains(&left), "{left}");
    assert_eq!(subject.release(&mine).await, LockReply::Released);
}

pub(super) async fn what_is_left_of_a_lease_counts_down(fixture: DynFixture<'_>) {
    let (subject, (mine, other)) = (Subject::new(fixture), two_tokens());
    subject.take(&mine, LONG).await;
    let before = subject.left(&mine).await;
    subject.pass(SHORT).await;
    let after = subject.left(&mine).await;
    assert!(after <= before - SHORT && after > 0, "{before} {after}");
    match subject.acquire(&other, LONG).await {
        LockReply::Busy { remaining_ms: Some(left) } => assert!(left <= after),
        reply => panic!("{reply:?}"),
    }
}

pub(super) async fn an_extension_counts_from_when_it_is_applied(fixture: DynFixture<'_>) {
    let (subject, (mine, _)) = (Subject::new(fixture), two_tokens());
    if !subject.is_exact() {
        return;
    }
    subject.take(&mine, SHORT).await;
    subject.pass_exactly(SHORT / 2).await;
    assert_eq!(subject.extend(&mine, SHORT).await, LockReply::Extended);
    assert_eq!(subject.left(&mine).await, SHORT, "to the target, not added to what is left");
}

pub(super) async fn an_extension_may_come_in_the_last_millisecond_and_not_later(
    fixture: DynFixture<'_>,
) {
    let (subject, (mine, _)) = (Subject::new(fixture), two_tokens());
    if !subject.is_exact() {
        return;
    }
    subject.take(&mine, SHORT).await;
    subject.pass_exactly(SHORT - 1).await;
    assert_eq!(subject.extend(&mine, SHORT).await, LockReply::Extended);
    subject.pass_exactly(SHORT + 1).await;
    assert_eq!(subject.extend(&mine, SHORT).await, LockReply::NotHeld);
    assert_eq!(subject.holder(&mine).await, Holder::Free);
}

pub(super) async fn a_tombstone_lives_to_its_last_millisecond(fixture: DynFixture<'_>) {
    let (subject, (mine, _)) = (Subject::new(fixture), two_tokens());
    if !subject.is_exact() {
        return;
    }
    subject.release_for(&mine, SHORT).await;
    subject.pass_exactly(SHORT - 1).await;
    assert_eq!(subject.acquire(&mine, LONG).await, LockReply::Revoked);
    subject.pass_exactly(2).await;
    subject.take(&mine, LONG).await;
}

pub(super) async fn a_tombstone_made_again_lives_on(fixture: DynFixture<'_>) {
    let (subject, (mine, _)) = (Subject::new(fixture), two_tokens());
    subject.release_for(&mine, SHORT).await;
    subject.release_for(&mine, LONG).await;
    subject.pass(SHORT).await;
    assert_eq!(subject.acquire(&mine, LONG).await, LockReply::Revoked);
}

pub(super) async fn a_fence_grows_even_if_the_last_was_forgotten(fixture: DynFixture<'_>) {
    let (subject, mut tokens) = (Subject::new(fixture), Tokens::from_os());
    let (keys, token) = (subject.keys.clone(), tokens.fresh());
    let (lease_ms, fence_life_ms, tombstone_ms) = (SHORT, SHORT, SHORT);
    let brief = LockCommand::Acquire { keys, token, lease_ms, fence_life_ms, tombstone_ms };
    let first = match subject.ask(brief).await {
        LockReply::Acquired { fence, fresh: true } => fence,
        other => panic!("{other:?}"),
    };
    subject.pass(SHORT).await;
    assert!(subject.take(&tokens.fresh(), LONG).await > first);
}

pub(super) async fn a_busy_answer_leaves_the_holder_as_it_was(fixture: DynFixture<'_>) {
    let (subject, (mine, other)) = (Subject::new(fixture), two_tokens());
    let fence = subject.take(&mine, SHORT).await;
    assert!(matches!(subject.acquire(&other, LONG).await, LockReply::Busy { .. }));
    assert!(subject.left(&mine).await <= SHORT);
    assert_eq!(subject.acquire(&mine, LONG).await, LockReply::Acquired { fence, fresh: false });
}

pub(super) async fn an_extension_of_a_released_lease_is_not_held(fixture: DynFixture<'_>) {
    let (subject, (mine, _)) = (Subject::new(fixture), two_tokens());
    subject.take(&mine, LONG).await;
    subject.release(&mine).await;
    assert_eq!(subject.extend(&mine, LONG).await, LockReply::NotHeld);
    assert_eq!(subject.holder(&mine).await, Holder::Free);
}

pub(super) async fn a_late_release_frees_nothing_of_a_later_try(fixture: DynFixture<'_>) {
    let (subject, mut tokens) = (Subject::new(fixture), Tokens::from_os());
    let (first, second) = (tokens.fresh(), tokens.next_in_series());
    subject.take(&first, LONG).await;
    assert_eq!(subject.release(&first).await, LockReply::Released);
    subject.take(&second, LONG).await;
    subject.release(&first).await;
    assert!(matches!(subject.holder(&second).await, Holder::Us { .. }));
    assert_eq!(subject.release(&second).await, LockReply::Released);
    assert_eq!(subject.acquire(&first, LONG).await, LockReply::Revoked);
}

pub(super) async fn of_many_copies_of_an_acquire_one_is_fresh(fixture: DynFixture<'_>) {
    let (subject, (mine, _)) = (Subject::new(fixture), two_tokens());
    let replies = all((0..16).map(|_| subject.acquire(&mine, LONG)).collect()).await;
    let fences: Vec<_> = replies.iter().map(fence_of).collect();
    assert!(fences.iter().all(|(fence, _)| *fence == fences[0].0), "{replies:?}");
    assert_eq!(fences.iter().filter(|(_, fresh)| *fresh).count(), 1, "{replies:?}");
}

fn fence_of(reply: &LockReply) -> (Fence, bool) {
    match reply {
        LockReply::Acquired { fence, fresh } => (*fence, *fresh),
        other => panic!("{other:?}"),
    }
}

pub(super) async fn of_many_copies_of_a_release_each_says_released(fixture: DynFixture<'_>) {
    let (subject, (mine, other)) = (Subject::new(fixture), two_tokens());
    subject.take(&mine, LONG).await;
    let replies = all((0..16).map(|_| subject.release(&mine)).collect()).await;
    assert!(replies.iter().all(|reply| *reply == LockReply::Released), "{replies:?}");
    subject.take(&other, LONG).await;
}

pub(super) async fn ids_with_braces_do_not_meet(fixture: DynFixture<'_>) {
    let unique = unique();
    let ids =
        |forms: &[&str]| forms.iter().map(|form| form.replace('u', &unique)).collect::<Vec<_>>();
    let mut forms = ids(&["{u}", "{u}1", "{u}{1}", "u", "{{u}", "{u"]);
    let without_tag = ids(&["u{}", "{}u", "}u{", "u}"]);
    if fixture.locks_any_id() {
        forms.extend(without_tag);
    } else {
        for id in &without_tag {
            let reply = Subject::called(fixture, id).try_acquire(&Tokens::from_os().fresh()).await;
            assert!(matches!(reply, Err(StoreError::Rejected(_))), "{id}: {reply:?}");
        }
    }
    are_kept_apart(fixture, forms).await;
}

pub(super) async fn ids_are_compared_byte_for_byte(fixture: DynFixture<'_>) {
    let unique = unique();
    let ends = ["é", "e\u{301}", "É", "ß", "ss", " ", "  ", "\t", "\u{a0}", "", "\0", "0", "00"];
    are_kept_apart(fixture, ends.iter().map(|end| format!("{unique}{end}")).collect()).await;
}

/// Each id is a lock of its own.
async fn are_kept_apart(fixture: DynFixture<'_>, ids: Vec<String>) {
    let mut tokens = Tokens::from_os();
    let locks: Vec<_> =
        ids.iter().map(|id| (Subject::called(fixture, id), tokens.fresh())).collect();
    for (subject, token) in &locks {
        subject.take(token, LONG).await;
    }
    for (subject, token) in &locks {
        let id = subject.keys.lock();
        assert!(matches!(subject.holder(token).await, Holder::Us { .. }), "{id:?}");
        assert_eq!(subject.release(token).await, LockReply::Released, "{id:?}");
        assert_eq!(subject.acquire(token, LONG).await, LockReply::Revoked, "{id:?}");
    }
}

pub(super) async fn long_ids_and_tokens_are_kept_whole(fixture: DynFixture<'_>) {
    let long = format!("{}{}", unique(), "é".repeat(1_000));
    let (one, two) = (format!("{long}1"), format!("{long}2"));
    let first = Subject::called(fixture, &one);
    let second = Subject::called(fixture, &two);
    let (mine, other) = (token(&one), token(&two));
    first.take(&mine, LONG).await;
    second.take(&other, LONG).await;
    assert!(matches!(first.holder(&mine).await, Holder::Us { .. }));
    assert!(matches!(first.holder(&other).await, Holder::Other { .. }));
    assert_eq!(first.release(&other).await, LockReply::NotHeld);
    assert_eq!(first.release(&mine).await, LockReply::Released);
    assert!(matches!(second.holder(&other).await, Holder::Us { .. }));
}

pub(super) async fn series_with_a_common_beginning_do_not_meet(fixture: DynFixture<'_>) {
    let (subject, owner) = (Subject::new(fixture), unique().replace('#', "-"));
    subject.release(&token(&format!("{owner}.1#9"))).await;
    for text in ["1#10", "11#1", "1.1#1", "#1", "1#", "1#09", "1#x"] {
        let mine = token(&format!("{owner}.{text}"));
        subject.take(&mine, LONG).await;
        assert_eq!(subject.release(&mine).await, LockReply::Released, "{text}");
    }
    assert_eq!(subject.acquire(&token(&format!("{owner}.1#8")), LONG).await, LockReply::Revoked);
}

pub(super) async fn a_key_that_never_expires_is_busy_without_end(fixture: DynFixture<'_>) {
    let (subject, (mine, _)) = (Subject::new(fixture), two_tokens());
    if !subject.write_foreign(Foreign::Text).await {
        return;
    }
    assert_eq!(subject.acquire(&mine, LONG).await, LockReply::Busy { remaining_ms: None });
    assert_eq!(subject.holder(&mine).await, Holder::Other { remaining_ms: None });
    assert_eq!(subject.extend(&mine, LONG).await, LockReply::NotHeld);
    assert_eq!(subject.release(&mine).await, LockReply::NotHeld);
    subject.pass(SHORT).await;
    assert_eq!(subject.holder(&mine).await, Holder::Other { remaining_ms: None }, "left alone");
}

pub(super) async fn a_key_of_another_type_is_refused_and_left_alone(fixture: DynFixture<'_>) {
    let (subject, (mine, _)) = (Subject::new(fixture), two_tokens());
    if !subject.write_foreign(Foreign::OtherType).await {
        return;
    }
    let keys = || subject.keys.clone();
    let commands = [
        LockCommand::Acquire {
            keys: keys(),
            token: mine.clone(),
            lease_ms: LONG,
            fence_life_ms: LONG,
            tombstone_ms: LONG,
        },
        LockCommand::Extend { keys: keys(), token: mine.clone(), lease_ms: LONG },
        LockCommand::Release { keys: keys(), token: mine.clone(), tombstone_ms: LONG },
        LockCommand::Inspect { keys: keys(), token: Some(mine.clone()) },
    ];
    for command in commands.iter().chain(&commands) {
        match fixture.store().execute(Command::Lock(command.clone())).await {
            Err(StoreError::Rejected(refusal)) => {
                assert_eq!(refusal.kind, RejectionKind::WrongType, "{command:?}");
            }
            other => panic!("{command:?} was answered by {other:?}"),
        }
    }
}

pub(super) async fn scripts_may_be_forgotten_at_any_time(fixture: DynFixture<'_>) {
    let (subject, (mine, other)) = (Subject::new(fixture), two_tokens());
    let forget = async || fixture.forget_scripts().await;
    if !forget().await {
        return unable("make the server forget its scripts");
    }
    subject.take(&mine, LONG).await;
    forget().await;
    assert!(matches!(subject.acquire(&other, LONG).await, LockReply::Busy { .. }));
    forget().await;
    assert_eq!(subject.extend(&mine, LONG).await, LockReply::Extended);
    forget().await;
    assert!(matches!(subject.holder(&mine).await, Holder::Us { .. }));
    forget().await;
    assert_eq!(subject.release(&mine).await, LockReply::Released);
    forget().await;
    assert_eq!(subject.acquire(&mine, LONG).await, LockReply::Revoked);
}
