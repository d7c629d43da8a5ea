//! The table of commands, and what is handed it: a server that runs a command.

#[cfg(feature = "faults")]
mod facts;

use std::sync::LazyLock;

use bytes::Bytes;

#[cfg(feature = "faults")]
pub(crate) use facts::Facts;

use super::{
    Resp,
    command::{Body, Flags, Table},
    commands::FAMILIES,
    server::{Executed, Server, Snapshot},
    session::SessionId,
};

/// Every command of the server.
pub(crate) static TABLE: LazyLock<Table> = LazyLock::new(|| Table::new(FAMILIES));

impl Server {
    /// Runs one command of `session`. `now_us` is the server's wall clock in microseconds since the
    /// Unix epoch. A session that is not connected is told nothing.
    pub fn execute(&mut self, now_us: u64, session: SessionId, arguments: &[Bytes]) -> Executed {
        let mut replies = Vec::new();
        if self.execute_into(now_us, session, arguments, &mut replies) {
            Executed::Replies(replies)
        } else {
            Executed::Blocked
        }
    }

    /// The same with a list for the replies that the caller has used before, so that a reply costs
    /// no new one. Whether the command is answered: if not, the session is blocked.
    pub(crate) fn execute_into(
        &mut self,
        now_us: u64,
        session: SessionId,
        arguments: &[Bytes],
        replies: &mut Vec<Resp>,
    ) -> bool {
        self.run(&TABLE, now_us, session, arguments, replies)
    }

    /// Runs a command as [`Server::execute`] does, but lets a replica answer it if it only reads
    /// and there is a replica: from what had been written one lag ago.
    pub fn execute_on_replica(
        &mut self,
        now_us: u64,
        session: SessionId,
        arguments: &[Bytes],
    ) -> Executed {
        let reads = TABLE.find(arguments).is_ok_and(|spec| {
            spec.flags.contains(Flags::READONLY) && matches!(spec.body, Body::Function(_))
        });
        if !reads || self.replicas() == 0 {
            return self.execute(now_us, session, arguments);
        }
        let reply = self.read_on_replica(now_us, session, |redis| redis.run(now_us, arguments));
        Executed::Replies(reply.into_iter().collect())
    }

    /// Does what is due at `now_us`: ends waits, and removes some of the keys that have expired.
    pub fn wake(&mut self, now_us: u64) {
        self.end_what_is_due(&TABLE, now_us);
    }

    /// Removes every key of every database, whoever asks.
    pub(crate) fn flush(&mut self, now_us: u64) {
        self.redis_mut().clear();
        self.settle(&TABLE, now_us);
    }

    /// Goes on with the data of a snapshot. Sessions and scripts stay.
    pub(crate) fn restore(&mut self, now_us: u64, snapshot: &Snapshot) {
        self.redis_mut().replace(snapshot.databases());
        self.settle(&TABLE, now_us);
    }
}
