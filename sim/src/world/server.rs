//! The server: a fake Redis with a wall clock of its own, and a replica that lags behind it.

use leasehold_core::{
    Command, Reply, StoreError,
    debounce::{DebounceCommand, DebounceReply},
    lock::{LockCommand, LockReply},
};

use super::{Body, Message, Plan, Request, Response, Step, Topology, Watch, copies::Copies};
use crate::{
    cluster,
    decide::Chance,
    history::{Act, CallId, Client, DebounceEvent, Event, TokenId},
    mutants,
    redis::{Redis, Replica, Resp},
    subjects::Workload,
};

/// The Unix time at the start of a run, in microseconds: 2026-01-01.
const EPOCH: u64 = 1_767_225_600_000_000;

/// The most servers that there are.
pub(crate) const SERVERS: usize = 3;

/// By how much the clocks of several servers are off, as they are in practice.
const SKEWS: [i64; SERVERS] = [0, 3_000, -2_000];

/// A replica is never further behind than this.
pub(crate) const LAG_MAX: u64 = 500_000;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Server {
    pub(crate) redis: Redis,
    /// How far the wall clock is off true time when nothing is wrong with it,
    skew_us: i64,
    /// and how much more it is now.
    pub(crate) clock_offset_us: i64,
    /// Until when requests are refused, since a replica is taking over or the server stays away.
    pub(crate) electing_until: u64,
    /// Until when its memory is full.
    pub(crate) full_until: u64,
    /// What the replica is certain to have, if there is one.
    pub(crate) replica: Option<Replica>,
    /// The replicas that acknowledge writes, if there are any.
    pub(crate) copies: Option<Copies>,
    /// The fences of the last claim and of the last success that were told: a copy is no news.
    claimed: u64,
    settled: u64,
    /// The lock's key as it was last told.
    pub(super) seen: Option<(TokenId, u64)>,
}

impl Server {
    /// The servers of `plan`.
    pub(super) fn all(plan: &Plan) -> Vec<Self> {
        match plan.topology {
            Topology::Single | Topology::Replicated | Topology::Acknowledged(_) => {
                vec![Self::new(plan, 0)]
            }
            Topology::Independent => {
                let skews = SKEWS.iter().take(plan.servers.into());
                skews.map(|&skew_us| Self::new(plan, skew_us)).collect()
            }
        }
    }

    fn new(plan: &Plan, skew_us: i64) -> Self {
        let mut redis = Redis::default();
        let replica = (plan.topology == Topology::Replicated).then(Replica::default);
        let copies = Self::copies_of(plan.topology);
        redis.keyspace.watch_changes(replica.is_some() || copies.is_some());
        Self {
            redis,
            skew_us,
            clock_offset_us: 0,
            electing_until: 0,
            full_until: 0,
            replica,
            copies,
            claimed: 0,
            settled: 0,
            seen: None,
        }
    }

    /// The true time at which a key that expires at `wall_ms` is gone, if the clock does not jump:
    /// once the clock is past it.
    pub(super) fn truth(&self, wall_ms: u64) -> u64 {
        let offset = self.skew_us + self.clock_offset_us;
        ((wall_ms + 1) * 1_000).saturating_add_signed(-offset).saturating_sub(EPOCH)
    }

    /// The wall clock at true time `at`.
    #[inline]
    pub(crate) fn wall(&self, at: u64) -> u64 {
        (EPOCH + at).saturating_add_signed(self.skew_us + self.clock_offset_us)
    }
}

