//! The store over REST, against a server that plays a script.
#![allow(clippy::unwrap_used, reason = "tests")]

mod answers;
mod coalescing;
mod faults;
mod notifications;
mod retries;
mod scripted;

use std::time::Duration;

use leasehold_core::{
    Command, Reply, StoreError,
    lock::{Holder, LockCommand, LockKeys, LockReply},
};
use leasehold_upstash::{Notification, Notifications};

use self::scripted::Act;

/// What a free lock is answered.
const FREE_SLOT: &str = r#"{"result":["ZnJlZQ=="]}"#;
const FREE: Act = Act::says(200, FREE_SLOT);

fn inspect() -> Command {
    inspect_of("job")
}

fn inspect_of(id: &str) -> Command {
    Command::Lock(LockCommand::Inspect { keys: LockKeys::of(id).into(), token: None })
}

fn free() -> Result<Reply, StoreError> {
    Ok(Reply::Lock(LockReply::Holder(Holder::Free)))
}

/// The next notification. One that never comes is a failure, not a test without end.
async fn next(notifications: &mut Notifications) -> Option<Notification> {
    tokio::time::timeout(Duration::from_secs(30), notifications.next())
        .await
        .expect("a notification")
}
