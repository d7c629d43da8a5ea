//! A replica takes over without the last acknowledged writes.

use super::Fault;
use crate::{
    decide::{Chance, Site},
    history::Client,
    redis::Redis,
    report::words::{pick, request, span},
    world::{Step, Watch},
};

/// How far the replica is behind when it takes over.
const BEHIND: [u64; 5] = [0, 0, 20_000, 150_000, 450_000];

/// How long nobody answers. Fences stay in order while the servers' clocks agree better than this.
const ELECTION: u64 = 60_000;

impl<C: Chance, W: Watch> Step<'_, C, W> {
    /// Whether the server dies right after it has acknowledged request `call` of `client`, so that
    /// the replica takes over.
    #[inline]
    pub(crate) fn fail_over(&mut self, client: Client, call: u32) {
        let server = &self.core.servers[0];
        if server.replica.is_none() || self.core.now < server.electing_until {
            return;
        }
        let choice = self.strikes(Fault::Failover, client, call, BEHIND.len() as u32);
        if choice == 0 {
            return;
        }
        let now = self.core.now;
        let behind = self.lasts(Fault::Failover, client, call, BEHIND[choice as usize]);
        let server = &mut self.core.servers[0];
        let Some(replica) = &mut server.replica else { return };
        let horizon = (now + 1).saturating_sub(behind);
        replica.catch_up(horizon);
        let lost = replica.forget_pending();
        server.redis = Redis::default();
        server.redis.keyspace = replica.keyspace.clone();
        server.redis.keyspace.watch_changes(true);
        server.electing_until = now + ELECTION;
        self.struck(Fault::Failover, None, choice, now + ELECTION);
        if lost > 0 {
            self.bit(Fault::Failover, None, call);
        }
        self.look(false);
    }
}

pub(crate) fn describe(site: Site, choice: u32) -> String {
    format!("right after it has acknowledged {}, {}", request(site), strike("", choice))
}

pub(crate) fn strike(_who: &str, choice: u32) -> String {
    let behind = match pick(&BEHIND, choice) {
        0 => "up to date".into(),
        behind => format!("{} behind", span(behind)),
    };
    format!("the server dies, and a replica takes over that is {behind}")
}

pub(crate) fn bite(_who: &str, _call: u32) -> Option<String> {
    Some("what the replica had not seen is gone, although it was acknowledged".into())
}
