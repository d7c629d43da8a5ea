//! What errors say: what happened, and what to do.

#![allow(clippy::unwrap_used, reason = "for tests only")]

use std::{error::Error, sync::Arc, time::Duration};

use leasehold_core::{
    Cause, ConfigError, Fence, FencedResource, MAX_LEASE, MemoryStore, StoreError, TokioClock,
    lock::{
        ExtendError, HoldError, Lock, LockOptions, Locks, LossReason, Lost, NotAcquired,
        ReleaseError,
    },
    quorum::{Quorum, QuorumError, QuorumOptions},
};

fn says(error: &dyn Error, words: &str) {
    let said = error.to_string();
    assert!(said.contains(words), "{said:?} lacks {words:?}");
}

#[test]
fn not_acquired_says_who_is_in_the_way() {
    let left = Some(Duration::from_millis(1_500));
    says(&NotAcquired::Busy { remaining: left }, "for 1.5s");
    says(&NotAcquired::Busy { remaining: None }, "not written by a lock");
    says(
        &NotAcquired::Unavailable(StoreError::NotSent(Cause::Unreachable("refused".into()))),
        "nothing is held",
    );
    says(&NotAcquired::Unknown(StoreError::Unknown(Cause::TIMED_OUT)), "may be ours");
    says(&NotAcquired::NotDurable { wanted: 2, got: 1 }, "1 of 2 replicas");
    says(&NotAcquired::Queued, "were first");
    says(&NotAcquired::Revoked, "give another");
    says(&NotAcquired::Config(ConfigError::NoAttempts), "at least 1");
}

#[test]
fn a_lease_that_is_over_says_why() {
    for (reason, words) in [
        (LossReason::Expired, "time is up"),
        (LossReason::RenewalLimit, "as often as allowed"),
        (LossReason::Taken, "not ours"),
    ] {
        says(&ExtendError::Lost(reason), words);
        says(&HoldError::<Lost>::Lost(reason), words);
    }
    says(&HoldError::<Lost>::NotAcquired(NotAcquired::Revoked), "give another");
    says(&ExtendError::Unknown(StoreError::Unknown(Cause::TIMED_OUT)), "old deadline stands");
    says(
        &ReleaseError::Unavailable(StoreError::NotSent(Cause::Unreachable("refused".into()))),
        "the lock stays",
    );
    says(&ReleaseError::Unknown(StoreError::Unknown(Cause::TIMED_OUT)), "the lock may stay");
    says(&Lost { remaining: Duration::ZERO }, "is over");
    says(&Lost { remaining: Duration::from_millis(7) }, "only 7ms");
}

#[test]
fn a_setting_that_cannot_work_says_which_will() {
    says(&ConfigError::DriftTooLarge { ppm: 600_000 }, "at most 500000");
    says(&ConfigError::EmptyId, "give the name");
    says(&ConfigError::FenceLifeTooShort, "at least the lease");
    says(&ConfigError::LeaseTooShort { margin: Duration::from_millis(2) }, "margin of 2ms");
    says(&ConfigError::MarginTooSmall, "at least 1 ms");
    says(&ConfigError::NumberedToken, "adopt the lease");
    says(&ConfigError::TooLong { what: "lease" }, "lease is too long: give at most 3650 days");
    says(&ConfigError::Zero { what: "delay" }, "delay is zero");
    assert_eq!(MAX_LEASE, Duration::from_secs(315_360_000));
    says(&QuorumError::NoNodes, "three or five");
    says(&QuorumError::NoTime, "node_timeout is zero");
}

#[test]
fn a_refused_write_names_both_fences() {
    let mut resource = FencedResource::new(());
    resource.write(Fence(9), |()| ()).unwrap();
    let stale = resource.write(Fence(5), |()| ()).unwrap_err();
    says(&stale, "fence 5 is stale, 9 has written");
}

#[tokio::test]
async fn what_is_shown_of_a_handle_names_it_and_no_token() {
    let store = Arc::new(MemoryStore::new());
    let lock = Lock::with_options(store, "job", &LockOptions::default()).unwrap();
    assert_eq!(lock.id(), "job");
    let lease = lock.acquire().await.unwrap();
    let (lock, held, shown) =
        (format!("{lock:?}"), format!("{:?}", lease.view()), format!("{lease:?}"));
    assert!(lock.starts_with("Lock {") && held.starts_with("LeaseView {"), "{lock} {held}");
    assert!(shown.starts_with("Lease {"), "{shown}");
    let token = lease.token().as_str();
    assert!(![lock, held, shown].iter().any(|text| text.contains(token)), "a capability");
}

#[tokio::test]
async fn what_is_shown_of_a_quorum_and_of_locks_says_what_they_are() {
    let nodes = [(); 3].map(|()| MemoryStore::new());
    let quorum = Quorum::new(nodes, TokioClock::new(), &QuorumOptions::default()).unwrap();
    assert_eq!(format!("{quorum:?}"), "Quorum { nodes: 3, .. }");
    assert_eq!(format!("{:?}", Locks::new(Arc::new(MemoryStore::new()))), "Locks { .. }");
}
