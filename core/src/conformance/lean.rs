//! What every store answers about lean locks, alone and beside full ones.
#![allow(missing_docs, clippy::missing_panics_doc, reason = "each case's name is its fact")]

use std::vec::Vec;

use super::{
    DynFixture, Foreign, LONG, SHORT,
    subject::{Subject, all},
    two_tokens, unable,
};
use crate::{
    lock::{Holder, IfHeld, LockCommand, LockReply},
    store::{Command, Reply, Store, StoreError},
    token::{Fence, Token, Tokens},
};

impl Subject<'_> {
    fn lean(&self, token: &Token, lease_ms: u64, held: IfHeld) -> LockCommand {
        LockCommand::AcquireLean { keys: self.keys.clone(), token: token.clone(), lease_ms, held }
    }

    async fn acquire_lean(&self, token: &Token, lease_ms: u64, held: IfHeld) -> LockReply {
        self.ask(self.lean(token, lease_ms, held)).await
    }

    async fn take_lean(&self, token: &Token, lease_ms: u64) -> Fence {
        match self.acquire_lean(token, lease_ms, IfHeld::Unsaid).await {
            LockReply::Acquired { fence, fresh: true } => fence,
            other => panic!("a free lock was not taken: {other:?}"),
        }
    }

    async fn release_lean(&self, token: &Token) -> LockReply {
        let (keys, token) = (self.keys.clone(), token.clone());
        self.ask(LockCommand::ReleaseLean { keys, token }).await
    }

    async fn is_busy_for(&self, other: &Token) {
        match self.acquire_lean(other, LONG, IfHeld::Say).await {
            LockReply::Busy { remaining_ms: Some(left) } => assert!((1..=LONG).contains(&left)),
            reply => panic!("{reply:?}"),
        }
    }
}

pub(super) async fn a_lean_lock_is_taken_and_freed(fixture: DynFixture<'_>) {
    let (subject, (mine, other)) = (Subject::new(fixture), two_tokens());
    assert!(subject.take_lean(&mine, LONG).await > Fence(0));
    assert!((1..=LONG).contains(&subject.left(&mine).await));
    assert_eq!(subject.release_lean(&mine).await, LockReply::Released);
    assert_eq!(subject.holder(&mine).await, Holder::Free);
    assert_eq!(subject.release_lean(&mine).await, LockReply::NotHeld, "nothing remembers");
    subject.take_lean(&other, SHORT).await;
    subject.pass(SHORT).await;
    subject.take_lean(&mine, LONG).await;
}

pub(super) async fn a_held_lean_lock_says_for_how_long_if_it_is_asked(fixture: DynFixture<'_>) {
    let (subject, (mine, other)) = (Subject::new(fixture), two_tokens());
    subject.take_lean(&mine, LONG).await;
    let unsaid = subject.acquire_lean(&other, LONG, IfHeld::Unsaid).await;
    assert!(matches!(unsaid, LockReply::Busy { .. } | LockReply::Taken), "{unsaid:?}");
    subject.is_busy_for(&other).await;
    assert!(matches!(subject.holder(&mine).await, Holder::Us { .. }));
    // Busy does not give the token up.
    assert_eq!(subject.release_lean(&mine).await, LockReply::Released);
    subject.take_lean(&other, LONG).await;
}

pub(super) async fn a_lean_acquire_that_is_asked_again_takes_one_lease(fixture: DynFixture<'_>) {
    let (subject, (mine, _)) = (Subject::new(fixture), two_tokens());
    subject.take_lean(&mine, SHORT).await;
    let copy = subject.acquire_lean(&mine, LONG, IfHeld::Say).await;
    assert!(matches!(copy, LockReply::Acquired { fresh: false, .. }), "{copy:?}");
    assert!(subject.left(&mine).await <= SHORT);
}

pub(super) async fn a_lean_lock_is_changed_by_its_own_token_only(fixture: DynFixture<'_>) {
    let (subject, (mine, other)) = (Subject::new(fixture), two_tokens());
    subject.take_lean(&mine, SHORT).await;
    assert_eq!(subject.release_lean(&other).await, LockReply::NotHeld);
    assert_eq!(subject.extend(&other, LONG).await, LockReply::NotHeld);
    assert!(subject.left(&mine).await <= SHORT);
    assert_eq!(subject.extend(&mine, LONG).await, LockReply::Extended);
    assert!(subject.left(&mine).await > SHORT);
}

