//! Two replicas whose lag is known while they lag, so that `WAIT` can be answered.
//!
//! A replica gets each write a little after the primary, and in order. When one takes over, the
//! other follows it, and a third is there again, before anybody is answered.

use super::{
    Body, Faults, Message, Observer, Promotion, Response, Server, Step, System, Topology, Transit,
    Wait, What,
};
use crate::{decide::DecisionSource, history::Client};
use leasehold_fake_redis::{Change, Keyspace, Replica};

/// How many replicas there are.
const COPIES: usize = 2;

/// How long a write takes to each of them as long as all is well.
const LAGS: [u64; COPIES] = [500, 4_000];

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Copies {
    replicas: [Replica; COPIES],
    /// When each has all that was written until now.
    caught_up_at: [u64; COPIES],
    /// How many writes there were.
    writes: u32,
    /// The clients that have a connection: one bit for each.
    connected: u8,
}

impl Copies {
    /// Takes note of a write that replica number `replica` has at `due`.
    fn note(&mut self, replica: usize, due: u64, changes: Vec<Change>) {
        debug_assert!(!changes.is_empty(), "a write changes something");
        let due = due.max(self.caught_up_at[replica]);
        self.caught_up_at[replica] = due;
        self.replicas[replica].note(due, changes);
    }

    /// When `wanted` replicas have all that was written until now, but not after `until`, and how
    /// many have it then.
    fn acknowledge(&self, now: u64, wanted: u32, until: u64) -> (u64, u32) {
        let mut times = self.caught_up_at;
        times.sort_unstable();
        let last = (wanted as usize).min(COPIES);
        let at = times[..last].last().map_or(now, |&at| at.clamp(now, until));
        let at = if wanted as usize > COPIES { until } else { at };
        debug_assert!((now..=until.max(now)).contains(&at), "a wait ends while it lasts");
        (at, times.iter().filter(|&&time| time <= at).count() as u32)
    }

    /// One of the replicas takes over: which, what it has, and how many writes it has not.
    pub(crate) fn take_over(
        &mut self,
        now: u64,
        least: bool,
        up_at: u64,
    ) -> (usize, Keyspace, usize) {
        for replica in &mut self.replicas {
            replica.catch_up(now + 1);
        }
        let (first, second) = (self.replicas[0].pending(), self.replicas[1].pending());
        let chosen = usize::from((second < first) != least);
        let lost = self.replicas[chosen].forget_pending();
        let keyspace = self.replicas[chosen].keyspace.clone();
        self.follow(&keyspace, up_at);
        (chosen, keyspace, lost)
    }

    /// The replicas have what the primary has, and nobody is connected to it.
    pub(crate) fn follow(&mut self, keyspace: &Keyspace, up_at: u64) {
        let mut replica = Replica::default();
        replica.keyspace = keyspace.clone();
        self.replicas = [replica.clone(), replica];
        self.caught_up_at = [up_at; COPIES];
        self.connected = 0;
    }

    fn has_connection(&self, client: Client) -> bool {
        self.connected & 1 << client != 0
    }
}

impl Server {
    pub(super) fn copies_of(topology: Topology) -> Option<Copies> {
        matches!(topology, Topology::Acknowledged(_)).then(Copies::default)
    }
}

impl<S: System, C: DecisionSource, W: Observer> Step<'_, S, C, W> {
    /// Hands what was written to the replicas.
    pub(super) fn copy_out(&mut self, changes: Vec<Change>) {
        if changes.is_empty() {
            return;
        }
        let now = self.core.now;
        let Some(copies) = &mut self.core.servers[0].copies else { return };
        copies.writes += 1;
        let write = copies.writes;
        for (replica, lag) in LAGS.into_iter().enumerate() {
            let due = now + lag + S::Faults::replicating(self, replica as u8, write);
            if let Some(copies) = &mut self.core.servers[0].copies {
                copies.note(replica, due, changes.clone());
                let due = Some(copies.caught_up_at[replica]);
                self.transit(Transit::Replicated { replica: replica as u8, due });
            }
        }
    }

    /// Notes that `client` has a connection over which it has written.
    pub(super) fn connect(&mut self, client: Client) {
        if let Some(copies) = &mut self.core.servers[0].copies {
            copies.connected |= 1 << client;
        }
    }

    /// If `message` waits for replicas: when it is answered, and what, unless the server fails
    /// before.
    pub(super) fn waits(&self, message: &Message<S>) -> Option<(u64, Response<S>)> {
        let Body::Request(request) = &message.body else { return None };
        let Wait { replicas, timeout_ms, answer } = S::wait(request)?;
        let copies = self.core.servers[0].copies.as_ref()?;
        let now = self.core.now;
        if !copies.has_connection(message.client) {
            // On another connection it would be about nothing.
            return Some((now, Response::Refused));
        }
        let (at, count) = copies.acknowledge(now, replicas, now + timeout_ms * 1_000);
        Some((at, Response::Answer(answer(count))))
    }

    /// A `WAIT` is over, unless its connection is.
    pub(super) fn waited(&mut self, mut message: Box<Message<S>>) {
        let copies = self.core.servers[0].copies.as_ref();
        let connected = copies.is_some_and(|copies| copies.has_connection(message.client));
        if !connected && message.body != Body::Response(Response::Refused) {
            message.body = Body::Response(Response::Broken);
        }
        self.answer(message);
    }

    /// Whether a replica that is behind may take over.
    pub(crate) fn promotes_any(&self) -> bool {
        self.core.plan.settings.topology == Topology::Acknowledged(Promotion::Any)
    }

    /// As a `WAIT` begins: it is answered at `at`.
    pub(super) fn wait(&mut self, mut message: Box<Message<S>>, at: u64, response: Response<S>) {
        message.body = Body::Response(response);
        self.core.queue.push(at, What::Waited(message));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn copies(caught_up_at: [u64; COPIES]) -> Copies {
        Copies { caught_up_at, ..Copies::default() }
    }

    #[test]
    fn a_wait_ends_when_enough_replicas_have_caught_up_or_at_its_end() {
        let copies = copies([50, 20]);
        assert_eq!(copies.acknowledge(10, 1, 100), (20, 1));
        assert_eq!(copies.acknowledge(30, 1, 100), (30, 1));
        assert_eq!(copies.acknowledge(10, 2, 100), (50, 2));
        assert_eq!(copies.acknowledge(10, 2, 40), (40, 1));
        assert_eq!(copies.acknowledge(10, 3, 100), (100, 2));
        assert_eq!(copies.acknowledge(10, 1, 15), (15, 0));
    }

    #[test]
    fn the_replica_that_has_more_takes_over_or_the_other_one() {
        let behind = || {
            let mut copies = Copies::default();
            for (replica, due) in [(0, 90), (1, 40)] {
                let entry = leasehold_fake_redis::Entry::string("token");
                copies.note(replica, due, vec![("job".into(), Some(entry))]);
            }
            copies
        };
        let (chosen, keyspace, lost) = behind().take_over(50, false, 100);
        assert_eq!((chosen, keyspace.len(), lost), (1, 1, 0));
        let (chosen, keyspace, lost) = behind().take_over(50, true, 100);
        assert_eq!((chosen, keyspace.len(), lost), (0, 0, 1));
    }
}
