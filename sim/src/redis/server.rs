//! A Redis process as a value: the data, and the connections to it. No socket, no clock: bytes are
//! somebody else's work, and the time comes with each call.

mod session;

use std::collections::BTreeMap;

use bytes::Bytes;

pub use session::{Protocol, SessionId};

use super::{
    Redis, Resp,
    command::{self, Body, Call},
    pubsub::Published,
};
use session::Session;

/// A server with its connections.
///
/// ```
/// use bytes::Bytes;
/// use leasehold_sim::redis::{Executed, Resp, Server};
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
    sessions: BTreeMap<SessionId, Session>,
    connected: u64,
    deliveries: Vec<Delivery>,
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

/// One command of one session, as the commands about connections see it.
#[derive(Debug)]
pub(super) struct Connection<'a> {
    pub(super) server: &'a mut Server,
    pub(super) session: SessionId,
    pub(super) now_us: u64,
}

impl Server {
    /// A new session.
    pub fn connect(&mut self) -> SessionId {
        self.connected += 1;
        let id = SessionId(self.connected);
        self.sessions.insert(id, Session::default());
        id
    }

    /// Ends a session. What it asked for and was not told of stays done.
    pub fn disconnect(&mut self, id: SessionId) {
        self.sessions.remove(&id);
    }

    /// Runs one command of `session`. `now_us` is the server's wall clock in microseconds since the
    /// Unix epoch.
    pub fn execute(&mut self, now_us: u64, session: SessionId, arguments: &[Bytes]) -> Executed {
        let answer = match command::find(arguments) {
            Ok(spec) => match spec.body {
                Body::Connection(function) => {
                    function(&mut Connection { server: self, session, now_us }, arguments)
                }
                Body::Function(function) => {
                    self.redis.purge(now_us);
                    function(&mut Call { redis: &mut self.redis, now_us }, arguments)
                }
                Body::Subcommands(_) => unreachable!("a container's row is never found"),
            },
            Err(reason) => Err(reason.refusal(arguments)),
        };
        self.deliver_published();
        Executed::Replies(vec![answer.unwrap_or_else(|refusal| Resp::Error(refusal.0))])
    }

    /// What has come up for other sessions since the last call, in order.
    pub fn take_deliveries(&mut self) -> Vec<Delivery> {
        std::mem::take(&mut self.deliveries)
    }

    /// The data.
    #[must_use]
    pub fn redis(&self) -> &Redis {
        &self.redis
    }

    /// The data, to be changed from outside: by a fault, or a test.
    pub fn redis_mut(&mut self) -> &mut Redis {
        &mut self.redis
    }

    fn deliver_published(&mut self) {
        for Published { to, pattern, channel, message } in self.redis.pubsub.take() {
            let mut words = match pattern {
                None => vec![Resp::Bulk("message".into())],
                Some(pattern) => vec![Resp::Bulk("pmessage".into()), Resp::Bulk(pattern)],
            };
            words.extend([Resp::Bulk(channel), Resp::Bulk(message)]);
            let delivery = Delivery { session: to, resp: Resp::Push(words), unblocks: false };
            self.deliveries.push(delivery);
        }
    }
}
