//! What a lease says of itself.

#![allow(clippy::unwrap_used, reason = "for tests only")]

use std::{sync::Arc, time::Duration};

use leasehold_core::{
    Command, ConfigError, MAX_LEASE, MemoryStore, Reply, Store, StoreError,
    lock::{Durability, ExtendError, Lock, LockCommand, LockOptions, LockReply},
};

/// A store with three replicas, all of which follow.
struct Replicated(MemoryStore);

impl Store for Replicated {
    async fn execute(&self, command: Command) -> Result<Reply, StoreError> {
        match command {
            Command::Lock(LockCommand::Confirm { .. }) => {
                Ok(Reply::Lock(LockReply::Confirmed { replicas: 3 }))
            }
            command => self.0.execute(command).await,
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_lease_says_how_many_replicas_have_it() {
    let options = LockOptions::new().durability(Durability::Replicas(2));
    let store = Arc::new(Replicated(MemoryStore::new()));
    let lease = Lock::with_options(store, "job", &options).unwrap().acquire().await.unwrap();
    assert_eq!(lease.replicas(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_lease_can_be_extended_to_the_longest_that_there_is_and_no_longer() {
    let lock = Lock::new(Arc::new(MemoryStore::new()), "job").unwrap();
    let mut lease = lock.acquire().await.unwrap();
    let longest = MAX_LEASE - lease.remaining();
    let error = lease.extend(longest + Duration::from_millis(1)).await.unwrap_err();
    assert_eq!(error, ExtendError::Config(ConfigError::TooLong { what: "extension" }));
    lease.extend(longest).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn nothing_of_a_lease_that_is_held_is_in_flight() {
    let lock = Lock::new(Arc::new(MemoryStore::new()), "job").unwrap();
    let lease = lock.acquire().await.unwrap();
    assert_eq!(lease.in_flight(), None);
}
