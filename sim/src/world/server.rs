//! The server: a fake Redis with a wall clock of its own, and a replica that lags behind it.

use leasehold_core::{
    Command, Reply, StoreError,
    debounce::{DebounceCommand, DebounceReply},
    lock::{LockCommand, LockReply},
};

use super::{Body, Message, Plan, Request, Response, Step, Topology, Watch};
use crate::{
    cluster,
    decide::Chance,
    history::{Act, CallId, Client, DebounceEvent, Event, TokenId},
    redis::{Redis, Replica, Resp, Value},
    subjects::{LOCK_ID, Workload},
};

/// The Unix time at the start of a run, in microseconds: 2026-01-01.
const EPOCH: u64 = 1_767_225_600_000_000;

/// A replica is never further behind than this.
pub(crate) const LAG_MAX: u64 = 500_000;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Server {
    pub(crate) redis: Redis,
    /// How far the wall clock is off true time.
    pub(crate) clock_offset_us: i64,
    /// Until when requests are refused, since a replica is taking over.
    pub(crate) electing_until: u64,
    /// What the replica is certain to have, if there is one.
    pub(crate) replica: Option<Replica>,
    /// The fences of the last claim and of the last success that were told: a copy is no news.
    claimed: u64,
    settled: u64,
    /// The lock's key as it was last told.
    seen: Option<(TokenId, u64)>,
}

impl Server {
    pub(super) fn new(plan: &Plan) -> Self {
        let mut redis = Redis::default();
        let replica = (plan.topology == Topology::Replicated).then(Replica::default);
        redis.keyspace.watch_changes(replica.is_some());
        Self {
            redis,
            clock_offset_us: 0,
            electing_until: 0,
            replica,
            claimed: 0,
            settled: 0,
            seen: None,
        }
    }

    /// The wall clock at true time `at`.
    #[inline]
    pub(crate) fn wall(&self, at: u64) -> u64 {
        (EPOCH + at).saturating_add_signed(self.clock_offset_us)
    }

    /// The true time at which a key that expires at `wall_ms` is gone, if the clock does not jump:
    /// once the clock is past it.
    fn truth(&self, wall_ms: u64) -> u64 {
        ((wall_ms + 1) * 1_000).saturating_add_signed(-self.clock_offset_us).saturating_sub(EPOCH)
    }
}

