//! Notifications of releases, for the plans in which clients wait for them: they may be lost or late,
//! and none is about nothing.

use super::{Faults, NOTIFICATION, Observer, SERVERS, Step, System, What};
use crate::{decide::DecisionSource, history::Client};

/// How a client watches for releases.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Subscription {
    /// From when on each server tells it of releases.
    since: [Option<u64>; SERVERS],
    /// Whether it does not know yet that a server does.
    asked: bool,
    /// Whether a hint has come that it has not looked at.
    notified: bool,
}

impl Subscription {
    fn is_watching(&self) -> bool {
        self.since.iter().any(Option::is_some)
    }
}

impl<S: System, C: DecisionSource, W: Observer> Step<'_, S, C, W> {
    /// The client asks server number `node` to tell it of releases. This request always arrives: it is no
    /// message of its own, which would be one more for each fault to hit.
    pub(crate) fn subscribe(&mut self, client: Client, node: u8) {
        let since = Some(self.core.now + self.core.plan.settings.latency);
        let subscription = &mut self.host(client).subscription;
        subscription.since[usize::from(node)] = since;
        (subscription.asked, subscription.notified) = (true, false);
    }

    /// Whether the client's watch has just come into place.
    pub(crate) fn is_newly_subscribed(&mut self, client: Client) -> bool {
        std::mem::take(&mut self.host(client).subscription.asked)
    }

    /// A hint came for the client. Whether it sleeps, so that the hint wakes it: else it is kept.
    pub(crate) fn keep_notification(&mut self, client: Client) -> bool {
        let host = self.host(client);
        let sleeps = !host.subscription.asked && host.awaited() == 0;
        let watches = host.subscription.is_watching();
        host.subscription.notified = watches && !sleeps;
        watches && sleeps
    }

    /// Whether a hint has come that was not looked at; now it is.
    pub(crate) fn takes_notification(&mut self, client: Client) -> bool {
        std::mem::take(&mut self.host(client).subscription.notified)
    }

    /// The client waits no more.
    pub(crate) fn unsubscribe(&mut self, client: Client) {
        self.host(client).subscription = Subscription::default();
    }

    /// The client is told of nothing more by server number `node`.
    pub(crate) fn unsubscribe_from(&mut self, client: Client, node: u8) {
        self.host(client).subscription.since[usize::from(node)] = None;
        if !self.host(client).subscription.is_watching() {
            self.unsubscribe(client);
        }
    }

    /// Server number `node` has started over, and does not know any more whom to tell. Nobody learns
    /// of it.
    pub(crate) fn forget_subscriptions(&mut self, node: u8) {
        for host in &mut self.core.hosts {
            host.subscription.since[usize::from(node)] = None;
        }
    }

    /// The lock was released at server number `node`: whoever watches is told.
    pub(crate) fn notify_release(&mut self, node: u8) {
        let now = self.core.now;
        for client in 0..self.core.plan.settings.clients {
            let since = self.host(client).subscription.since[usize::from(node)];
            if since.is_some_and(|since| since <= now) {
                self.notify(client, node, u32::from(node));
            }
        }
    }

    /// Server number `node` tells `client`, whose `subscription` it is, over a connection of its own.
    /// Nothing repeats what is lost there.
    pub(crate) fn notify(&mut self, client: Client, node: u8, subscription: u32) {
        let host = self.host(client);
        host.notifications += 1;
        let number = host.notifications;
        let late = S::Faults::delay(self, client | NOTIFICATION, number);
        if !S::Faults::loses_notification(self, client, node, number) {
            let due = self.core.now + self.core.plan.settings.latency + late;
            self.core.queue.push(due, What::Hint { client, subscription });
        }
    }

    /// A hint reaches its client: whether it is looked at now, and not once the process goes on.
    pub(super) fn receives_notification(&mut self, client: Client, subscription: u32) -> bool {
        let until = self.host(client).paused_until;
        let stands_still = until > self.core.now;
        if stands_still {
            self.core.queue.push(until, What::Hint { client, subscription });
        }
        !stands_still
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        decide::Replay,
        world::{World, idle::Idle},
    };

    #[test]
    fn a_server_that_starts_over_forgets_whom_to_tell_and_the_others_do_not() {
        let mut world = World::new(Idle::plan(2));
        let calm = crate::decide::Decisions::new();
        let mut source = Replay::of(&calm);
        let mut step = Step { core: &mut world.core, source: &mut source, observer: &mut () };
        let told = |step: &mut Step<'_, Idle, Replay<'_>, ()>, node| {
            step.core.now += 10_000;
            let before = step.host(1).notifications;
            step.notify_release(node);
            step.host(1).notifications > before
        };
        step.subscribe(1, 0);
        step.subscribe(1, 1);
        assert!(told(&mut step, 0) && told(&mut step, 1) && !told(&mut step, 2));
        step.forget_subscriptions(0);
        assert!(!told(&mut step, 0) && told(&mut step, 1));
        step.unsubscribe_from(1, 1);
        assert!(!told(&mut step, 1));
    }
}
