//! A Redis process as a value: the data, and the connections to it. No socket, no clock: bytes are
//! somebody else's work, and the time comes with each call.

mod connection;
mod describe;
mod gate;
mod listening;
mod monitoring;
mod pause;
mod replicas;
mod session;
mod sessions;
mod settings;
mod slow_log;
mod snapshot;
mod transaction;
mod upkeep;
mod users;
mod waiting;
mod watching;

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

pub use settings::{Password, Settings};
pub use snapshot::Snapshot;

pub(super) use connection::{Connection, OnConnection};
pub(super) use describe::describe;
pub(super) use pause::Pause;
pub(super) use session::{Session, Silence};
pub(super) use upkeep::Needed;

use sessions::Sessions;
use waiting::Waiting;

use super::{
    PURGED_PER_COMMAND, Redis, Resp,
    acl::{Acl, Log},
    command::{Refusal, Table},
    pubsub::PubSub,
    replication::Replication,
    service::Service,
    session::{Protocol, SessionId},
    value::PieceLimits,
};

/// How long clients have the server for themselves between two removals of expired keys.
const PURGE_PAUSE_US: u64 = 500;

/// A server with its connections.
///
/// ```
/// use bytes::Bytes;
/// use leasehold_fake_redis::{Executed, Resp, Server};
///
/// let mut server = Server::default();
/// let client = server.connect();
/// let ping = [Bytes::from_static(b"PING")];
/// let pong = Resp::Simple("PONG".into());
/// assert_eq!(server.execute(0, client, &ping), Executed::Replies(vec![pong]));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Server {
    redis: Redis,
    settings: Settings,
    sessions: Sessions,
    connected: u64,
    deliveries: Vec<Delivery>,
    closed: Vec<SessionId>,
    monitors: BTreeSet<SessionId>,
    /// What is kept beside the data: lent to them while a command runs.
    service: Option<Box<Service>>,
    /// The users, once somebody has changed one.
    acl: Option<Box<Acl>>,
    /// What was denied.
    pub(crate) denied: Log,
    pub(crate) needed: Needed,
    waiting: Waiting,
    /// When to go on with removing expired keys, if there were too many for once.
    purge_again_us: Option<u64>,
    pause: Option<Pause>,
    replication: Replication,
    config: BTreeMap<&'static str, Bytes>,
    shut_down: bool,
}

/// What came of a command.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Executed {
    /// The replies, in order: one, but for `SUBSCRIBE` and its like.
    Replies(Vec<Resp>),
    /// The reply comes as a [`Delivery`]. Until then the session's next command must wait.
    Blocked,
}

/// Something for a session that is not the reply to its last command: a message that was
/// published, or the reply for which it was blocked.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Delivery {
    /// For whom.
    pub session: SessionId,
    /// What.
    pub resp: Resp,
    /// Whether it ends a wait: the session's next command may run.
    pub unblocks: bool,
}

