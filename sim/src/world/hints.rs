//! Hints of releases, for the plans in which clients wait for them: none is lost, and none is about
//! nothing.

use super::{Step, System, Watch, What};
use crate::{decide::Chance, history::Client};

/// How a client watches for releases.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Watching {
    /// From when on the server tells it of releases.
    since: Option<u64>,
    /// Whether it does not know yet that the server does.
    asked: bool,
    /// Whether a hint has come that it has not looked at.
    hinted: bool,
}

impl<S: System, C: Chance, W: Watch> Step<'_, S, C, W> {
    /// The client asks the server to tell it of releases.
    pub(crate) fn watch_releases(&mut self, client: Client) {
        let since = Some(self.core.now + self.core.plan.settings.latency);
        self.host(client).watching = Watching { since, asked: true, hinted: false };
    }

    /// Whether the client's watch has just come into place.
    pub(crate) fn begins_to_watch(&mut self, client: Client) -> bool {
        std::mem::take(&mut self.host(client).watching.asked)
    }

    /// A hint came for the client. Whether it sleeps, so that the hint wakes it: else it is kept.
    pub(crate) fn keep_hint(&mut self, client: Client) -> bool {
        let host = self.host(client);
        let sleeps = !host.watching.asked && host.awaited() == 0;
        host.watching.hinted = host.watching.since.is_some() && !sleeps;
        host.watching.since.is_some() && sleeps
    }

    /// Whether a hint has come that was not looked at; now it is.
    pub(crate) fn takes_hint(&mut self, client: Client) -> bool {
        std::mem::take(&mut self.host(client).watching.hinted)
    }

    /// The client waits no more.
    pub(crate) fn stop_watching(&mut self, client: Client) {
        self.host(client).watching = Watching::default();
    }

    /// The lock was released: whoever watches is told.
    pub(crate) fn hint_release(&mut self) {
        let (now, due) = (self.core.now, self.core.now + self.core.plan.settings.latency);
        for client in 0..self.core.plan.settings.clients {
            if self.host(client).watching.since.is_some_and(|since| since <= now) {
                self.core.queue.push(due, What::Hint { client });
            }
        }
    }
}
