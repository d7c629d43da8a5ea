//! Both stores against the fake Redis of `leasehold serve`, which does what a test orders: faults,
//! and the passing of time.
#![allow(clippy::unwrap_used, reason = "tests")]

mod both;
mod conformance;
mod durability;
mod fake;
mod faults;
mod notifications;
mod quorum;
mod tls;
mod ways;

use std::sync::Arc;

use leasehold_core::{
    Command, Reply, Store, Token,
    lock::{LockCommand, LockKeys, LockReply},
};

/// Makes a test of each case on each store.
macro_rules! on_both {
    ($($case:ident)*) => {
        mod over_rest {
            $(
                #[tokio::test]
                async fn $case() {
                    super::$case::<leasehold_upstash::Upstash>().await;
                }
            )*
        }

        mod over_tcp {
            $(
                #[tokio::test]
                async fn $case() {
                    super::$case::<leasehold_upstash::Tcp>().await;
                }
            )*
        }
    };
}
pub(crate) use on_both;

/// Milliseconds that all that a command leaves behind lives.
const LIFE: u64 = 60_000;

fn acquire(id: &str, token: &str) -> Command {
    Command::Lock(LockCommand::Acquire {
        keys: Arc::new(LockKeys::of(id)),
        token: Token::new(token).unwrap(),
        lease_ms: LIFE,
        fence_life_ms: LIFE,
        tombstone_ms: LIFE,
    })
}

fn release(id: &str, token: &str) -> Command {
    let (keys, token) = (Arc::new(LockKeys::of(id)), Token::new(token).unwrap());
    Command::Lock(LockCommand::Release { keys, token, tombstone_ms: LIFE })
}

/// Takes a lock and releases it, with a command each.
async fn take_and_release(store: &(impl Store + Sync)) {
    let taken = store.execute(acquire("job", "a.1#1")).await;
    assert!(matches!(taken, Ok(Reply::Lock(LockReply::Acquired { fresh: true, .. }))), "{taken:?}");
    let released = store.execute(release("job", "a.1#1")).await;
    assert_eq!(released, Ok(Reply::Lock(LockReply::Released)));
}
