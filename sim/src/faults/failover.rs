//! A replica takes over without the last acknowledged writes.

use super::Fault;
use crate::{
    decide::{Chance, Site},
    history::Client,
    words::{pick, request, span},
    world::{Step, Watch},
};
use leasehold_fake_redis::{Keyspace, Redis};

/// How far the replica is behind when it takes over.
const BEHIND: [u64; 5] = [0, 0, 20_000, 150_000, 450_000];

/// How long nobody answers. Fences stay in order while the servers' clocks agree better than this.
const ELECTION: u64 = 60_000;

/// How much longer than usual a write takes to a replica that acknowledges.
const STALLS: [u64; 4] = [0, 50_000, 200_000, 450_000];

/// The actors of decisions that are about such a replica, and not about a client's request.
const REPLICA: u8 = 0x40;

/// The actors of decisions about which of them takes over, at a client's request.
const PROMOTION: u8 = 0x20;

impl<C: Chance, W: Watch> Step<'_, C, W> {
    /// Whether the server dies right after it has acknowledged request `call` of `client`, so that
    /// a replica takes over.
    #[inline]
    pub(crate) fn fail_over(&mut self, client: Client, call: u32) {
        let server = &self.core.servers[0];
        if self.core.now < server.electing_until {
            return;
        }
        if server.copies.is_some() {
            self.promote(client, call);
        } else if server.replica.is_some() {
            self.fall_back(client, call);
        }
    }

    /// To a replica of which nobody knew how far it was behind.
    fn fall_back(&mut self, client: Client, call: u32) {
        let choice = self.strikes(Fault::Failover, client, call, BEHIND.len() as u32);
        if choice == 0 {
            return;
        }
        let now = self.core.now;
        let behind = self.lasts(Fault::Failover, client, call, BEHIND[choice as usize]);
        let Some(replica) = &mut self.core.servers[0].replica else { return };
        replica.catch_up((now + 1).saturating_sub(behind));
        let lost = replica.forget_pending();
        let keyspace = replica.keyspace.clone();
        self.start_over(keyspace, lost, choice, call);
    }

    /// To one of the replicas that acknowledge: the first choice is the one that has the most, the
    /// second the other.
    fn promote(&mut self, client: Client, call: u32) {
        let choices = if self.promotes_any() { 3 } else { 2 };
        let choice = self.strikes(Fault::Failover, client | PROMOTION, call, choices);
        if choice == 0 {
            return;
        }
        let now = self.core.now;
        let Some(copies) = &mut self.core.servers[0].copies else { return };
        let (keyspace, lost) = copies.take_over(now, choice == 2, now + ELECTION);
        self.start_over(keyspace, lost, choice + BEHIND.len() as u32 - 1, call);
    }

    /// A server begins with what a replica had.
    fn start_over(&mut self, keyspace: Keyspace, lost: usize, choice: u32, call: u32) {
        let until = self.core.now + ELECTION;
        let server = &mut self.core.servers[0];
        server.redis = Redis::default();
        server.redis.keyspace = keyspace;
        server.redis.keyspace.watch_changes(true);
        server.electing_until = until;
        self.struck(Fault::Failover, None, choice, until);
        if lost > 0 {
            self.bit(Fault::Failover, None, call);
        }
        self.look(false);
    }

    /// How much later than usual a replica that acknowledges gets the how-manieth write.
    pub(crate) fn stalls(&mut self, replica: u8, write: u32) -> u64 {
        let actor = REPLICA | replica;
        let choice = self.strikes(Fault::Failover, actor, write, STALLS.len() as u32);
        match choice {
            0 => 0,
            _ => self.lasts(Fault::Failover, actor, write, STALLS[choice as usize]),
        }
    }
}

pub(crate) fn describe(site: Site, choice: u32) -> String {
    if site.actor & REPLICA != 0 {
        let (replica, write) = (site.actor & !REPLICA, site.occurrence);
        let later = span(pick(&STALLS, choice));
        return format!("replica {} gets write {write} {later} later than usual", replica + 1);
    }
    if site.actor & PROMOTION != 0 {
        let site = Site { actor: site.actor & !PROMOTION, ..site };
        let strike = strike("", choice + BEHIND.len() as u32 - 1);
        return format!("right after it has acknowledged {}, {strike}", request(site));
    }
    format!("right after it has acknowledged {}, {}", request(site), strike("", choice))
}

pub(crate) fn strike(_who: &str, choice: u32) -> String {
    let which = match choice.checked_sub(BEHIND.len() as u32) {
        None => "",
        Some(0) => "the server dies, and the replica that has the most takes over",
        Some(_) => "the server dies, and the replica that has less takes over",
    };
    if !which.is_empty() {
        return which.into();
    }
    let behind = match pick(&BEHIND, choice) {
        0 => "up to date".into(),
        behind => format!("{} behind", span(behind)),
    };
    format!("the server dies, and a replica takes over that is {behind}")
}

pub(crate) fn bite(_who: &str, _call: u32) -> Option<String> {
    Some("what the replica had not seen is gone, although it was acknowledged".into())
}
