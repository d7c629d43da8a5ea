//! Commands that wait: for a key, for replicas, or for the end of a pause.
//!
//! A command that waits for keys is run again whenever one of them has changed, for that key alone,
//! in the order in which the sessions began to wait, until it finds something.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use super::{Connection, Delivery, Executed, Server, SessionId};
use crate::redis::{
    Entry, Redis, Resp,
    command::{self, Answer, Wait, narrowed},
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
        /// The keys, with what the keyspace counted when they were last looked at.
        keys: Vec<(Bytes, u64)>,
        type_name: &'static str,
        arguments: Vec<Bytes>,
    },
    /// The end of `CLIENT PAUSE`, to run this command then.
    Pause { arguments: Vec<Bytes> },
    /// Replicas to catch up.
    Replicas,
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

    /// Lets the session wait for keys.
    pub(super) fn wait_for_keys(&mut self, wait: Wait) {
        let now_ms = self.now_us / 1_000;
        let keyspace = &mut self.server.redis.keyspace;
        let keys = wait.keys.into_iter().map(|key| {
            let count = keyspace.watch(now_ms, &key);
            (key, count)
        });
        let keys = keys.collect();
        // At the last millisecond of its time it still waits, as a key still lives at its last.
        let until_us = wait
            .timeout_ms
            .map(|time| now_ms.saturating_add(time).saturating_add(1).saturating_mul(1_000));
        let reason = Reason::Keys {
            database: self.server.redis.selected(),
            keys,
            type_name: wait.type_name,
            arguments: wait.arguments,
        };
        self.wait(until_us, reason);
    }
}

impl Server {
    /// Ends a wait with this reply, if there is one.
    fn end_wait(&mut self, id: SessionId, resp: Resp) {
        self.stop_waiting(id);
        self.deliveries.push(Delivery { session: id, resp, unblocks: true });
    }

    pub(in crate::redis) fn is_waiting(&self, id: SessionId) -> bool {
        self.waiting.sessions.contains_key(&id)
    }

    /// Ends a wait without a word.
    pub(super) fn stop_waiting(&mut self, id: SessionId) -> Option<Reason> {
        let reason = self.waiting.remove(id)?;
        if let Reason::Keys { database, keys, .. } = &reason {
            self.redis.with_database(*database, |redis| {
                keys.iter().for_each(|(key, _)| redis.keyspace.unwatch(key));
            });
        }
        Some(reason)
    }

    /// Ends a wait from outside, as at its timeout or with an error; whether there was one that
    /// may be ended so.
    pub(in crate::redis) fn unblock(
        &mut self,
        now_us: u64,
        id: SessionId,
        with_error: bool,
    ) -> bool {
        let resp = match self.waiting.sessions.get(&id).map(|waiter| &waiter.reason) {
            None | Some(Reason::Pause { .. }) => return false,
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
    pub(super) fn end_overdue_waits(&mut self, now_us: u64) {
        while let Some(&(until_us, id)) = self.waiting.deadlines.first()
            && until_us <= now_us
        {
            match self.waiting.sessions.get(&id).map(|waiter| &waiter.reason) {
                Some(Reason::Replicas) => {
                    let resp = count(self.replicas_caught_up(now_us));
                    self.end_wait(id, resp);
                }
                Some(Reason::Pause { .. }) => self.resume(now_us, id),
                Some(Reason::Keys { .. }) => self.end_wait(id, Resp::NilArray),
                None => unreachable!("a deadline belongs to a wait"),
            }
        }
    }

    /// Runs the commands of those again for whom a key has changed, first come first, until nobody
    /// finds anything.
    pub(super) fn serve_waiting(&mut self, now_us: u64) {
        let mut next = 0;
        while let Some((&number, &id)) = self.waiting.order.range(next..).next() {
            next = number + 1;
            if self.look_again(now_us, id) {
                // What it took or gave may be news for those before it.
                next = 0;
            }
        }
    }

    /// Whether the session's wait has ended.
    fn look_again(&mut self, now_us: u64, id: SessionId) -> bool {
        let Some(Waiter { reason, .. }) = self.waiting.sessions.get(&id) else { return false };
        let Reason::Keys { database, keys, type_name, arguments, .. } = reason else {
            return false;
        };
        let (database, type_name, now_ms) = (*database, *type_name, now_us / 1_000);
        let changed = |redis: &mut Redis| {
            let keyspace = &redis.keyspace;
            let changed = |(key, count): &&(Bytes, u64)| {
                let of_type = |entry: &Entry| entry.value.type_name() == type_name;
                keyspace.is_touched(now_ms, key, *count)
                    && keyspace.peek(now_ms, key).is_some_and(of_type)
            };
            let mut changed: Vec<_> = keys.iter().filter(changed).map(|(key, _)| key).collect();
            changed.sort_by_key(|key| keyspace.changed(key));
            let alone = changed.into_iter().map(|key| narrowed(arguments, keys.len(), key));
            alone.collect::<Vec<_>>()
        };
        let commands = self.redis.with_database(database, changed).unwrap_or_default();
        for arguments in &commands {
            match self.run_again(now_us, id, arguments) {
                Ok(Resp::Nil | Resp::NilArray) => {}
                answer => {
                    self.end_wait(id, answer.unwrap_or_else(|refusal| Resp::Error(refusal.0)));
                    return true;
                }
            }
        }
        if !commands.is_empty() {
            self.note_changes(now_us, id);
        }
        false
    }

    fn run_again(&mut self, now_us: u64, id: SessionId, arguments: &[Bytes]) -> Answer {
        let spec = command::find(arguments).map_err(|reason| reason.refusal(arguments))?;
        let mut connection = Connection::new(self, id, now_us);
        // It waits already.
        connection.may_wait = false;
        connection.call(spec, arguments)
    }

    /// Takes the present state of the keys that a session waits for as known.
    fn note_changes(&mut self, now_us: u64, id: SessionId) {
        let Some(waiter) = self.waiting.sessions.get_mut(&id) else { return };
        let Reason::Keys { database, keys, .. } = &mut waiter.reason else { return };
        self.redis.with_database(*database, |redis| {
            for (key, count) in keys {
                redis.keyspace.unwatch(key);
                *count = redis.keyspace.watch(now_us / 1_000, key);
            }
        });
    }

    /// Runs a command that was held back by a pause.
    pub(super) fn resume(&mut self, now_us: u64, id: SessionId) {
        let Some(Reason::Pause { arguments }) = self.stop_waiting(id) else { return };
        let executed = self.execute(now_us, id, &arguments);
        let Executed::Replies(replies) = executed else { return };
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