impl<C: Chance, W: Watch> Step<'_, C, W> {
    /// The faults that strike a server when a request arrives. Whether it is in no state to answer.
    pub(super) fn disturb_server(&mut self, client: u8, call: u32) -> bool {
        self.jump_clock(client, call);
        self.restart(client, call);
        self.core.now < self.core.server.electing_until
    }

    /// Applies a request, and tells what it did to the lock.
    pub(super) fn apply(&mut self, message: &Message) -> Response {
        let Body::Request(request) = &message.body else {
            unreachable!("only requests are sent to servers");
        };
        let wall = self.core.server.wall(self.core.now);
        // What expired since the last look is not this request's doing.
        if self.core.server.seen.is_some_and(|(_, expires)| expires < wall / 1_000) {
            self.look(false);
        }
        let (client, call, copy) = (message.client, message.call, message.copy);
        let (act, behalf, lease) = (message.act, message.behalf, asked_lease(request));
        self.tell(Event::Applied { client, call, copy, act, behalf, lease });
        let (response, fence) = match request {
            Request::Ours(command) => {
                let engine = self.core.plan.engine;
                let reply = self.core.server.redis.apply(wall, command, engine);
                if let (Command::Debounce(command), Ok(Reply::Debounce(reply))) = (command, &reply)
                {
                    self.tell_debounced(client, command, reply);
                }
                let fence = granted_fence(&reply);
                (Response::Ours(reply), fence)
            }
            Request::Upstream(command) => {
                let value = command.apply(&mut self.core.server.redis, wall);
                if let Some(event) = command.debounced(client, self.core.now, &value) {
                    self.tell(Event::Debounce(event));
                }
                let fence = (act == Act::Acquire && !matches!(value, Resp::Nil)).then_some(0);
                (Response::Upstream(value), fence)
            }
            Request::Remote => {
                cluster::arrive(client, call, self.core.now);
                (Response::Remote, None)
            }
        };
        if act != Act::Other {
            self.look(true);
        }
        if let (Some(fence), Some(token)) = (fence, behalf) {
            self.core.grants += 1;
            self.tell(Event::Granted { token, fence });
        }
        self.replicate();
        response
    }

    /// Tells what a command did to the debounced function.
    fn tell_debounced(&mut self, client: Client, command: &DebounceCommand, reply: &DebounceReply) {
        let event = match (command, reply) {
            (DebounceCommand::Call { args, .. }, DebounceReply::Armed { .. }) => {
                CallId::from_args(args).map(|call| DebounceEvent::Armed { call })
            }
            (_, DebounceReply::Claimed { fence, .. }) if fence.0 == self.core.server.claimed => {
                None
            }
            (_, DebounceReply::Claimed { args, fence, remaining_ms, .. }) => {
                self.core.server.claimed = fence.0;
                let until = self.core.now + remaining_ms * 1_000;
                let claimed = |call| DebounceEvent::Claimed { client, call, fence: fence.0, until };
                CallId::from_args(args).map(claimed)
            }
            (DebounceCommand::Finish { fence, .. }, DebounceReply::Finished)
                if fence.0 > self.core.server.settled =>
            {
                self.core.server.settled = fence.0;
                Some(DebounceEvent::Settled { client, fence: fence.0 })
            }
            (_, DebounceReply::Rearmed { .. }) => Some(DebounceEvent::Rearmed { client }),
            _ => None,
        };
        if let Some(event) = event {
            self.tell(Event::Debounce(event));
        }
    }

    /// Tells how many keys would stay for ever.
    pub(super) fn count_immortal_keys(&mut self) {
        if self.core.plan.workload == Workload::Debounce {
            let keys = self.core.server.redis.keyspace.iter();
            let keys = keys.filter(|(_, entry)| entry.expires_at_ms.is_none()).count() as u32;
            self.tell(Event::Debounce(DebounceEvent::Immortal { keys }));
        }
    }

    /// Tells how the lock's key has changed since the last look.
    pub(crate) fn look(&mut self, by_request: bool) {
        let server = &mut self.core.server;
        let wall_ms = server.wall(self.core.now) / 1_000;
        let entry = server.redis.keyspace.peek(wall_ms, LOCK_ID.as_bytes());
        // What a process of a `Cluster` keeps there has no name.
        let found = entry.and_then(|entry| match &entry.value {
            Value::String(text) => {
                Some((TokenId::parse(text)?, entry.expires_at_ms.unwrap_or(u64::MAX)))
            }
            _ => None,
        });
        if found == server.seen {
            return;
        }
        let before = server.seen.map(|(token, _)| token);
        server.seen = found;
        self.tell_key(before, by_request);
    }

    /// Tells when the lock's key expires, after the clock jumped.
    pub(crate) fn look_again(&mut self) {
        self.look(false);
        if let Some((token, _)) = self.core.server.seen {
            self.tell_key(Some(token), false);
        }
    }

    fn tell_key(&mut self, before: Option<TokenId>, by_request: bool) {
        let server = &self.core.server;
        let (after, expires) = match server.seen {
            None => (None, 0),
            Some((token, u64::MAX)) => (Some(token), u64::MAX),
            Some((token, wall_ms)) => (Some(token), server.truth(wall_ms)),
        };
        self.tell(Event::Key { before, after, expires, by_request });
    }

    /// Hands what was written to the replica, which is certain to have it after [`LAG_MAX`].
    fn replicate(&mut self) {
        let now = self.core.now;
        let Some(replica) = &mut self.core.server.replica else { return };
        let changes = self.core.server.redis.keyspace.take_changes();
        replica.note(now, changes);
        replica.catch_up(now.saturating_sub(LAG_MAX));
    }
}

fn asked_lease(request: &Request) -> u64 {
    match request {
        Request::Ours(Command::Lock(
            LockCommand::Acquire { lease_ms, .. } | LockCommand::Extend { lease_ms, .. },
        )) => lease_ms * 1_000,
        Request::Ours(_) | Request::Remote => 0,
        Request::Upstream(command) => command.asked_lease(),
    }
}

fn granted_fence(reply: &Result<Reply, StoreError>) -> Option<u64> {
    match reply {
        Ok(Reply::Lock(LockReply::Acquired { fence, fresh: true })) => Some(fence.0),
        Ok(_) | Err(_) => None,
    }
}