impl Server {
    /// A server without data or sessions.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        let (replicas, lag_us) = (settings.replicas, settings.replica_lag_us);
        let mut server = Self { settings, ..Self::default() };
        server.set_replicas(replicas, lag_us);
        server
    }

    /// A new session that may do everything at once.
    pub fn connect(&mut self) -> SessionId {
        self.admit(Session { authenticated: true, ..Session::default() })
    }

    /// The same for somebody who expects the answers of Upstash, where those are not Redis's.
    #[cfg(feature = "serve")]
    pub(crate) fn connect_as_to_upstash(&mut self) -> SessionId {
        self.admit(Session { authenticated: true, upstash: true, ..Session::default() })
    }

    /// A new session from the address `peer` to `local`, as `CLIENT LIST` shows them. If there is a
    /// password, the session has to say it.
    pub fn connect_from(&mut self, now_us: u64, peer: String, local: String) -> SessionId {
        self.admit(Session {
            authenticated: !self.has_password(),
            address: peer,
            local_address: local,
            connected_at_us: now_us,
            active_at_us: now_us,
            ..Session::default()
        })
    }

    fn admit(&mut self, session: Session) -> SessionId {
        self.connected += 1;
        self.service_mut().statistics.connections += 1;
        let id = SessionId(self.connected);
        self.sessions.insert(id, session);
        id
    }

    /// Ends a session. What it asked for and was not told of stays done.
    pub fn disconnect(&mut self, id: SessionId) {
        self.unwatch(id);
        let Some(session) = self.sessions.remove(id) else { return };
        self.monitors.remove(&id);
        self.stop_waiting(id);
        self.forget(id, &session.subscriptions);
    }

    /// Runs one command of `session`, and answers it into `replies`. Whether the command is answered:
    /// if not, the session is blocked.
    pub(crate) fn run(
        &mut self,
        table: &'static Table,
        now_us: u64,
        session: SessionId,
        arguments: &[Bytes],
        replies: &mut Vec<Resp>,
    ) -> bool {
        replies.clear();
        let Some(speaker) = self.sessions.get_mut(session) else { return true };
        let skipped = speaker.silence.begin();
        let mut connection = Connection::new(self, session, now_us, table);
        connection.replies = std::mem::take(replies);
        let answered = connection.execute(arguments, skipped);
        *replies = connection.replies;
        self.settle(table, now_us);
        answered
    }

    /// What has come up for other sessions since the last call, in order.
    pub fn take_deliveries(&mut self) -> Vec<Delivery> {
        self.deliver_published();
        std::mem::take(&mut self.deliveries)
    }

    /// The sessions that the server has ended since the last call: by `QUIT` or `CLIENT KILL`. They
    /// get what was delivered before, and then have to be [disconnected](Self::disconnect).
    pub fn take_closed(&mut self) -> Vec<SessionId> {
        std::mem::take(&mut self.closed)
    }

    /// Whether somebody has told the server to `SHUTDOWN`.
    #[must_use]
    pub fn is_shut_down(&self) -> bool {
        self.shut_down
    }

    /// When [`Server::wake`] has something to do, in microseconds of the clock that drives it;
    /// `None` if only a command can bring that about.
    #[must_use]
    pub fn next_wake(&self) -> Option<u64> {
        self.waiting.next_deadline().into_iter().chain(self.purge_again_us).min()
    }

    /// Ends the waits that are over at `now_us`, and removes some of the keys that have expired.
    pub(crate) fn end_what_is_due(&mut self, table: &'static Table, now_us: u64) {
        let removed = self.lend(|redis| redis.purge(now_us));
        self.purge_again_us = (removed >= PURGED_PER_COMMAND).then_some(now_us + PURGE_PAUSE_US);
        self.end_overdue_waits(table, now_us);
        self.settle(table, now_us);
    }

    /// Whether the last command concerns others: there are deliveries or closed sessions to take, or
    /// the server is shut down.
    #[cfg(feature = "serve")]
    pub(crate) fn has_news(&self) -> bool {
        !self.deliveries.is_empty() || !self.closed.is_empty() || self.shut_down
    }

    /// A command of `session` was refused elsewhere: what it has queued is not to be run.
    #[cfg(feature = "serve")]
    pub(crate) fn note_refused(&mut self, session: SessionId) {
        if let Some(session) = self.sessions.get_mut(session) {
            session.spoil_transaction();
        }
    }

    /// What `session` speaks now, and whether it may do more than say the password.
    #[cfg(feature = "serve")]
    pub(crate) fn manners(&self, session: SessionId) -> (Protocol, bool) {
        let session = self.sessions.get(session);
        session.map(|session| (session.protocol, session.authenticated)).unwrap_or_default()
    }

    /// Whether `session` expects the answers of Upstash.
    #[cfg(feature = "faults")]
    pub(crate) fn expects_upstash(&self, session: SessionId) -> bool {
        self.sessions.get(session).is_some_and(|session| session.upstash)
    }

    /// What `session` speaks now.
    #[must_use]
    pub fn protocol(&self, session: SessionId) -> Protocol {
        self.sessions.get(session).map(|session| session.protocol).unwrap_or_default()
    }

    /// Whether `session` may do more than say the password.
    #[must_use]
    pub fn is_authenticated(&self, session: SessionId) -> bool {
        self.sessions.get(session).is_some_and(|session| session.authenticated)
    }

    /// What `session` calls itself; empty if nothing.
    #[cfg(feature = "faults")]
    pub(crate) fn name(&self, session: SessionId) -> String {
        let name = self.sessions.get(session).map(|session| &session.name[..]).unwrap_or_default();
        String::from_utf8_lossy(name).into_owned()
    }

    /// The number of the database that `session` has selected.
    #[must_use]
    pub fn database(&self, session: SessionId) -> usize {
        self.sessions.get(session).map_or(0, |session| session.database)
    }

    /// The data.
    #[must_use]
    pub fn redis(&self) -> &Redis {
        &self.redis
    }

    /// The data, to be changed from outside: by a fault, or a test.
    pub fn redis_mut(&mut self) -> &mut Redis {
        self.service_mut().memory.forget();
        &mut self.redis
    }

    /// What has changed since the last call is one write: see [`Redis::end_write`].
    #[cfg(feature = "faults")]
    pub(crate) fn end_write(&mut self, at_us: u64, write: u64, since_us: u64) {
        self.redis.end_write(at_us, write, since_us);
    }

    /// What a command, or the time, meant for others.
    pub(crate) fn settle(&mut self, table: &'static Table, now_us: u64) {
        self.replicate(now_us);
        self.deliver_published();
        if self.waiting.len() > 0 {
            self.serve_waiting(table, now_us);
            self.deliver_published();
        }
    }

    /// Ends another session at once.
    pub(super) fn kill(&mut self, id: SessionId) {
        self.disconnect(id);
        self.closed.push(id);
    }

    pub(super) fn sessions(&self) -> impl Iterator<Item = (SessionId, &Session)> {
        self.sessions.iter()
    }

    pub(super) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Selects the database that a client names; its number.
    pub(super) fn select(&mut self, name: &[u8]) -> Result<usize, Refusal> {
        self.redis.select_named(name)
    }

    /// A setting that was changed by `CONFIG SET`.
    pub(super) fn config(&self, name: &str) -> Option<&Bytes> {
        self.config.get(name)
    }

    pub(super) fn set_pieces(&mut self, pieces: PieceLimits) {
        self.redis.pieces = pieces;
    }

    pub(super) fn set_config(&mut self, name: &'static str, value: Bytes) {
        self.config.insert(name, value);
    }

    pub(super) fn shut_down(&mut self) {
        self.shut_down = true;
    }

    /// How many sessions wait.
    pub(super) fn blocked(&self) -> usize {
        self.waiting.len()
    }

    pub(super) fn pubsub(&self) -> &PubSub {
        &self.redis.pubsub
    }

    /// The databases that hold something: the number, how many keys, and how many of them expire.
    pub(super) fn database_sizes(&self) -> Vec<(usize, usize, usize)> {
        let sizes = self.redis.databases();
        sizes.map(|(number, keys)| (number, keys.len(), keys.expiring())).collect()
    }
}
