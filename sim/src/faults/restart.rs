//! The server restarts without its data.

use super::Fault;
use crate::{
    decide::{Address, DecisionSource},
    words::request,
    world::{Disturbed, Faults, Message, Observer, Step, System},
};
use leasehold_fake_redis::{Keyspace, Redis, Replica};

/// The fault that the head of this file describes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Restart {}

impl<S: System> Faults<S> for Restart {
    fn reaching<C: DecisionSource, W: Observer>(
        step: &mut Step<'_, S, C, W>,
        message: &Message<S>,
    ) {
        let Message { client, node, call, .. } = *message;
        // However fast, it takes longer than an instant: else two lives of the server could make
        // one fence.
        if step.has_just_applied(node) || step.injects(Fault::Restart, client, call, 2) == 0 {
            return;
        }
        let (now, absence) = (step.now(), step.settings().absence);
        let server = step.server(node);
        let lost = server.redis.keyspace.len();
        server.redis = Redis::default();
        if let Some(replica) = &mut server.replica {
            // A replica follows its primary, also into nothing.
            *replica = Replica::default();
            server.redis.keyspace.watch_changes(true);
        }
        if let Some(copies) = &mut server.copies {
            copies.follow(&Keyspace::default(), now);
            server.redis.keyspace.watch_changes(true);
        }
        if absence > 0 {
            server.electing_until = server.electing_until.max(now + absence);
        }
        step.injected(Fault::Restart, None, 1, now);
        if lost > 0 {
            step.took_effect(Fault::Restart, None, call);
        }
        step.forget_subscriptions(node);
        S::disturbed(step, Disturbed::Connections { node });
        S::disturbed(step, Disturbed::Data);
    }
}

pub(crate) fn describe(address: Address, choice: u32) -> String {
    format!("as {} arrives, {}", request(address), injection("", choice))
}

pub(crate) fn injection(_who: &str, _choice: u32) -> String {
    "the server restarts without its data".into()
}

pub(crate) fn effect(_who: &str, _call: u32) -> Option<String> {
    None
}
