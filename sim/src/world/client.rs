//! The machine that a client's program runs on: its clock, its alarms, its calls under way.

use leasehold_core::Instant;

use super::{
    Cancelled, ClientClock, Deferred, Faults, SERVERS, Step, System, What,
    subscriptions::Subscription,
};
use crate::{decide::DecisionSource, history::Client, world::Observer};

/// How many requests back an answer may be awaited.
const WINDOW: u32 = u64::BITS;

/// What a client can be woken by, beside replies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Alarm {
    /// A sleep or a give-up time of its machine.
    Machine,
    /// The client's own work, and the end of its lease.
    Work,
}

/// The machine that a client runs on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Host {
    pub(crate) clock: ClientClock,
    /// How many requests were sent.
    pub(crate) calls: u32,
    /// Which of the last [`WINDOW`] requests are still awaited, the very last in the lowest bit.
    awaited: u64,
    /// How many times something was awaited.
    pub(crate) awaits_number: u32,
    /// How many steps were taken.
    pub(crate) steps: u32,
    /// How many writes were sent to the resource.
    pub(crate) writes: u32,
    /// How many times a server began to tell it of a release.
    pub(crate) notifications: u32,
    /// How many times it was the first of several whose events were due at the same instant.
    pub(crate) ties: u32,
    pub(crate) paused_until: u64,
    /// How many times the process was started anew.
    pub(crate) life: u32,
    /// Its links to the servers.
    pub(crate) links: [Link; SERVERS],
    /// Whether it is told of releases.
    pub(super) subscription: Subscription,
}

/// A client's link to a server, while it is cut.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Link {
    pub(crate) requests_cut_until: u64,
    pub(crate) replies_cut_until: u64,
    /// Whether its connection has broken, so that the next request has to make another.
    pub(crate) is_broken: bool,
}

impl Host {
    /// Counts a request that is sent, and awaits its answer.
    #[inline]
    pub(super) fn begin_call(&mut self) -> u32 {
        self.calls += 1;
        self.awaited = self.awaited << 1 | 1;
        debug_assert!(self.awaits(self.calls), "what was sent just now is awaited");
        self.calls
    }

    #[inline]
    pub(crate) fn awaits(&self, call: u32) -> bool {
        let age = self.calls.wrapping_sub(call);
        age < WINDOW && self.awaited >> age & 1 == 1
    }

    /// How many answers are awaited.
    #[inline]
    pub(crate) fn awaited(&self) -> u32 {
        self.awaited.count_ones()
    }

    /// The oldest call whose answer is awaited.
    pub(super) fn oldest_awaited(&self) -> Option<u32> {
        self.awaited.checked_ilog2().map(|age| self.calls - age)
    }

    /// The answer to `call` is awaited no more.
    #[inline]
    pub(super) fn end_call(&mut self, call: u32) {
        debug_assert!(call <= self.calls, "call {call} of {} has ended", self.calls);
        let age = self.calls.wrapping_sub(call);
        if age < WINDOW {
            self.awaited &= !(1 << age);
        }
        debug_assert!(!self.awaits(call), "call {call} has ended and is awaited still");
    }

    /// No answer is awaited any more.
    #[inline]
    pub(crate) fn forget_calls(&mut self) {
        self.awaited = 0;
    }
}

impl<S: System, C: DecisionSource, W: Observer> Step<'_, S, C, W> {
    pub(crate) fn host(&mut self, client: Client) -> &mut Host {
        &mut self.core.hosts[usize::from(client)]
    }

    /// What the client's clock shows.
    #[inline]
    pub(crate) fn local(&self, client: Client) -> Instant {
        let clock = self.core.hosts[usize::from(client)].clock;
        if self.core.plan.settings.reads_wall_clock {
            clock.wall(self.core.now)
        } else {
            clock.local(self.core.now)
        }
    }

    /// The true time at which the client's clock shows `local`.
    #[inline]
    pub(crate) fn truth(&self, client: Client, local: Instant) -> u64 {
        let clock = self.core.hosts[usize::from(client)].clock;
        if self.core.plan.settings.reads_wall_clock {
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

    /// `client` does what it was about to do at `until`. A message waits by itself.
    pub(crate) fn defer(&mut self, client: Client, what: Deferred, until: u64) {
        if let Deferred::Alarm(alarm) = what {
            self.core.alarms[usize::from(client)][alarm as usize] = until;
        }
    }

    /// The process of `client` is gone, and a new one starts at `at`. The number of its life.
    pub(crate) fn start_anew(&mut self, client: Client, at: u64) -> u32 {
        self.unsubscribe(client);
        let host = self.host(client);
        host.forget_calls();
        host.life += 1;
        let life = host.life;
        self.core.alarms[usize::from(client)] = [u64::MAX; 2];
        self.core.alarms[usize::from(client)][Alarm::Work as usize] = at;
        life
    }

    /// The caller goes away at `at`, if it awaits the same thing then.
    pub(crate) fn cancel_at(&mut self, client: Client, at: u64) {
        debug_assert!(at >= self.core.now, "a caller goes away in the past");
        let awaiting = self.host(client).awaits_number;
        self.core.queue.push(at, What::Cancel { client, awaiting });
    }

    /// The caller begins to await something. Whether it goes away at once.
    #[inline]
    pub fn awaiting(&mut self, client: Client, with_handle: bool) -> Cancelled {
        S::Faults::awaiting(self, client, with_handle)
    }

    /// Tells that the caller goes away in the middle of what it awaits.
    pub fn cancelling(&mut self, client: Client) {
        S::Faults::cancelling(self, client);
    }

    #[inline]
    pub(crate) fn clear_alarm(&mut self, client: Client, alarm: Alarm) {
        self.core.alarms[usize::from(client)][alarm as usize] = u64::MAX;
    }
}