impl<C: Chance, W: Watch> Step<'_, C, W> {
    /// The faults that strike a server when a request arrives. Whether it is in no state to answer.
    pub(super) fn disturb_server(&mut self, message: &Message) -> bool {
        // What is sent again has the address of the first, at which all of this was asked.
        if !message.resent {
            self.jump_clock(message);
            self.restart(message);
            self.fill_memory(message);
        }
        self.core.now < self.core.servers[usize::from(message.node)].electing_until
    }

    /// Applies a request, and tells what it did to the lock.
    pub(super) fn apply(&mut self, message: &Message) -> Response {
        let Body::Request(request) = &message.body else {
            unreachable!("only requests are sent to servers");
        };
        let node = usize::from(message.node);
        self.core.applied_at[node] = self.core.now;
        let wall = self.core.servers[node].wall(self.core.now);
        // What expired since the last look is not this request's doing.
        if self.key_has_expired() {
            self.look(false);
        }
        let (client, call) = (message.client, message.call);
        let copy = message.copy.max(message.resent.into());
        if message.copy == 0 {
            self.connect(client);
        }
        let (act, behalf, lease) = (message.act, message.behalf, asked_lease(request));
        self.tell(Event::Applied { client, call, copy, act, behalf, lease });
        self.look_at_memory(node);
        let had_key = act == Act::Release && self.has_key(message.node, behalf);
        let (response, fence) = match request {
            Request::Ours(command) => {
                let (server, plan) = (&mut self.core.servers[node], &self.core.plan);
                let (redis, replica) = (&mut server.redis, server.replica.as_ref());
                let faulty = plan
                    .mutant
                    .and_then(|mutant| mutants::serve(mutant, redis, replica, wall, command));
                let reply = faulty.unwrap_or_else(|| redis.apply(wall, command, plan.engine));
                if let (Command::Debounce(command), Ok(Reply::Debounce(reply))) = (command, &reply)
                {
                    self.tell_debounced(client, command, reply);
                }
                let fence = granted_fence(&reply);
                (Response::Ours(reply), fence)
            }
            Request::Upstream(command) => {
                let value = command.apply(&mut self.core.servers[node].redis, wall);
                if let Some(event) = command.debounced(client, self.core.now, &value) {
                    self.tell(Event::Debounce(event));
                }
                let fence = (act == Act::Acquire && value == Resp::OK).then_some(0);
                (Response::Upstream(value), fence)
            }
            Request::Remote => {
                cluster::arrive(client, call, self.core.now);
                (Response::Remote, None)
            }
        };
        self.was_refused_memory(message);
        if had_key {
            self.had_key(message.node, behalf);
        }
        if act != Act::Other {
            self.look(true);
        }
        if let (Some(fence), Some(token)) = (fence, behalf)
            && self.core.plan.topology != Topology::Independent
        {
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
            (_, DebounceReply::Claimed { fence, .. })
                if fence.0 == self.core.servers[0].claimed =>
            {
                None
            }
            (_, DebounceReply::Claimed { args, fence, remaining_ms, .. }) => {
                self.core.servers[0].claimed = fence.0;
                let until = self.core.now + remaining_ms * 1_000;
                let claimed = |call| DebounceEvent::Claimed { client, call, fence: fence.0, until };
                CallId::from_args(args).map(claimed)
            }
            (DebounceCommand::Finish { fence, .. }, DebounceReply::Finished)
                if fence.0 > self.core.servers[0].settled =>
            {
                self.core.servers[0].settled = fence.0;
                Some(DebounceEvent::Settled { client, fence: fence.0 })
            }
            (_, DebounceReply::Rearmed { .. }) => Some(DebounceEvent::Rearmed { client }),
            // Also if nothing waits: a run under way is then not repeated.
            (_, DebounceReply::Cancelled { .. }) => Some(DebounceEvent::Cancelled),
            _ => None,
        };
        if let Some(event) = event {
            self.tell(Event::Debounce(event));
        }
    }

    /// Tells how many keys would stay for ever.
    pub(super) fn count_immortal_keys(&mut self) {
        if self.core.plan.workload == Workload::Debounce {
            let keys = self.core.servers[0].redis.keyspace.iter();
            let keys = keys.filter(|(_, entry)| entry.expires_at_ms.is_none()).count() as u32;
            self.tell(Event::Debounce(DebounceEvent::Immortal { keys }));
        }
    }

    /// Hands what was written to the replica, which is certain to have it after [`LAG_MAX`].
    fn replicate(&mut self) {
        let now = self.core.now;
        let server = &mut self.core.servers[0];
        if server.copies.is_some() {
            let changes = server.redis.keyspace.take_changes();
            return self.copy_out(changes);
        }
        let Some(replica) = &mut server.replica else { return };
        let changes = server.redis.keyspace.take_changes();
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
