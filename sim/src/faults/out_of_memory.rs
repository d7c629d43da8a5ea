//! A server is at its limit of memory, and refuses what may need more.

use super::Fault;
use crate::{
    decide::{Address, DecisionSource},
    words::{pick, request, span},
    world::{Faults, Message, Observer, Step, System},
};
use leasehold_fake_redis::Memory;

/// From a moment to longer than a lease.
const LENGTHS: [u64; 4] = [0, 100_000, 400_000, 1_500_000];

/// The fault that the head of this file describes.
#[derive(Clone, Copy, Debug)]
pub(super) enum OutOfMemory {}

impl<S: System> Faults<S> for OutOfMemory {
    fn reaching<C: DecisionSource, W: Observer>(
        step: &mut Step<'_, S, C, W>,
        message: &Message<S>,
    ) {
        let Message { client, node, call, .. } = *message;
        let choice = step.injects(Fault::OutOfMemory, client, call, LENGTHS.len() as u32);
        if choice == 0 {
            return;
        }
        let length = step.lasts(Fault::OutOfMemory, client, call, LENGTHS[choice as usize]);
        let until = (step.now() + length).min(step.settings().faults_end);
        step.server(node).full_until = until;
        step.injected(Fault::OutOfMemory, None, choice, until);
    }

    #[inline]
    fn applying<C: DecisionSource, W: Observer>(
        step: &mut Step<'_, S, C, W>,
        message: &Message<S>,
    ) {
        let (now, server) = (step.now(), step.server(message.node));
        if now < server.full_until {
            server.redis.memory = Memory::Full;
        }
    }

    #[inline]
    fn applied<C: DecisionSource, W: Observer>(step: &mut Step<'_, S, C, W>, message: &Message<S>) {
        let redis = &mut step.server(message.node).redis;
        if std::mem::take(&mut redis.memory) == Memory::Refused {
            step.took_effect(Fault::OutOfMemory, Some(message.client), message.call);
        }
    }
}

pub(crate) fn describe(address: Address, choice: u32) -> String {
    format!("as {} arrives, {}", request(address), injection("", choice))
}

pub(crate) fn injection(_who: &str, choice: u32) -> String {
    format!("the server's memory is full for {}", span(pick(&LENGTHS, choice)))
}

pub(crate) fn effect(who: &str, call: u32) -> Option<String> {
    Some(format!("request {call} of {who} would write, but there is no memory"))
}