pub(super) async fn lean_and_full_locks_exclude_one_another(fixture: DynFixture<'_>) {
    let (subject, (full, lean)) = (Subject::new(fixture), two_tokens());
    subject.take(&full, LONG).await;
    subject.is_busy_for(&lean).await;
    assert_eq!(subject.release_lean(&lean).await, LockReply::NotHeld);
    assert_eq!(subject.release(&full).await, LockReply::Released);
    subject.take_lean(&lean, LONG).await;
    let (another, _) = two_tokens();
    assert!(matches!(subject.acquire(&another, LONG).await, LockReply::Busy { .. }));
    assert_eq!(subject.release(&another).await, LockReply::NotHeld);
    assert!(matches!(subject.holder(&lean).await, Holder::Us { .. }));
}

pub(super) async fn fences_of_lean_and_full_locks_grow_as_time_passes(fixture: DynFixture<'_>) {
    let (subject, mut tokens) = (Subject::new(fixture), Tokens::from_os());
    let mut last = Fence(0);
    for round in 0..6 {
        let token = tokens.fresh();
        let fence = match round % 2 {
            0 => subject.take_lean(&token, LONG).await,
            _ => subject.take(&token, LONG).await,
        };
        assert!(fence > last, "{fence} after {last}");
        last = fence;
        let released = match round {
            0..3 => subject.release_lean(&token).await,
            _ => subject.release(&token).await,
        };
        assert_eq!(released, LockReply::Released, "either gives up what either took");
        // The server's time is all that there is.
        subject.pass_exactly(1).await;
    }
}

pub(super) async fn a_tombstone_outlives_a_lean_lock(fixture: DynFixture<'_>) {
    let (subject, (gone, lean)) = (Subject::new(fixture), two_tokens());
    subject.take(&gone, LONG).await;
    assert_eq!(subject.release(&gone).await, LockReply::Released);
    subject.take_lean(&lean, LONG).await;
    assert_eq!(subject.release_lean(&lean).await, LockReply::Released);
    assert_eq!(subject.acquire(&gone, LONG).await, LockReply::Revoked);
    assert_eq!(subject.release(&gone).await, LockReply::Released, "and what it remembers");
}

pub(super) async fn of_many_lean_acquires_at_once_exactly_one_takes_the_lock(
    fixture: DynFixture<'_>,
) {
    let (subject, mut tokens) = (Subject::new(fixture), Tokens::from_os());
    let tokens: Vec<_> = (0..16).map(|_| tokens.fresh()).collect();
    let held = |number| [IfHeld::Unsaid, IfHeld::Say, IfHeld::Wait(LONG)][number % 3];
    let tries = tokens.iter().enumerate();
    let tries = tries.map(|(number, token)| subject.acquire_lean(token, LONG, held(number)));
    let replies = all(tries.collect()).await;
    let taken = |reply: &&LockReply| matches!(reply, LockReply::Acquired { .. });
    assert_eq!(replies.iter().filter(taken).count(), 1, "{replies:?}");
}

pub(super) async fn a_lean_lock_under_a_key_of_another_type_is_refused(fixture: DynFixture<'_>) {
    let (subject, (mine, _)) = (Subject::new(fixture), two_tokens());
    if !subject.write_foreign(Foreign::OtherType).await {
        return;
    }
    let ask = |held| Command::Lock(subject.lean(&mine, LONG, held));
    let unsaid = fixture.store().execute(ask(IfHeld::Unsaid)).await;
    let is_not_taken =
        matches!(unsaid, Ok(Reply::Lock(LockReply::Taken)) | Err(StoreError::Rejected(_)));
    assert!(is_not_taken, "{unsaid:?}");
    let said = fixture.store().execute(ask(IfHeld::Say)).await;
    assert!(matches!(said, Err(StoreError::Rejected(_))), "{said:?}");
}

pub(super) async fn a_lean_release_notifies_who_waits(fixture: DynFixture<'_>) {
    let (subject, (mine, other)) = (Subject::new(fixture), two_tokens());
    subject.take_lean(&mine, LONG).await;
    let Some(mut subscription) = fixture.store().subscribe(&subject.keys).await else {
        return unable("subscribe to releases");
    };
    for _ in 0..2 {
        let busy = subject.acquire_lean(&other, LONG, IfHeld::Wait(LONG)).await;
        assert!(matches!(busy, LockReply::Busy { .. }), "{busy:?}");
        assert_eq!(subject.release_lean(&mine).await, LockReply::Released);
        subscription.released().await;
        subject.take_lean(&mine, LONG).await;
    }
}
