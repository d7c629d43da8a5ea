//! Replicas of the server: reads from them, waits for them, and failing over to one.

use super::{Connection, Server, SessionId, waiting::Reason};
use crate::{Keyspace, Redis, Resp, replication::Replication, resp::count};

impl Server {
    /// Gives the server so many replicas, which have every write `lag_us` microseconds after it.
    /// They begin with all that there is now.
    pub fn set_replicas(&mut self, replicas: usize, lag_us: u64) {
        self.redis.watch_changes(replicas > 0);
        self.replication = Replication::begin(&self.redis, replicas, lag_us);
    }

    /// Goes on with these databases, as a replica that takes over: without scripts or sessions.
    pub fn take_over(&mut self, databases: impl IntoIterator<Item = (usize, Keyspace)>) {
        self.redis.replace(databases);
        self.redis.forget_scripts();
        self.end_sessions();
        self.set_replicas(self.replicas(), self.replication.lag_us);
    }

    /// How many replicas there are.
    #[must_use]
    pub fn replicas(&self) -> usize {
        self.replication.replicas
    }

    /// Lets a replica answer `session` from what had been written one lag ago; `None` if it is not
    /// connected.
    pub(crate) fn read_on_replica(
        &mut self,
        now_us: u64,
        session: SessionId,
        read: impl FnOnce(&mut Redis) -> Resp,
    ) -> Option<Resp> {
        let database = self.sessions.get(session)?.database;
        self.redis.select(database);
        Some(self.replication.on_replica(now_us, &mut self.redis, read))
    }

    /// Lets a replica take over: what was written in the last `lost_us` microseconds, or in the
    /// replicas' lag if that is shorter, is gone, and so are scripts, subscriptions, transactions
    /// and the sessions with them. How many writes were lost; `None` if there is no replica.
    pub fn fail_over(&mut self, now_us: u64, lost_us: u64) -> Option<usize> {
        if self.replicas() == 0 {
            return None;
        }
        let lost = self.replication.fail_over(now_us, &mut self.redis, lost_us);
        self.redis.forget_scripts();
        self.end_sessions();
        Some(lost)
    }

    /// Starts the server anew, without data, scripts or sessions, as after a crash of one that
    /// saves nothing.
    pub fn restart(&mut self, now_us: u64) {
        self.redis.clear();
        self.redis.forget_scripts();
        self.end_sessions();
        self.settings.started_at_us = now_us;
        self.set_replicas(self.replicas(), self.replication.lag_us);
    }

    fn end_sessions(&mut self) {
        self.service_mut().memory.forget();
        let ids: Vec<_> = self.sessions.iter().map(|(id, _)| id).collect();
        ids.into_iter().for_each(|id| self.kill(id));
    }

    pub(super) fn replicate(&mut self, now_us: u64) {
        if self.replication.replicas > 0 {
            let written = self.redis.take_changes();
            self.replication.note(now_us, written);
        }
    }

    pub(super) fn replicas_caught_up(&self, now_us: u64) -> usize {
        self.replication.caught_up(now_us)
    }
}

impl Connection<'_> {
    /// Waits until so many replicas have all that was written, or for a time; 0: for ever.
    pub(crate) fn wait_for_replicas(&mut self, wanted: i64, timeout_ms: u64) -> Resp {
        self.server.replicate(self.now_us);
        let caught_up = self.server.replicas_caught_up(self.now_us);
        // Redis keeps the number that is waited for in 32 bits.
        let wanted = wanted.min(i64::from(wanted as i32));
        let enough = |number: usize| i64::try_from(number).is_ok_and(|number| number >= wanted);
        if enough(caught_up) || self.is_in_transaction() {
            return count(caught_up);
        }
        let at_us = self.server.replication.caught_up_at_us();
        let reachable = enough(self.server.replicas()).then_some(at_us);
        let timeout = (timeout_ms > 0).then(|| self.end_of_wait_us(timeout_ms));
        let until_us = reachable.into_iter().chain(timeout).min();
        self.wait(until_us, Reason::Replicas);
        Resp::Nil
    }
}
