//! The server: a fake Redis with a wall clock of its own, and a replica that lags behind it.

use leasehold_fake_redis::{Redis, Replica};

use super::{
    Body, Faults, Message, Observer, Settings, Step, System, Topology, Transit, copies::Copies,
};
use crate::decide::DecisionSource;

/// The Unix time at the start of a run, in microseconds: 2026-01-01.
const EPOCH: u64 = 1_767_225_600_000_000;

/// The most servers that there are.
pub(crate) const SERVERS: usize = 5;

/// By how much the clocks of several servers are off, as they are in practice.
const SKEWS: [i64; SERVERS] = [0, 3_000, -2_000, 1_000, -3_000];

/// A replica is never further behind than this.
pub(crate) const LAG_MAX: u64 = 500_000;

/// A server of the world.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Server {
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
}

impl Server {
    /// The servers of a world.
    pub(super) fn all(settings: &Settings) -> Vec<Self> {
        match settings.topology {
            Topology::Single | Topology::Replicated | Topology::Acknowledged(_) => {
                vec![Self::new(settings, 0)]
            }
            Topology::Independent => {
                let skews = SKEWS.iter().take(settings.servers.into());
                skews.map(|&skew_us| Self::new(settings, skew_us)).collect()
            }
        }
    }

    fn new(settings: &Settings, skew_us: i64) -> Self {
        let mut redis = Redis::default();
        let replica = (settings.topology == Topology::Replicated).then(Replica::default);
        let copies = Self::copies_of(settings.topology);
        redis.keyspace.watch_changes(replica.is_some() || copies.is_some());
        Self {
            redis,
            skew_us,
            clock_offset_us: 0,
            electing_until: 0,
            full_until: 0,
            replica,
            copies,
        }
    }

    /// The true time at which a key that expires at `wall_ms` is gone, if the clock does not jump:
    /// once the clock is past it.
    pub(crate) fn truth(&self, wall_ms: u64) -> u64 {
        let offset = self.skew_us + self.clock_offset_us;
        ((wall_ms + 1) * 1_000).saturating_add_signed(-offset).saturating_sub(EPOCH)
    }

    /// The wall clock at true time `at`.
    #[inline]
    pub(crate) fn wall(&self, at: u64) -> u64 {
        (EPOCH + at).saturating_add_signed(self.skew_us + self.clock_offset_us)
    }
}

impl<S: System, C: DecisionSource, W: Observer> Step<'_, S, C, W> {
    /// Server number `node`.
    #[inline]
    pub fn server(&mut self, node: u8) -> &mut Server {
        &mut self.core.servers[usize::from(node)]
    }

    /// Whether server number `node` is in no state to answer.
    #[inline]
    pub(super) fn is_electing(&self, node: u8) -> bool {
        self.core.now < self.core.servers[usize::from(node)].electing_until
    }

    /// Whether server number `node` has applied a request at this very instant.
    #[inline]
    pub(crate) fn has_just_applied(&self, node: u8) -> bool {
        self.core.applied_at[usize::from(node)] == self.core.now
    }

    /// Sets the wall clocks of all servers right, and says whether one was wrong.
    pub(crate) fn set_server_clocks_right(&mut self) -> bool {
        let mut wrong = false;
        for server in &mut self.core.servers {
            wrong |= std::mem::take(&mut server.clock_offset_us) != 0;
        }
        wrong
    }

    /// Applies a request.
    pub(super) fn apply(&mut self, message: &Message<S>) -> S::Response {
        let Body::Request(request) = &message.body else {
            unreachable!("only requests are sent to servers");
        };
        debug_assert!(
            S::is_remote(request) || !self.is_electing(message.node),
            "a server without a primary applies nothing"
        );
        self.core.applied_at[usize::from(message.node)] = self.core.now;
        if message.copy == 0 {
            self.connect(message.client);
        }
        S::Faults::applying(self, message);
        let response = S::apply(self, message, request);
        S::Faults::applied(self, message);
        self.replicate();
        response
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
        let any = !changes.is_empty();
        replica.note(now, changes);
        replica.catch_up(now.saturating_sub(LAG_MAX));
        if any {
            self.transit(Transit::Replicated { replica: 0, due: None });
        }
    }
}
