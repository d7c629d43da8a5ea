//! The store over Redis's own protocol.

mod builder;
mod link;
mod pubsub;
mod target;
mod wire;

use std::{fmt, sync::Arc, time::Duration};

use leasehold_core::{
    Command, Reply, Store, StoreError,
    redis::{self as mapping, Invocation, Value},
};
use tokio::time::sleep;

pub use self::builder::TcpBuilder;
use self::{link::Link, pubsub::PubSub};
use crate::{
    answer::{Answer, Form, value},
    error::SetupError,
    hints::Hints,
    retry::{Attempts, RetryPolicy},
    trace,
};

/// Any Redis from 6.2 on, Valkey, or Upstash by its TCP endpoint: one server, the primary that
/// Sentinel names, or a Cluster.
///
/// Cloning it is cheap; the clones share one connection (to each node of a Cluster), on which
/// commands are pipelined as they come. It is made by the first command and made again after it
/// broke. It must be used inside a tokio runtime with its drivers enabled.
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
    pubsub: PubSub,
    retry: RetryPolicy,
    deadline: Duration,
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
        self.shared.link.ready().await.map(|_| ())
    }

    /// What is published in `channel` from now on. All hints of a store come over one connection,
    /// which is open while anybody listens.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    #[must_use]
    pub fn hints(&self, channel: &str) -> Hints {
        self.shared.pubsub.listen(channel)
    }

    async fn run(
        &self,
        invocation: &Invocation,
        mut attempts: Attempts,
    ) -> Result<Value, StoreError> {
        let Shared { link, retry, .. } = &*self.shared;
        let mut command = wire::command(Form::Hash, invocation);
        let mut forgotten = false;
        loop {
            match link.send(&command).await {
                Ok(Answer::NoScript) if !forgotten => {
                    trace::script_forgotten(invocation.script.name);
                    forgotten = true;
                    command = wire::command(Form::Text, invocation);
                }
                Ok(answer) => return value(answer),
                Err(error) => sleep(attempts.failed(error, retry)?).await,
            }
        }
    }
}

impl Store for Tcp {
    async fn execute(&self, command: Command) -> Result<Reply, StoreError> {
        let attempts = Attempts::within(&command, self.shared.deadline);
        let value = self.run(&mapping::encode(&command), attempts).await?;
        mapping::decode(&command, value)
    }
}

impl fmt::Debug for Tcp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tcp").field("target", self.shared.link.target()).finish_non_exhaustive()
    }
}
