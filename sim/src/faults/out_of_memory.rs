//! A server is at its limit of memory, and refuses what may need more.

use super::Fault;
use crate::{
    decide::{Chance, Site},
    redis::Memory,
    report::words::{pick, request, span},
    world::{Message, Step, Watch},
};

/// From a moment to longer than a lease.
const LENGTHS: [u64; 4] = [0, 100_000, 400_000, 1_500_000];

impl<C: Chance, W: Watch> Step<'_, C, W> {
    /// Whether the memory of the server is full from now on at which `message` arrives.
    #[inline]
    pub(crate) fn fill_memory(&mut self, message: &Message) {
        let Message { client, node, call, .. } = *message;
        let choice = self.strikes(Fault::OutOfMemory, client, call, LENGTHS.len() as u32);
        if choice == 0 {
            return;
        }
        let length = self.lasts(Fault::OutOfMemory, client, call, LENGTHS[choice as usize]);
        let until = (self.core.now + length).min(self.core.plan.faults_end);
        self.core.servers[usize::from(node)].full_until = until;
        self.struck(Fault::OutOfMemory, None, choice, until);
    }

    /// A server sees, before a command, whether there is room.
    #[inline]
    pub(crate) fn look_at_memory(&mut self, node: usize) {
        let server = &mut self.core.servers[node];
        if self.core.now < server.full_until {
            server.redis.memory = Memory::Full;
        }
    }

    /// Counts, after the command of `message`, whether it was refused any.
    #[inline]
    pub(crate) fn was_refused_memory(&mut self, message: &Message) {
        let redis = &mut self.core.servers[usize::from(message.node)].redis;
        if std::mem::take(&mut redis.memory) == Memory::Refused {
            self.bit(Fault::OutOfMemory, Some(message.client), message.call);
        }
    }
}

pub(crate) fn describe(site: Site, choice: u32) -> String {
    format!("as {} arrives, {}", request(site), strike("", choice))
}

pub(crate) fn strike(_who: &str, choice: u32) -> String {
    format!("the server's memory is full for {}", span(pick(&LENGTHS, choice)))
}

pub(crate) fn bite(who: &str, call: u32) -> Option<String> {
    Some(format!("request {call} of {who} would write, but there is no memory"))
}
