//! Notifications of releases, from a store that sends any.
//!
//! A notification may be lost, late or for nothing, so no case here shows that none came.
#![allow(missing_docs, clippy::missing_panics_doc, reason = "each case's name is its fact")]

use std::format;

use super::{DynFixture, LONG, subject::Subject, two_tokens, unable, unique};
use crate::{lock::LockReply, store::Store, subscription::Subscription};

async fn subscribe(subject: &Subject<'_>) -> Option<Subscription> {
    let subscription = subject.fixture.store().subscribe(&subject.keys).await;
    if subscription.is_none() {
        unable("subscribe to releases");
    }
    subscription
}

pub(super) async fn a_release_notifies_its_subscribers(fixture: DynFixture<'_>) {
    for end in ["", ",a", "%2C", "{b}", "ünï\u{1F512}", " \r\n"] {
        let subject = Subject::called(fixture, &format!("{}{end}", unique()));
        let (mine, _) = two_tokens();
        subject.take(&mine, LONG).await;
        let Some(mut subscription) = subscribe(&subject).await else { return };
        assert_eq!(subject.release(&mine).await, LockReply::Released);
        subscription.released().await;
    }
}

pub(super) async fn a_release_before_the_subscription_is_seen_by_the_next_try(
    fixture: DynFixture<'_>,
) {
    let (subject, (mine, other)) = (Subject::new(fixture), two_tokens());
    subject.take(&mine, LONG).await;
    assert_eq!(subject.release(&mine).await, LockReply::Released);
    let Some(_subscription) = subscribe(&subject).await else { return };
    subject.take(&other, LONG).await;
}

pub(super) async fn a_notification_is_kept_for_who_looks_later(fixture: DynFixture<'_>) {
    let (subject, (mine, other)) = (Subject::new(fixture), two_tokens());
    let Some(mut subscription) = subscribe(&subject).await else { return };
    subject.take(&mine, LONG).await;
    assert_eq!(subject.release(&mine).await, LockReply::Released);
    subject.take(&other, LONG).await;
    subscription.released().await;
    assert_eq!(subject.release(&other).await, LockReply::Released);
    subscription.released().await;
}

pub(super) async fn every_subscriber_is_notified(fixture: DynFixture<'_>) {
    let (subject, (mine, _)) = (Subject::new(fixture), two_tokens());
    subject.take(&mine, LONG).await;
    let Some(mut one) = subscribe(&subject).await else { return };
    let Some(mut two) = subscribe(&subject).await else { return };
    let dropped = subscribe(&subject).await;
    drop(dropped);
    assert_eq!(subject.release(&mine).await, LockReply::Released);
    two.released().await;
    one.released().await;
}
