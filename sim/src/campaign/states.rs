//! What an onlooker could say at one moment, without a clock.

use std::hash::{Hash, Hasher};

use rustc_hash::{FxHashSet, FxHasher};

use crate::{
    history::{Ask, Client, DebounceEvent, Event, TokenId},
    world::Observer,
};

/// Listens to a run, and notes each state in which it was.
#[derive(Debug, Default)]
pub(super) struct StateSample {
    now: Situation,
    seen: FxHashSet<u64>,
}

#[derive(Clone, Copy, Debug, Default, Hash)]
struct Situation {
    clients: [Doing; 8],
    /// Whose token is under the key.
    key: Option<Client>,
    healed: bool,
}

#[derive(Clone, Copy, Debug, Default, Hash)]
struct Doing {
    asks: Option<Ask>,
    /// Whether a request is under way.
    waits: bool,
    /// Whether it believes that it holds the lock.
    believes: bool,
    /// Whether it waits for a call of a debounced function.
    calls: bool,
    runs: bool,
}

impl StateSample {
    /// The states, each as a number.
    pub(super) fn into_seen(self) -> impl Iterator<Item = u64> {
        self.seen.into_iter()
    }

    fn doing(&mut self, client: Client) -> &mut Doing {
        &mut self.now.clients[usize::from(client)]
    }

    fn follow(&mut self, event: &Event) {
        match *event {
            Event::Asked { client, ask, .. } => self.doing(client).asks = Some(ask),
            Event::Returned { client, .. } => self.doing(client).asks = None,
            Event::Sent { client, .. } => self.doing(client).waits = true,
            Event::Answered { client, .. } | Event::GaveUp { client, .. } => {
                self.doing(client).waits = false;
            }
            Event::Held { client, .. } => self.doing(client).believes = true,
            Event::Ended { client, .. } => self.doing(client).believes = false,
            Event::Key { after, .. } => self.now.key = after.map(TokenId::client),
            Event::Healed => self.now.healed = true,
            Event::Debounce(event) => self.follow_debounced(event),
            _ => {}
        }
    }

    fn follow_debounced(&mut self, event: DebounceEvent) {
        match event {
            DebounceEvent::Called { client, .. } => self.doing(client).calls = true,
            DebounceEvent::Returned { client, .. } => self.doing(client).calls = false,
            DebounceEvent::RunBegan { client, .. } => self.doing(client).runs = true,
            DebounceEvent::RunEnded { client, .. } => self.doing(client).runs = false,
            _ => {}
        }
    }
}

impl Observer for StateSample {
    fn observe(&mut self, _at: u64, event: &Event) {
        self.follow(event);
        let mut hasher = FxHasher::default();
        std::mem::discriminant(event).hash(&mut hasher);
        if let Event::Debounce(event) = event {
            std::mem::discriminant(event).hash(&mut hasher);
        }
        self.now.hash(&mut hasher);
        self.seen.insert(hasher.finish());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(events: &[(u64, Event)]) -> usize {
        let mut situations = StateSample::default();
        for (at, event) in events {
            situations.observe(*at, event);
        }
        situations.into_seen().count()
    }

    #[test]
    fn the_same_at_another_time_is_no_new_situation() {
        let asked = Event::Asked { client: 1, ask: Ask::Acquire, by: 9 };
        let again = Event::Asked { client: 1, ask: Ask::Acquire, by: 77 };
        let other = Event::Asked { client: 2, ask: Ask::Acquire, by: 9 };
        assert_eq!(seen(&[(1, asked), (5, again)]), 1);
        assert_eq!(seen(&[(1, asked), (5, other)]), 2);
        assert_eq!(seen(&[(1, asked), (5, Event::Healed), (6, again)]), 3);
    }
}
