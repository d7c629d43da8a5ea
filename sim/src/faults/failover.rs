//! A replica takes over without the last acknowledged writes.

use super::Fault;
use crate::{
    decide::{Address, DecisionSource},
    history::Client,
    words::{pick, request, span},
    world::{Disturbed, Faults, Message, Observer, Step, System, Transit},
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

/// The fault that the head of this file describes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Failover {}

impl<S: System> Faults<S> for Failover {
    /// Whether the server dies right after it has acknowledged a request, so that a replica takes
    /// over.
    #[inline]
    fn answering<C: DecisionSource, W: Observer>(
        step: &mut Step<'_, S, C, W>,
        message: &Message<S>,
    ) {
        let (now, server) = (step.now(), step.server(0));
        if now < server.electing_until {
            return;
        }
        if server.copies.is_some() {
            promote(step, message.client, message.call);
        } else if server.replica.is_some() {
            fall_back(step, message.client, message.call);
        }
    }

    fn replicating<C: DecisionSource, W: Observer>(
        step: &mut Step<'_, S, C, W>,
        replica: u8,
        write: u32,
    ) -> u64 {
        let actor = REPLICA | replica;
        let choice = step.injects(Fault::Failover, actor, write, STALLS.len() as u32);
        match choice {
            0 => 0,
            _ => step.lasts(Fault::Failover, actor, write, STALLS[choice as usize]),
        }
    }
}

/// A replica takes over of which nobody knew how far it was behind.
fn fall_back<S: System, C: DecisionSource, W: Observer>(
    step: &mut Step<'_, S, C, W>,
    client: Client,
    call: u32,
) {
    let choice = step.injects(Fault::Failover, client, call, BEHIND.len() as u32);
    if choice == 0 {
        return;
    }
    let now = step.now();
    let behind = step.lasts(Fault::Failover, client, call, BEHIND[choice as usize]);
    let Some(replica) = &mut step.server(0).replica else { return };
    replica.catch_up((now + 1).saturating_sub(behind));
    let lost = replica.forget_pending();
    let keyspace = replica.keyspace.clone();
    took_over(step, 0, (now + 1).saturating_sub(behind));
    start_over(step, keyspace, lost, choice, call);
}

/// One of the replicas that acknowledge takes over: the first choice is the one that has the most,
/// the second the other.
fn promote<S: System, C: DecisionSource, W: Observer>(
    step: &mut Step<'_, S, C, W>,
    client: Client,
    call: u32,
) {
    let choices = if step.promotes_any() { 3 } else { 2 };
    let choice = step.injects(Fault::Failover, client | PROMOTION, call, choices);
    if choice == 0 {
        return;
    }
    let now = step.now();
    let Some(copies) = &mut step.server(0).copies else { return };
    let (chosen, keyspace, lost) = copies.take_over(now, choice == 2, now + ELECTION);
    took_over(step, chosen as u8, now + 1);
    start_over(step, keyspace, lost, choice + BEHIND.len() as u32 - 1, call);
}

/// Tells which replica takes over, and that it has what reached it before.
fn took_over<S: System, C: DecisionSource, W: Observer>(
    step: &mut Step<'_, S, C, W>,
    replica: u8,
    has_until: u64,
) {
    let up_at = step.now() + ELECTION;
    step.transit(Transit::TookOver { replica, has_until, up_at });
}

/// A server begins with what a replica had.
fn start_over<S: System, C: DecisionSource, W: Observer>(
    step: &mut Step<'_, S, C, W>,
    keyspace: Keyspace,
    lost: usize,
    choice: u32,
    call: u32,
) {
    let until = step.now() + ELECTION;
    let server = step.server(0);
    server.redis = Redis::default();
    server.redis.keyspace = keyspace;
    server.redis.keyspace.watch_changes(true);
    server.electing_until = until;
    step.injected(Fault::Failover, None, choice, until);
    if lost > 0 {
        step.took_effect(Fault::Failover, None, call);
    }
    step.forget_subscriptions(0);
    S::disturbed(step, Disturbed::Connections { node: 0 });
    S::disturbed(step, Disturbed::Data);
}

pub(crate) fn describe(address: Address, choice: u32) -> String {
    if address.actor & REPLICA != 0 {
        let (replica, write) = (address.actor & !REPLICA, address.occurrence);
        let later = span(pick(&STALLS, choice));
        return format!("replica {} gets write {write} {later} later than usual", replica + 1);
    }
    if address.actor & PROMOTION != 0 {
        let address = Address { actor: address.actor & !PROMOTION, ..address };
        let injection = injection("", choice + BEHIND.len() as u32 - 1);
        return format!("right after it has acknowledged {}, {injection}", request(address));
    }
    format!("right after it has acknowledged {}, {}", request(address), injection("", choice))
}

pub(crate) fn injection(_who: &str, choice: u32) -> String {
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

pub(crate) fn effect(_who: &str, _call: u32) -> Option<String> {
    Some("what the replica had not seen is gone, although it was acknowledged".into())
}
