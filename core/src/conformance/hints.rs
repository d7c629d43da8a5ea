//! What a store that has hints tells of releases.
//!
//! A hint may be lost, late or for nothing, so no case here shows that none came.
#![allow(missing_docs, clippy::missing_panics_doc, reason = "each case's name is its fact")]

use std::format;

use super::{Fixture, LONG, subject::Subject, two_tokens, unable, unique};
use crate::{lock::LockReply, store::Store, watch::Watch};

async fn watch<F: Fixture>(subject: &Subject<'_, F>) -> Option<Watch> {
    let watch = subject.fixture.store().watch(&subject.keys).await;
    if watch.is_none() {
        unable("watch for releases");
    }
    watch
}

pub async fn a_release_is_hinted_to_who_watches<F: Fixture>(fixture: &F) {
    for end in ["", ",a", "%2C", "{b}", "ünï\u{1F512}", " \r\n"] {
        let subject = Subject::called(fixture, &format!("{}{end}", unique()));
        let (mine, _) = two_tokens();
        subject.take(&mine, LONG).await;
        let Some(mut watch) = watch(&subject).await else { return };
        assert_eq!(subject.release(&mine).await, LockReply::Released);
        watch.released().await;
    }
}

pub async fn a_release_before_the_watch_is_seen_by_the_next_try<F: Fixture>(fixture: &F) {
    let (subject, (mine, other)) = (Subject::new(fixture), two_tokens());
    subject.take(&mine, LONG).await;
    assert_eq!(subject.release(&mine).await, LockReply::Released);
    let Some(_watch) = watch(&subject).await else { return };
    subject.take(&other, LONG).await;
}

pub async fn a_hint_is_kept_for_who_looks_later<F: Fixture>(fixture: &F) {
    let (subject, (mine, other)) = (Subject::new(fixture), two_tokens());
    let Some(mut watch) = watch(&subject).await else { return };
    subject.take(&mine, LONG).await;
    assert_eq!(subject.release(&mine).await, LockReply::Released);
    subject.take(&other, LONG).await;
    watch.released().await;
    assert_eq!(subject.release(&other).await, LockReply::Released);
    watch.released().await;
}

pub async fn every_watcher_is_hinted<F: Fixture>(fixture: &F) {
    let (subject, (mine, _)) = (Subject::new(fixture), two_tokens());
    subject.take(&mine, LONG).await;
    let Some(mut one) = watch(&subject).await else { return };
    let Some(mut two) = watch(&subject).await else { return };
    let gone = watch(&subject).await;
    drop(gone);
    assert_eq!(subject.release(&mine).await, LockReply::Released);
    two.released().await;
    one.released().await;
}
