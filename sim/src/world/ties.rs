//! Events that are due at the same instant: which of them comes first.
//!
//! In reality nothing is due at exactly the same time, so every order is possible.

use super::{Alarm, Observer, Queue, Step, System, What};
use crate::{
    decide::{Address, DecisionKind, DecisionSource},
    history::Client,
};

/// How many events are looked at: more are due at once only in contrived plans.
const MOST: usize = 4;

/// One of the events that are due first.
#[derive(Clone, Copy, Debug)]
pub(super) enum Tied {
    /// The place in the queue, from its front.
    Queued(usize),
    Alarm(Client, Alarm),
}

impl<S: System, C: DecisionSource, W: Observer> Step<'_, S, C, W> {
    /// The event that comes first, if several are due and it is left to chance.
    #[inline]
    pub(super) fn break_tie(&mut self) -> Option<Tied> {
        if !self.core.plan.settings.ties {
            return None;
        }
        let (due, alarms) = self.earliest_alarms();
        let queued = self.core.queue.next_due();
        let first = due.min(queued);
        let alarms = if due == first { alarms } else { 0 };
        if alarms > 1 || (alarms == 1 && queued == first) || self.core.queue.is_tied() {
            return self.choose_first(first);
        }
        None
    }

    /// When the earliest alarm rings, and how many do then.
    #[inline]
    fn earliest_alarms(&self) -> (u64, u32) {
        let mut best = (u64::MAX, 0);
        for &at in self.core.alarms.as_flattened() {
            if at < best.0 {
                best = (at, 1);
            } else if at == best.0 {
                best.1 += 1;
            }
        }
        best
    }

    #[cold]
    fn choose_first(&mut self, due: u64) -> Option<Tied> {
        let (mut tied, mut actors) = ([Tied::Queued(0); MOST], [0; MOST]);
        let mut count = 0;
        for (event, actor) in self.all_due(due).take(MOST) {
            (tied[count], actors[count]) = (event, actor);
            count += 1;
        }
        if count < 2 {
            return None;
        }
        let actor = actors[0];
        let host = self.host(actor);
        host.ties += 1;
        let address = Address { kind: DecisionKind::Order, actor, occurrence: host.ties };
        let choice = self.source.order(address, &actors[..count]);
        Some(tied[choice as usize])
    }

    /// Which of so many tasks of one process goes on: any may.
    pub(crate) fn next_task(&mut self, me: Client, ready: usize) -> usize {
        if ready < 2 {
            return 0;
        }
        let host = self.host(me);
        host.ties += 1;
        let occurrence = host.ties;
        self.choose(DecisionKind::Order, me, occurrence, ready as u32) as usize
    }

    /// What is due at `due`, and whose it is, in the order in which it comes if nobody chooses.
    /// Nothing if the run's phases change then: that comes first.
    fn all_due(&self, due: u64) -> impl Iterator<Item = (Tied, Client)> {
        let queued: Vec<_> = self.core.queue.due_at(due).collect();
        let phase = queued.iter().any(Option::is_none);
        let queued = queued.into_iter().flatten().enumerate();
        let queued = queued.map(|(place, actor)| (Tied::Queued(place), actor));
        let alarms = self.core.alarms.iter().enumerate().flat_map(move |(client, at)| {
            let client = client as Client;
            let both = [(at[0], Alarm::Machine), (at[1], Alarm::Work)];
            both.map(|(at, alarm)| (at == due).then_some((Tied::Alarm(client, alarm), client)))
        });
        queued.chain(alarms.flatten()).filter(move |_| !phase)
    }
}

impl<S: System> Queue<S> {
    /// Whether the two earliest entries are due at the same instant.
    #[inline]
    fn is_tied(&self) -> bool {
        matches!(self.entries(), [.., second, first] if second.due == first.due)
    }

    /// Whose the entries are that are due at `due`, the earliest; `None` for one that is nobody's.
    fn due_at(&self, due: u64) -> impl Iterator<Item = Option<Client>> {
        let entries = self.entries().iter().rev().take_while(move |entry| entry.due == due);
        entries.map(|entry| entry.what.actor())
    }
}

impl<S: System> What<S> {
    fn actor(&self) -> Option<Client> {
        match self {
            Self::Request(message) | Self::Reply(message) | Self::Waited(message) => {
                Some(message.client)
            }
            Self::Write { client, .. }
            | Self::Cancel { client, .. }
            | Self::Hint { client, .. } => Some(*client),
            Self::Heal | Self::End => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        decide::{Address, DecisionKind, DecisionSource},
        history::Event,
        world::{Observer, World, idle::Idle},
    };

    /// Keeps what happens, in words.
    #[derive(Default)]
    struct Log(Vec<String>);

    impl Observer for Log {
        fn observe(&mut self, _at: u64, event: &Event) {
            self.0.push(format!("{event:?}"));
        }
    }

    /// Lets the last of those who are due come first, and counts how often it was asked.
    #[derive(Default)]
    struct LastFirst(u32);

    impl DecisionSource for LastFirst {
        fn choose(&mut self, address: Address, options: u32) -> u32 {
            let tie = address.kind == DecisionKind::Order;
            self.0 += u32::from(tie);
            if tie { options - 1 } else { 0 }
        }
    }

    /// Two clients whose first steps are due at once.
    fn tied(ties: bool) -> (u32, Vec<String>) {
        let mut plan = Idle::plan(2);
        plan.settings.ties = ties;
        let mut world = World::new(plan);
        let (mut source, mut log) = (LastFirst::default(), Log::default());
        world.begin(&mut source, &mut log);
        world.core.alarms[1] = world.core.alarms[0];
        for _ in 0..2 {
            world.step(&mut source, &mut log);
        }
        (source.0, log.0)
    }

    #[test]
    fn of_two_events_at_once_either_may_come_first() {
        let (asked, events) = tied(true);
        assert_eq!(asked, 1);
        assert!(events[0].contains("client: 1"), "{events:?}");
        let (asked, events) = tied(false);
        assert_eq!(asked, 0);
        assert!(events[0].contains("client: 0"), "{events:?}");
    }
}
