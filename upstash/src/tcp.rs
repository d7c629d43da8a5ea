//! The store over Redis's own protocol.

mod builder;
#[cfg(feature = "cluster")]
mod cluster;
mod connected;
mod granting;
mod grants;
mod link;
mod pubsub;
mod silence;
mod target;
mod wire;

use std::{fmt, sync::Arc};

use leasehold_core::{
    Cause, Command, Reply, Store, StoreError, Subscription,
    lock::{LockCommand, LockKeys, LockReply},
    redis as mapping,
};
use tokio::time::{Instant, sleep};

pub use self::{
    builder::TcpBuilder,
    connected::{Connected, Exclusive},
};
use self::{
    grants::Grants,
    link::{Answered, Link},
    pubsub::PubSub,
};
use crate::{
    answer::{Answer, Form, value},
    error::SetupError,
    notifications::{Notifications, subscribe},
    retry::{Attempts, Budget, RetryPolicy},
    send::begin,
    trace,
};

/// Any Redis from 6.2 on, Valkey, or Upstash by its TCP endpoint: one server, the primary that
/// Sentinel names, or a Cluster.
///
/// Cloning it is cheap; the clones share one connection (to each node of a Cluster), on which
/// commands are pipelined as they come. It is made by the first command and made again after it
/// broke. It must be used inside a tokio runtime with its drivers enabled.
///
/// # Waiting for replicas
///
/// [`Durability`](leasehold_core::lock::Durability) asks the connection that answered the grant; if
/// it broke meanwhile, the answer is [`StoreError::NotSent`]. A Cluster's connections come and go
/// unseen, so there each grant and extension asks `CLIENT INFO` along with it, and `WAIT` again: a
/// user that may not run it cannot wait there, nor does a slot that has moved meanwhile confirm
/// anything. What else is asked over the connection waits behind `WAIT`, so the server is given at
/// most half of [`TcpBuilder::timeout`].
///
/// # Cancellation
///
/// A command whose future is dropped may still be applied; it is not sent again.
///
/// ```no_run
/// use leasehold_core::lock::Lock;
/// use leasehold_upstash::Tcp;
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let store = Tcp::new("rediss://default:secret@eu1-a-1.upstash.io:6379")?;
/// let mut lock = Lock::new(store, "nightly-report")?;
/// let mut lease = lock.acquire().await?;
/// lease.release().await?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Tcp {
    shared: Arc<Shared>,
}

struct Shared {
    link: Link,
    grants: Grants,
    pubsub: PubSub,
    retry: RetryPolicy,
    budget: Budget,
}

impl Tcp {
    /// The server at `url`, with the defaults of the [`TcpBuilder`]. Nothing is sent yet.
    ///
    /// `redis://` is in the clear, password and all: keep it to networks that you trust, or use
    /// `rediss://`.
    ///
    /// # Errors
    ///
    /// [`SetupError`] says what to change.
    pub fn new(url: &str) -> Result<Self, SetupError> {
        TcpBuilder::new(url)?.build()
    }

    /// Connects now, if it is not connected, instead of with the first command.
    ///
    /// # Errors
    ///
    /// Why there is no connection. Nothing but a greeting and the credentials was sent.
    pub async fn connect(&self) -> Result<(), StoreError> {
        let until = Instant::now() + self.shared.budget.connect;
        self.shared.link.ready(until).await.map(|_| ())
    }

    /// What is published in `channel` from now on. All notifications of a store come over one
    /// connection, which is open while anybody listens.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    #[must_use]
    pub fn notifications(&self, channel: &str) -> Notifications {
        self.shared.pubsub.listen(channel)
    }

    async fn run(&self, command: &Command) -> Result<Reply, StoreError> {
        let Shared { link, grants, retry, budget, .. } = &*self.shared;
        let (request, mut attempts) =
            (mapping::encode(command), Attempts::within(command, *budget));
        let mut words = link.words(Form::Hash, &request);
        let grant = granted_by(command);
        let mut forgotten = false;
        loop {
            let until = attempts.end_of_next(retry);
            let sent = match grant {
                Some(keys) => link.send_grant(&words, keys, until).await,
                None => link.send(&words, until).await,
            };
            match sent {
                Ok(Answered { answer: Answer::NoScript, .. }) if !forgotten => {
                    trace::script_forgotten(&request);
                    forgotten = true;
                    words = link.words(Form::Text, &request);
                }
                Ok(Answered { answer, over }) => {
                    let reply = mapping::decode(command, value(answer)?)?;
                    if let (Some(keys), Reply::Lock(reply)) = (grant, &reply)
                        && matches!(reply, LockReply::Acquired { .. } | LockReply::Extended)
                    {
                        grants.note(keys, over);
                    }
                    return Ok(reply);
                }
                Err(error) => sleep(attempts.failed(error, retry)?).await,
            }
        }
    }

    /// Asks the connection that answered the last grant or extension, once, since another would
    /// answer for what was written over itself.
    async fn confirm(
        &self,
        keys: &Arc<LockKeys>,
        replicas: u32,
        timeout_ms: u64,
    ) -> Result<Reply, StoreError> {
        let Shared { link, grants, budget, .. } = &*self.shared;
        let over = grants.answered(keys).ok_or_else(no_longer_there)?;
        let timeout_ms = timeout_ms.min(link.longest_pause_ms());
        let command = LockCommand::Confirm { keys: keys.clone(), replicas, timeout_ms };
        let command = Command::Lock(command);
        let words = link.words(Form::Hash, &mapping::encode(&command));
        let until = Attempts::within(&command, *budget).deadline();
        let sent = link.send_over(&over, &words, keys, until).await;
        let answer = sent.unwrap_or_else(|| Err(no_longer_there()))?;
        mapping::decode(&command, value(answer)?)
    }
}

/// The keys of the lock that a command may grant or extend.
fn granted_by(command: &Command) -> Option<&Arc<LockKeys>> {
    match command {
        Command::Lock(LockCommand::Acquire { keys, .. } | LockCommand::Extend { keys, .. }) => {
            Some(keys)
        }
        _ => None,
    }
}

fn no_longer_there() -> StoreError {
    let why = "the connection that answered the grant is not known any more";
    StoreError::NotSent(Cause::Other(why.into()))
}

impl Store for Tcp {
    async fn execute(&self, command: Command) -> Result<Reply, StoreError> {
        match &command {
            Command::Lock(LockCommand::Confirm { keys, replicas, timeout_ms }) => {
                self.confirm(keys, *replicas, *timeout_ms).await
            }
            _ => self.run(&command).await,
        }
    }

    async fn send(&self, command: Command) {
        let store = self.clone();
        begin(async move { store.execute(command).await }).await;
    }

    async fn subscribe(&self, keys: &LockKeys) -> Option<Subscription> {
        subscribe(self.notifications(&keys.channel()), self.shared.budget.total).await
    }
}

impl fmt::Debug for Tcp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tcp").field("target", self.shared.link.target()).finish_non_exhaustive()
    }
}
