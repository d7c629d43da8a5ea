//! The one connection that all callers share: made when it is needed, given up when it is broken.
//!
//! It is kept here rather than by a connection manager of the client, for which a connection that
//! could not be made and one that broke after the command had left are the same error.

use std::sync::{
    Arc, PoisonError, RwLock,
    atomic::{AtomicU64, Ordering},
};

use leasehold_core::{Cause, RejectionKind, StoreError, redis::Request};
use redis::AsyncConnectionConfig;
use tokio::{
    sync::Mutex,
    time::{Instant, timeout, timeout_at},
};

use super::{
    grants::Over,
    silence::Silence,
    target::{Connection, Target, Words},
    wire,
};
use crate::{
    answer::{Answer, Form},
    retry::Budget,
    trace,
};

/// The way to a server.
pub(super) struct Link {
    target: Arc<Target>,
    config: AsyncConnectionConfig,
    budget: Budget,
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
    pub(super) generation: u64,
    pub(super) connection: Connection,
    silence: Silence,
}

/// What came of a command, and over which connection, if that is known.
pub(super) struct Answered {
    pub(super) answer: Answer,
    pub(super) over: Option<Over>,
}

impl Link {
    pub(super) fn new(target: Arc<Target>, budget: Budget) -> Self {
        // How long to wait is decided here.
        let config =
            AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
        Self {
            target,
            config,
            budget,
            current: RwLock::default(),
            attempts: AtomicU64::new(0),
            connecting: Mutex::new(None),
        }
    }

    /// A request as it goes over this way.
    pub(super) fn words(&self, form: Form, request: &Request) -> Words {
        match self.target.is_cluster() {
            true => Words::One(wire::command(form, request)),
            false => wire::words(form, request),
        }
    }

    pub(super) fn target(&self) -> &Target {
        &self.target
    }

    /// Sends one request, once, and waits so long for its reply.
    pub(super) async fn send(&self, words: &Words, until: Instant) -> Result<Answered, StoreError> {
        let live = self.ready(until).await?;
        let over = Some(Over::Link(live.generation));
        self.exchange(live, words, until).await.map(|answer| Answered { answer, over })
    }

    /// How long the server may keep a command waiting without holding up what comes behind it for
    /// too long.
    pub(super) fn longest_pause_ms(&self) -> u64 {
        // Not zero, which would be for ever.
        u64::try_from(self.budget.total.as_millis() / 2).unwrap_or(u64::MAX).max(1)
    }

    pub(super) async fn exchange(
        &self,
        live: Live,
        words: &Words,
        until: Instant,
    ) -> Result<Answer, StoreError> {
        let Live { generation, mut connection, silence } = live;
        let waiting = silence.wait();
        let answer = match in_time(until, Some(&self.target), connection.send(words)).await {
            Ok(replied) => {
                waiting.answered();
                wire::answer(replied, &self.target)
            }
            Err(error) => Err(error),
        };
        if let Err(error) = &answer
            && self.is_of_no_more_use(&connection, error)
        {
            trace::disconnected(error);
            self.forget(generation);
        }
        answer
    }

    /// The connection, made first if there is none. Its making is given a part of the time.
    pub(super) async fn ready(&self, until: Instant) -> Result<Live, StoreError> {
        match timeout_at(until, self.connected()).await {
            Ok(ready) => ready,
            Err(_) => Err(self.no_connection_in_time()),
        }
    }

    fn no_connection_in_time(&self) -> StoreError {
        let text = format!("{:?}: no connection in time", self.target);
        StoreError::NotSent(Cause::Unreachable(text.into()))
    }

    async fn connected(&self) -> Result<Live, StoreError> {
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
        let opened = match timeout(self.budget.connect, self.target.open(&self.config)).await {
            Ok(opened) => opened.map_err(|error| wire::not_connected(&error, &self.target)),
            Err(_) => Err(self.no_connection_in_time()),
        };
        self.attempts.fetch_add(1, Ordering::SeqCst);
        *failure = opened.as_ref().err().cloned();
        opened.map(|connection| self.install(connection))
    }

    /// A connection may answer, and yet not be the one to go on with: broken, silent, or to a server
    /// that is no longer the primary. A Cluster's connection sees to its nodes itself.
    fn is_of_no_more_use(&self, connection: &Connection, error: &StoreError) -> bool {
        connection.is_direct()
            && match error {
                StoreError::Unknown(_) => true,
                StoreError::Rejected(refused) => refused.kind == RejectionKind::ReadOnly,
                // Loading, or deposed: Sentinel may name another by now.
                StoreError::NotSent(_) => self.target.finds_the_primary(),
            }
    }

    pub(super) fn live(&self) -> Option<Live> {
        // Each change under the lock is whole.
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        let (connection, silence) = current.connection.clone()?;
        // A Cluster's connection sees to its nodes itself.
        if connection.is_direct() && silence.has_lasted(self.budget.total / 2) {
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

/// What comes before the time is up. The command had been handed to the connection.
pub(super) async fn in_time<T>(
    until: Instant,
    target: Option<&Target>,
    reply: impl Future<Output = T>,
) -> Result<T, StoreError> {
    timeout_at(until, reply).await.map_err(|_| wire::timed_out(target))
}
