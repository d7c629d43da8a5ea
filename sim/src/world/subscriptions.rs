//! Notifications of releases, for the plans in which clients wait for them: they may be lost or late,
//! and none is about nothing.

use super::{Faults, NOTIFICATION, Observer, Step, System, What};
use crate::{decide::DecisionSource, history::Client};

/// How a client watches for releases.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Subscription {
    /// From when on the server tells it of releases.
    since: Option<u64>,
    /// Whether it does not know yet that the server does.
    asked: bool,
    /// Whether a hint has come that it has not looked at.
    notified: bool,
}

impl<S: System, C: DecisionSource, W: Observer> Step<'_, S, C, W> {
    /// The client asks the server to tell it of releases.
    pub(crate) fn subscribe(&mut self, client: Client) {
        let since = Some(self.core.now + self.core.plan.settings.latency);
        self.host(client).subscription = Subscription { since, asked: true, notified: false };
    }

    /// Whether the client's watch has just come into place.
    pub(crate) fn is_newly_subscribed(&mut self, client: Client) -> bool {
        std::mem::take(&mut self.host(client).subscription.asked)
    }

    /// A hint came for the client. Whether it sleeps, so that the hint wakes it: else it is kept.
    pub(crate) fn keep_notification(&mut self, client: Client) -> bool {
        let host = self.host(client);
        let sleeps = !host.subscription.asked && host.awaited() == 0;
        host.subscription.notified = host.subscription.since.is_some() && !sleeps;
        debug_assert!(
            !host.subscription.notified || host.subscription.since.is_some(),
            "only who watches is told"
        );
        host.subscription.since.is_some() && sleeps
    }

    /// Whether a hint has come that was not looked at; now it is.
    pub(crate) fn takes_notification(&mut self, client: Client) -> bool {
        std::mem::take(&mut self.host(client).subscription.notified)
    }

    /// The client waits no more.
    pub(crate) fn unsubscribe(&mut self, client: Client) {
        self.host(client).subscription = Subscription::default();
    }

    /// The server has started over, and does not know any more whom to tell. Nobody learns of it.
    pub(crate) fn forget_subscriptions(&mut self) {
        for host in &mut self.core.hosts {
            host.subscription.since = None;
        }
    }

    /// The lock was released at server number `node`: whoever watches is told.
    pub(crate) fn notify_release(&mut self, node: u8) {
        let now = self.core.now;
        for client in 0..self.core.plan.settings.clients {
            if self.host(client).subscription.since.is_some_and(|since| since <= now) {
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
