//! A call may be dropped at any await: it was applied whole, or not at all.
#![allow(missing_docs, clippy::missing_panics_doc, reason = "each case's name is its fact")]

use super::{
    DynFixture, LONG, SHORT,
    subject::{Subject, drop_after},
    two_tokens,
};
use crate::lock::{Holder, LockReply};

/// More polls than a store needs for one command, however many layers it has.
const POLLS: usize = 12;

pub(super) async fn a_dropped_acquire_is_all_or_nothing(fixture: DynFixture<'_>) {
    for polls in 0..POLLS {
        let (subject, (mine, other)) = (Subject::new(fixture), two_tokens());
        let answered = drop_after(polls, subject.acquire(&mine, LONG)).await.is_some();
        // It may arrive now or later: a release that comes after it takes it out, and one that
        // comes before keeps it out.
        match subject.release(&mine).await {
            LockReply::Released => {}
            LockReply::NotHeld => assert!(!answered, "an answered acquire was not applied"),
            reply => panic!("{reply:?}"),
        }
        assert_eq!(subject.acquire(&mine, LONG).await, LockReply::Revoked);
        subject.take(&other, LONG).await;
    }
}

pub(super) async fn a_dropped_release_is_all_or_nothing(fixture: DynFixture<'_>) {
    for polls in 0..POLLS {
        let (subject, (mine, other)) = (Subject::new(fixture), two_tokens());
        subject.take(&mine, LONG).await;
        let answered = drop_after(polls, subject.release(&mine)).await.is_some();
        match subject.holder(&mine).await {
            Holder::Free => {}
            Holder::Us { remaining_ms: Some(_) } => assert!(!answered),
            holder => panic!("{holder:?}"),
        }
        assert_eq!(subject.release(&mine).await, LockReply::Released, "asked again, as before");
        assert_eq!(subject.acquire(&mine, LONG).await, LockReply::Revoked);
        subject.take(&other, LONG).await;
    }
}

pub(super) async fn a_dropped_extension_is_all_or_nothing(fixture: DynFixture<'_>) {
    for polls in 0..POLLS {
        let (subject, (mine, _)) = (Subject::new(fixture), two_tokens());
        let fence = subject.take(&mine, LONG).await;
        let answered = drop_after(polls, subject.extend(&mine, 2 * LONG)).await.is_some();
        let left = subject.left(&mine).await;
        assert!(left <= 2 * LONG, "{left}");
        assert!(!answered || left > LONG, "{left}");
        assert_eq!(subject.extend(&mine, 2 * LONG).await, LockReply::Extended);
        assert!(subject.left(&mine).await > 2 * LONG - SHORT - LONG / 2);
        let copy = subject.acquire(&mine, LONG).await;
        assert_eq!(copy, LockReply::Acquired { fence, fresh: false });
    }
}
