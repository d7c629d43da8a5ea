//! The store over a connection that the program has already.

use std::{fmt, sync::Arc, time::Duration};

use leasehold_core::{
    Command, Reply, Store, StoreError,
    lock::{LockCommand, LockReply},
    redis as mapping,
};
use redis::{Cmd, Pipeline, RedisError, RedisFuture, Value, aio::ConnectionLike};
use tokio::{sync::Mutex, time::sleep};

use super::{link::in_time, wire};
use crate::{
    answer::{Answer, Form, value},
    error::SetupError,
    retry::{Attempts, Budget, RetryPolicy},
    send::begin,
    trace,
};

/// A store over a connection that is there: a `MultiplexedConnection`, a `ConnectionManager`, a
/// `ClusterConnection`, or any other whose clones share it. One that does not let itself be cloned,
/// such as that of a pool, goes into [`Exclusive`] first.
///
/// It is not made anew here when it breaks, so give one that sees to that itself, or use
/// [`Tcp`](super::Tcp), which also
///
/// * knows a connection that could not be made from one that broke: here, each failure on the way is
///   [`StoreError::Unknown`];
/// * is told of releases: here, waiters look by themselves;
/// * waits for replicas: here, none counts as having acknowledged anything, since the connection may
///   be another by the time that it is asked.
///
/// It must be used inside a tokio runtime.
///
/// # Cancellation
///
/// A command whose future is dropped may still be applied; it is not sent again.
///
/// ```no_run
/// use leasehold_core::lock::Lock;
/// use leasehold_upstash::{Connected, redis::Client};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let client = Client::open("redis://127.0.0.1")?;
/// let store = Connected::new(client.get_multiplexed_async_connection().await?);
/// let mut lock = Lock::new(store, "nightly-report")?;
/// let mut lease = lock.acquire().await?;
/// lease.release().await?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Connected<C> {
    connection: C,
    budget: Budget,
    retry: RetryPolicy,
}

impl<C> Connected<C> {
    /// Over `connection`. A command may take 1.8 s in all, and is sent again as the [`RetryPolicy`]
    /// says.
    pub fn new(connection: C) -> Self {
        // The connection has its own idea of how long connecting may take.
        let budget = Budget { connect: Duration::ZERO, ..Budget::default() };
        Self { connection, budget, retry: RetryPolicy::default() }
    }

    /// The same, in which a command may take so long in all. Less than the `call_timeout` of the
    /// locks that use it.
    ///
    /// # Errors
    ///
    /// [`SetupError::Zero`] if that is no time.
    pub fn with_timeout(self, timeout: Duration) -> Result<Self, SetupError> {
        if timeout.is_zero() {
            return Err(SetupError::Zero { what: "the timeout" });
        }
        Ok(Self { budget: Budget { total: timeout, ..self.budget }, ..self })
    }

    /// The same, in which a command is sent again as `policy` says.
    #[must_use]
    pub fn with_retry(self, policy: RetryPolicy) -> Self {
        Self { retry: policy, ..self }
    }
}

impl<C: ConnectionLike + Clone + Send + Sync + 'static> Store for Connected<C> {
    async fn execute(&self, command: Command) -> Result<Reply, StoreError> {
        if let Command::Lock(LockCommand::Confirm { .. }) = command {
            // What `WAIT` says is about what its own connection has written.
            return Ok(Reply::Lock(LockReply::Confirmed { replicas: 0 }));
        }
        let (request, mut attempts) =
            (mapping::encode(&command), Attempts::within(&command, self.budget));
        let mut words = wire::command(Form::Hash, &request);
        let mut forgotten = false;
        loop {
            let until = attempts.end_of_next(&self.retry);
            let mut connection = self.connection.clone();
            let sent = in_time(until, None, connection.req_packed_command(&words)).await;
            match sent.and_then(|replied| wire::answer_of(replied, None)) {
                Ok(Answer::NoScript) if !forgotten => {
                    trace::script_forgotten(&request);
                    forgotten = true;
                    words = wire::command(Form::Text, &request);
                }
                Ok(answer) => return mapping::decode(&command, value(answer)?),
                Err(error) => sleep(attempts.failed(error, &self.retry)?).await,
            }
        }
    }

    async fn send(&self, command: Command) {
        let store = self.clone();
        begin(async move { store.execute(command).await }).await;
    }
}

impl<C> fmt::Debug for Connected<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A connection may show its password.
        f.debug_struct("Connected").field("retry", &self.retry).finish_non_exhaustive()
    }
}

/// A connection that carries one command at a time, for all clones in turn, such as one that a pool
/// has lent. Locks that are busy at the same time are better served by one that pipelines.
///
/// ```no_run
/// # async fn example<C>(pooled: C) -> Result<(), Box<dyn std::error::Error>>
/// # where C: leasehold_upstash::redis::aio::ConnectionLike + Send + 'static {
/// use leasehold_core::lock::Lock;
/// use leasehold_upstash::{Connected, Exclusive};
///
/// let mut lock = Lock::new(Connected::new(Exclusive::new(pooled)), "nightly-report")?;
/// # Ok(()) }
/// ```
///
/// # Cancellation
///
/// A command that has left is waited for by a task, so that the next one gets its own reply.
pub struct Exclusive<C> {
    connection: Arc<Mutex<C>>,
    database: i64,
}

impl<C: ConnectionLike> Exclusive<C> {
    /// Over `connection`. It is returned to where it came from when the last clone is dropped.
    pub fn new(connection: C) -> Self {
        let database = connection.get_db();
        Self { connection: Arc::new(Mutex::new(connection)), database }
    }
}

impl<C: ConnectionLike + Send + 'static> ConnectionLike for Exclusive<C> {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        Box::pin(async move {
            let mut connection = self.connection.clone().lock_owned().await;
            let cmd = cmd.clone();
            let reply =
                tokio::spawn(async move { connection.req_packed_command(&cmd).await }).await;
            reply.unwrap_or_else(|_| Err(stopped()))
        })
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        Box::pin(async move {
            let mut connection = self.connection.clone().lock_owned().await;
            let pipeline = pipeline.clone();
            let replies = tokio::spawn(async move {
                connection.req_packed_commands(&pipeline, offset, count).await
            });
            replies.await.unwrap_or_else(|_| Err(stopped()))
        })
    }

    fn get_db(&self) -> i64 {
        self.database
    }
}

/// The runtime goes down, or the connection has panicked.
fn stopped() -> RedisError {
    std::io::Error::from(std::io::ErrorKind::BrokenPipe).into()
}

impl<C> Clone for Exclusive<C> {
    fn clone(&self) -> Self {
        Self { connection: self.connection.clone(), database: self.database }
    }
}

impl<C> fmt::Debug for Exclusive<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exclusive").finish_non_exhaustive()
    }
}
