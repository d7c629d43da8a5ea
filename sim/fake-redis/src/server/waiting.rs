//! Commands that wait: for a key, for replicas, or for the end of a pause.
//!
//! A command that waits for keys is run again whenever one of them has come, for that key alone, in
//! the order in which the sessions began to wait, until it finds something.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use super::{Connection, Delivery, Server, SessionId};
use crate::{
    Redis, Resp,
    command::{Answer, Found, Table, Wait, narrowed},
    resp::count,
};

/// The sessions that wait.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Waiting {
    sessions: BTreeMap<SessionId, Waiter>,
    /// Who waits, first come first.
    order: BTreeMap<u64, SessionId>,
    deadlines: BTreeSet<(u64, SessionId)>,
    begun: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Waiter {
    number: u64,
    until_us: Option<u64>,
    reason: Reason,
}

/// What a session waits for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Reason {
    Keys {
        database: usize,
        wait: Wait,
    },
    /// The end of `CLIENT PAUSE`, to run this command then.
    Pause {
        arguments: Vec<Bytes>,
    },
    /// Replicas to catch up.
    Replicas,
    /// The end of `DEBUG SLEEP`.
    Sleep,
}

impl Waiting {
    fn add(&mut self, id: SessionId, until_us: Option<u64>, reason: Reason) {
        self.begun += 1;
        let number = self.begun;
        self.order.insert(number, id);
        self.deadlines.extend(until_us.map(|until_us| (until_us, id)));
        self.sessions.insert(id, Waiter { number, until_us, reason });
    }

    fn remove(&mut self, id: SessionId) -> Option<Reason> {
        let Waiter { number, until_us, reason } = self.sessions.remove(&id)?;
        self.order.remove(&number);
        if let Some(until_us) = until_us {
            self.deadlines.remove(&(until_us, id));
        }
        Some(reason)
    }

    /// Who waits for this key, first come first.
    fn for_key(&self, database: usize, key: &Bytes) -> Vec<SessionId> {
        let waits = |id: &&SessionId| match self.sessions.get(id).map(|waiter| &waiter.reason) {
            Some(Reason::Keys { database: own, wait }) => {
                *own == database && wait.keys.contains(key)
            }
            _ => false,
        };
        self.order.values().filter(waits).copied().collect()
    }

    pub(super) fn len(&self) -> usize {
        self.sessions.len()
    }

    pub(super) fn next_deadline(&self) -> Option<u64> {
        self.deadlines.first().map(|(until_us, _)| *until_us)
    }
}

impl Connection<'_> {
    /// Lets the session wait; its reply comes later.
    pub(super) fn wait(&mut self, until_us: Option<u64>, reason: Reason) {
        self.server.waiting.add(self.id, until_us, reason);
        self.waits = true;
    }

    /// Lets the session wait for a time.
    pub(crate) fn sleep(&mut self, until_us: u64) {
        self.wait(Some(until_us), Reason::Sleep);
    }

    /// Lets the session wait for keys.
    pub(super) fn wait_for_keys(&mut self, wait: Wait) {
        let until_us = wait.timeout_ms.map(|timeout_ms| self.end_of_wait_us(timeout_ms));
        let redis = &mut self.server.redis;
        let in_group = wait.group.is_some();
        wait.keys.iter().for_each(|key| redis.keyspace.await_key(key, in_group));
        let database = redis.selected();
        self.wait(until_us, Reason::Keys { database, wait });
    }

    /// At the last millisecond of its time a session still waits, as a key still lives at its last.
    pub(super) fn end_of_wait_us(&self, timeout_ms: u64) -> u64 {
        let last_ms = (self.now_us / 1_000).saturating_add(timeout_ms);
        last_ms.saturating_add(1).saturating_mul(1_000)
    }
}

impl Server {
    /// Ends a wait with this reply, if there is one.
    fn end_wait(&mut self, id: SessionId, resp: Resp) {
        self.stop_waiting(id);
        self.deliveries.push(Delivery { session: id, resp, unblocks: true });
    }

    pub(crate) fn is_waiting(&self, id: SessionId) -> bool {
        self.waiting.sessions.contains_key(&id)
    }

    /// Ends a wait without a word.
    pub(super) fn stop_waiting(&mut self, id: SessionId) -> Option<Reason> {
        let reason = self.waiting.remove(id)?;
        if let Reason::Keys { database, wait } = &reason {
            self.redis.with_database(*database, |redis| {
                let in_group = wait.group.is_some();
                wait.keys.iter().for_each(|key| redis.keyspace.stop_awaiting(key, in_group));
            });
        }
        Some(reason)
    }

