//! The one connection that all callers share: made when it is needed, given up when it is broken.
//!
//! It is kept here rather than by a connection manager of the client, for which a connection that
//! could not be made and one that broke after the command had left are the same error.

use std::{
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use leasehold_core::{Cause, RejectionKind, StoreError, lock::LockKeys};
use redis::{AsyncConnectionConfig, Cmd, Pipeline, RedisResult, Value};
use tokio::{sync::Mutex, time::timeout};

use super::{
    cluster,
    grants::Over,
    silence::Silence,
    target::{Connection, Target},
    wire,
};
use crate::{answer::Answer, trace};

/// The way to a server.
pub(super) struct Link {
    target: Arc<Target>,
    config: AsyncConnectionConfig,
    connect_timeout: Duration,
    timeout: Duration,
    current: RwLock<Current>,
    /// How many attempts to connect have ended.
    attempts: AtomicU64,
    /// How the last of them ended, if not well. Whoever holds it connects, for all.
    connecting: Mutex<Option<StoreError>>,
}

#[derive(Default)]
struct Current {
    generation: u64,
    connection: Option<(Connection, Silence)>,
}

/// A connection, and which one it is.
pub(super) struct Live {
    generation: u64,
    connection: Connection,
    silence: Silence,
}

/// What came of a command, and over which connection, if that is known.
pub(super) struct Answered {
    pub(super) answer: Answer,
    pub(super) over: Option<Over>,
}

impl Link {
    pub(super) fn new(target: Arc<Target>, timeout: Duration, connect_timeout: Duration) -> Self {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(connect_timeout))
            .set_response_timeout(Some(timeout));
        Self {
            target,
            config,
            connect_timeout,
            timeout,
            current: RwLock::default(),
            attempts: AtomicU64::new(0),
            connecting: Mutex::new(None),
        }
    }

    pub(super) fn target(&self) -> &Target {
        &self.target
    }

    /// Sends one command, once, and waits for its reply.
    pub(super) async fn send(&self, command: &Cmd) -> Result<Answered, StoreError> {
        let live = self.ready().await?;
        let over = Some(Over::Link(live.generation));
        self.exchange(live, command).await.map(|answer| Answered { answer, over })
    }

    /// The same, of a command that may grant the lock under `keys`: also a Cluster says over which
    /// connection it came.
    pub(super) async fn send_grant(
        &self,
        command: &Cmd,
        keys: &LockKeys,
    ) -> Result<Answered, StoreError> {
        if !matches!(*self.target, Target::Cluster { .. }) {
            return self.send(command).await;
        }
        let replied = self.together(self.ready().await?, cluster::noted(command), keys).await?;
        let (answer, node) = cluster::of_noted(replied, &self.target)?;
        Ok(Answered { answer, over: node.map(Over::Node) })
    }

    /// Sends a `WAIT` for the lock under `keys` over that very connection, or for nothing if it is
    /// there no more.
    pub(super) async fn send_over(
        &self,
        over: &Over,
        wait: &Cmd,
        keys: &LockKeys,
    ) -> Option<Result<Answer, StoreError>> {
        let live = self.live()?;
        match over {
            Over::Link(generation) if live.generation == *generation => {
                Some(self.exchange(live, wait).await)
            }
            Over::Link(_) => None,
            Over::Node(node) => {
                let commands = cluster::confirmation(wait, keys);
                let replied = self.together(live, commands, keys).await;
                let told = |replied| cluster::of_confirmation(replied, node, &self.target);
                replied.and_then(told).transpose()
            }
        }
    }

    /// How long the server may keep a command waiting without holding up what comes behind it for
    /// too long.
    pub(super) fn longest_pause_ms(&self) -> u64 {
        // Not zero, which would be for ever.
        u64::try_from(self.timeout.as_millis() / 2).unwrap_or(u64::MAX).max(1)
    }

    async fn exchange(&self, live: Live, command: &Cmd) -> Result<Answer, StoreError> {
        let Live { generation, mut connection, silence } = live;
        let waiting = silence.wait();
        let replied = match &mut connection {
            // It keeps the time itself.
            Connection::Direct(_) => connection.send(command).await,
            Connection::Cluster(_) => self.in_time(connection.send(command)).await?,
        };
        waiting.answered();
        let answer = wire::answer(replied, &self.target);
        if let Err(error) = &answer
            && self.is_of_no_more_use(&connection, error)
        {
            trace::disconnected(error);
            self.forget(generation);
        }
        answer
    }

    /// Sends several commands to the primary of the slot of `keys`, over one connection.
    async fn together(
        &self,
        live: Live,
        commands: Pipeline,
        keys: &LockKeys,
    ) -> Result<RedisResult<Vec<Value>>, StoreError> {
        let Connection::Cluster(mut connection) = live.connection else {
            unreachable!("only a Cluster is asked so")
        };
        let count = commands.len();
        let primary = cluster::primary_of(keys);
        self.in_time(connection.route_pipeline(commands, 0, count, primary)).await
    }

    /// Waits for what a Cluster replies, which may have to make connections first.
    async fn in_time<T>(&self, reply: impl Future<Output = T>) -> Result<T, StoreError> {
        timeout(self.timeout + self.connect_timeout, reply)
            .await
            .map_err(|_| StoreError::Unknown(Cause::TimedOut))
    }

    /// The connection, made first if there is none.
    pub(super) async fn ready(&self) -> Result<Live, StoreError> {
        if let Some(live) = self.live() {
            return Ok(live);
        }
        let seen = self.attempts.load(Ordering::SeqCst);
        let mut failure = self.connecting.lock().await;
        if let Some(live) = self.live() {
            return Ok(live);
        }
        if let Some(error) = &*failure
            && self.attempts.load(Ordering::SeqCst) > seen
        {
            // Another caller's attempt has failed meanwhile. It was as good as one of our own would
            // be, and if each of many callers made one, the last would wait for all.
            return Err(error.clone());
        }
        let opened = match timeout(self.connect_timeout, self.target.open(&self.config)).await {
            Ok(opened) => opened.map_err(|error| wire::not_connected(&error, &self.target)),
            Err(_) => Err(StoreError::NotSent(Cause::Unreachable)),
        };
        self.attempts.fetch_add(1, Ordering::SeqCst);
        *failure = opened.as_ref().err().cloned();
        opened.map(|connection| self.install(connection))
    }

    /// A connection may answer, and yet not be the one to go on with: broken, silent, or to a server
    /// that is no longer the primary. A Cluster's connection sees to its nodes itself.
    fn is_of_no_more_use(&self, connection: &Connection, error: &StoreError) -> bool {
        matches!(connection, Connection::Direct(_))
            && match error {
                StoreError::Unknown(_) => true,
                StoreError::Rejected(refused) => refused.kind == RejectionKind::ReadOnly,
                // Loading, or deposed: Sentinel may name another by now.
                StoreError::NotSent(_) => matches!(*self.target, Target::Sentinel(_)),
            }
    }

    fn live(&self) -> Option<Live> {
        // Each change under the lock is whole.
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        let (connection, silence) = current.connection.clone()?;
        // A Cluster's connection sees to its nodes itself.
        if matches!(connection, Connection::Direct(_)) && silence.has_lasted(self.timeout) {
            return None;
        }
        Some(Live { generation: current.generation, connection, silence })
    }

    fn install(&self, connection: Connection) -> Live {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        current.generation += 1;
        let silence = Silence::default();
        current.connection = Some((connection.clone(), silence.clone()));
        Live { generation: current.generation, connection, silence }
    }

    fn forget(&self, generation: u64) {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        if current.generation == generation {
            current.connection = None;
        }
    }
}
