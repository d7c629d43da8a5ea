//! The machine that a client's program runs on: its clock, its alarms, its one call under way.

use leasehold_core::Instant;

use super::{ClientClock, Step};
use crate::{decide::Chance, history::Client, world::Watch};

/// What a client can be woken by, beside replies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub(crate) enum Alarm {
    /// A sleep or a give-up time of its machine.
    Machine,
    /// The client's own work, and the end of its lease.
    Work,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Host {
    pub(crate) clock: ClientClock,
    /// How many requests were sent.
    pub(crate) calls: u32,
    /// Whether the last of them is still awaited.
    pub(crate) awaiting: bool,
    /// How many times something was awaited.
    pub(crate) awaits_number: u32,
    /// How many steps were taken.
    pub(crate) steps: u32,
    /// How many writes were sent to the resource.
    pub(crate) writes: u32,
    /// How many times it was the first of several whose events were due at the same instant.
    pub(crate) ties: u32,
    pub(crate) paused_until: u64,
    /// How many times the process was started anew.
    pub(crate) life: u8,
    pub(crate) link: Link,
}

/// A client's link, while it is cut.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Link {
    pub(crate) requests_cut_until: u64,
    pub(crate) replies_cut_until: u64,
}

impl Host {
    #[inline]
    pub(crate) fn awaits(&self, call: u32) -> bool {
        self.awaiting && self.calls == call
    }
}

impl<C: Chance, W: Watch> Step<'_, C, W> {
    pub(crate) fn host(&mut self, client: Client) -> &mut Host {
        &mut self.core.hosts[usize::from(client)]
    }

    /// What the client's clock shows.
    #[inline]
    pub(crate) fn local(&self, client: Client) -> Instant {
        let clock = self.core.hosts[usize::from(client)].clock;
        if self.core.plan.reads_wall_clock {
            clock.wall(self.core.now)
        } else {
            clock.local(self.core.now)
        }
    }

    /// The true time at which the client's clock shows `local`.
    #[inline]
    pub(crate) fn truth(&self, client: Client, local: Instant) -> u64 {
        let clock = self.core.hosts[usize::from(client)].clock;
        if self.core.plan.reads_wall_clock {
            clock.truth_of_wall(local)
        } else {
            clock.truth(local)
        }
    }

    /// Sets an alarm for a local time; one that has passed rings at once.
    #[inline]
    pub(crate) fn set_alarm(&mut self, client: Client, alarm: Alarm, local: Instant) {
        let at = self.truth(client, local).max(self.core.now);
        self.core.alarms[usize::from(client)][alarm as usize] = at;
    }

    #[inline]
    pub(crate) fn clear_alarm(&mut self, client: Client, alarm: Alarm) {
        self.core.alarms[usize::from(client)][alarm as usize] = u64::MAX;
    }
}
