//! What of a world decides its future, as a fingerprint to tell states apart.

use std::hash::{Hash, Hasher};

use super::{Core, Message, Queue, System, What, World};
use crate::decide::Fault;

impl<S: System> World<S> {
    /// Feeds to `hasher` all that the rest of the run depends on, but the plan.
    ///
    /// What only counts (messages, effects, the numbers by which decisions are addressed) is left
    /// out: two worlds that differ in nothing else offer the same choices with the same results,
    /// under other addresses.
    pub(crate) fn fingerprint(&self, hasher: &mut impl Hasher) {
        self.programs.hash(hasher);
        self.core.fingerprint(hasher);
    }
}

impl<S: System> Core<S> {
    fn fingerprint(&self, hasher: &mut impl Hasher) {
        (self.now, self.healed, self.resource_fence).hash(hasher);
        let by_steps = self.plan.settings.faults.contains(Fault::ClientClock);
        for host in &self.hosts {
            (host.clock, host.awaited(), host.paused_until, host.life, host.links).hash(hasher);
            host.subscription.hash(hasher);
            if by_steps {
                // The wall clock may jump at every so-manieth step.
                host.steps.hash(hasher);
            }
        }
        self.alarms.hash(hasher);
        self.servers.hash(hasher);
        if self.plan.settings.faults.contains(Fault::Restart) {
            // It may not hit a server that has answered at this very instant.
            self.applied_at.map(|at| at == self.now).hash(hasher);
        }
        self.shared.hash(hasher);
        self.queue.fingerprint(self, hasher);
    }

    /// Whether the client still waits for the answer to this message.
    fn is_awaited(&self, message: &Message<S>) -> bool {
        self.hosts[usize::from(message.client)].awaits(message.call)
    }
}

impl<S: System> Queue<S> {
    fn fingerprint(&self, core: &Core<S>, hasher: &mut impl Hasher) {
        for entry in self.entries() {
            entry.due.hash(hasher);
            std::mem::discriminant(&entry.what).hash(hasher);
            match &entry.what {
                What::Request(message) | What::Reply(message) | What::Waited(message) => {
                    // A call that is not awaited now never will be. What is held back is a copy like any.
                    let Message { client, node, life, copy, resent, body, .. } = &**message;
                    let awaited = core.is_awaited(message);
                    (client, node, life, copy, resent, body, awaited).hash(hasher);
                }
                What::Cancel { client, awaiting } => {
                    let in_time = core.hosts[usize::from(*client)].awaits_number == *awaiting;
                    (client, in_time).hash(hasher);
                }
                What::Write { client, write } => (client, write).hash(hasher),
                What::Hint { client, subscription } => (client, subscription).hash(hasher),
                What::Heal | What::End => {}
            }
        }
    }
}