    /// Ends a wait from outside, as at its timeout or with an error; whether there was one that
    /// may be ended so.
    pub(crate) fn unblock(&mut self, now_us: u64, id: SessionId, with_error: bool) -> bool {
        let resp = match self.waiting.sessions.get(&id).map(|waiter| &waiter.reason) {
            None | Some(Reason::Pause { .. } | Reason::Sleep) => return false,
            Some(_) if with_error => {
                Resp::Error("UNBLOCKED client unblocked via CLIENT UNBLOCK".into())
            }
            Some(Reason::Replicas) => count(self.replicas_caught_up(now_us)),
            Some(Reason::Keys { .. }) => Resp::NilArray,
        };
        self.end_wait(id, resp);
        true
    }

    /// Ends the waits whose time is over.
    pub(super) fn end_overdue_waits(&mut self, table: &'static Table, now_us: u64) {
        while let Some(&(until_us, id)) = self.waiting.deadlines.first()
            && until_us <= now_us
        {
            match self.waiting.sessions.get(&id).map(|waiter| &waiter.reason) {
                Some(Reason::Replicas) => {
                    let resp = count(self.replicas_caught_up(now_us));
                    self.end_wait(id, resp);
                }
                Some(Reason::Pause { .. }) => self.resume(table, now_us, id),
                Some(Reason::Keys { .. }) => self.end_wait(id, Resp::NilArray),
                Some(Reason::Sleep) => self.end_wait(id, Resp::OK),
                None => unreachable!("a deadline belongs to a wait"),
            }
        }
    }

    /// Sees to those for whose keys there was a call: key by key as they were called, and for each
    /// first come first, until there are no more calls.
    pub(super) fn serve_waiting(&mut self, table: &'static Table, now_us: u64) {
        while let Some((database, called)) = self.redis.take_called() {
            for key in called {
                for id in self.waiting.for_key(database, &key) {
                    self.look_again(table, now_us, id, &key);
                }
            }
        }
    }

    /// Ends the session's wait if it finds something under `key`, or cannot any more.
    fn look_again(&mut self, table: &'static Table, now_us: u64, id: SessionId, key: &Bytes) {
        let Some(Waiter { reason: Reason::Keys { database, wait }, .. }) =
            self.waiting.sessions.get(&id)
        else {
            return;
        };
        let found = |redis: &mut Redis| wait.look(redis.keyspace.peek(now_us / 1_000, key));
        let found = self.redis.with_database(*database, found).unwrap_or(Found::Nothing);
        let answer = match found {
            Found::Nothing => return,
            Found::End(text) => Resp::Error(text.into()),
            Found::Something => {
                let arguments = narrowed(table, &wait.arguments, wait.keys.len(), key);
                match self.run_again(table, now_us, id, &arguments) {
                    Ok(Resp::Nil | Resp::NilArray) => return,
                    answer => answer.unwrap_or_else(|refusal| Resp::Error(refusal.0)),
                }
            }
        };
        self.end_wait(id, answer);
    }

    fn run_again(
        &mut self,
        table: &'static Table,
        now_us: u64,
        id: SessionId,
        arguments: &[Bytes],
    ) -> Answer {
        let spec = table.find(arguments).map_err(|reason| reason.refusal(arguments))?;
        let mut connection = Connection::new(self, id, now_us, table);
        // It waits already.
        connection.may_wait = false;
        connection.call(spec, arguments)
    }

    /// Runs a command that was held back by a pause.
    pub(super) fn resume(&mut self, table: &'static Table, now_us: u64, id: SessionId) {
        let Some(Reason::Pause { arguments }) = self.stop_waiting(id) else { return };
        let mut replies = Vec::new();
        if !self.run(table, now_us, id, &arguments, &mut replies) {
            return;
        }
        let last = replies.len().saturating_sub(1);
        for (index, resp) in replies.into_iter().enumerate() {
            let unblocks = index == last;
            self.deliveries.push(Delivery { session: id, resp, unblocks });
        }
    }

    /// Those that a pause holds back, first come first.
    pub(super) fn held_back(&self) -> Vec<SessionId> {
        let held = |id: &&SessionId| {
            let waiter = self.waiting.sessions.get(id);
            waiter.is_some_and(|waiter| matches!(waiter.reason, Reason::Pause { .. }))
        };
        self.waiting.order.values().filter(held).copied().collect()
    }
}
