//! One schedule as a story: what happened until a guarantee broke, and what its grants are called.

pub(crate) mod decisions;
mod replay;
mod timeline;
mod told;

pub(crate) use decisions::kind_name;
pub use replay::{every_event, replay};
pub use told::{DecisionReport, StoryReport};

use crate::words::client;
use crate::{
    catalog::Guarantee,
    decide::Replay,
    guarantees::{CheckerSet, Violation},
    history::{Client, Event, TokenId},
    schedule::Schedule,
    systems::World,
    world::{Observer, Topology},
};

/// What happened in a schedule, up to the event that breaks the guarantee.
#[derive(Debug)]
pub(crate) struct Story {
    pub(crate) events: Vec<(u64, Event)>,
    pub(crate) violation: Option<Violation>,
    pub(crate) names: Names,
    /// Who grants the lock.
    pub(crate) grantor: &'static str,
}

impl Story {
    /// Runs a schedule, and listens until its guarantee breaks, or to the end.
    pub(crate) fn of(schedule: &Schedule) -> Self {
        let guarantee = schedule.cell.guarantee;
        let mut observer = StoryObserver::new(guarantee);
        World::new(schedule.plan()).run(&mut Replay::of(&schedule.decisions), &mut observer);
        let StoryObserver { events, checkers, .. } = observer;
        let violation = checkers.violation(guarantee).cloned();
        let names = Names::of(&events);
        let grantor = match schedule.plan().settings.topology {
            Topology::Independent => "a majority",
            Topology::Acknowledged(_) | Topology::Replicated | Topology::Single => "the server",
        };
        Self { events, violation, names, grantor }
    }

    /// What broke, with the names that the story uses.
    pub(crate) fn verdict(&self) -> Option<String> {
        let violation = self.violation.as_ref()?;
        Some(self.names.spoken(&violation.text))
    }
}

/// Writes down what happens until a guarantee breaks.
struct StoryObserver {
    guarantee: Guarantee,
    checkers: Box<CheckerSet>,
    events: Vec<(u64, Event)>,
}

impl StoryObserver {
    fn new(guarantee: Guarantee) -> Self {
        Self { guarantee, checkers: Box::default(), events: Vec::new() }
    }
}

impl Observer for StoryObserver {
    fn observe(&mut self, at: u64, event: &Event) {
        if self.checkers.violation(self.guarantee).is_none() {
            self.checkers.observe(at, event);
            self.events.push((at, *event));
        }
    }
}

/// The grants of a story, called A1, A2, B1… by who got them and in which order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names(Vec<(TokenId, u32)>);

impl Names {
    fn of(events: &[(u64, Event)]) -> Self {
        let mut names: Vec<(TokenId, u32)> = Vec::new();
        for (_, event) in events {
            if let Event::Granted { token, .. } = *event
                && names.iter().all(|(known, _)| *known != token)
            {
                let earlier = names.iter().filter(|(known, _)| known.client() == token.client());
                let number = earlier.count() as u32 + 1;
                names.push((token, number));
            }
        }
        Self(names)
    }

    /// What the grant under `token` is called.
    pub(crate) fn grant(&self, token: TokenId) -> String {
        let who = client(token.client());
        match self.0.iter().find(|(known, _)| *known == token) {
            Some((_, number)) => format!("grant {who}{number}"),
            None => format!("attempt {token} of {who}"),
        }
    }

    /// A checker's sentence, in which clients and grants have numbers, with their names instead.
    pub(crate) fn spoken(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (token, _) in &self.0 {
            let (number, name) = (token.client(), self.grant(*token));
            text = text.replace(&format!("grant {token} of client {number}"), &name);
            let own = format!("client {number}, for its own grant {token}");
            let named = format!("client {number}, for its own {name}");
            text = text.replace(&own, &named);
        }
        for number in 0..=Client::from(15u8) {
            let name = format!("client {}", client(number));
            text = replace_number(&text, &format!("client {number}"), &name);
        }
        text
    }
}

/// Replaces `from`, which ends in a digit, where no further digit follows.
fn replace_number(text: &str, from: &str, to: &str) -> String {
    let mut pieces = text.split(from);
    let mut out = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let cut = piece.starts_with(|next: char| next.is_ascii_digit());
        out += if cut { from } else { to };
        out += piece;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_goes_on_is_another_number() {
        assert_eq!(replace_number("client 1 and client 12", "client 1", "B"), "B and client 12");
    }

    #[test]
    fn grants_are_called_by_their_owner_and_their_order() {
        let token = |owner: Client, call: u32| {
            let text = format!("{owner}-0.{call}");
            TokenId::parse(text.as_bytes())
                .or_else(|| TokenId::parse(format!("{text}#1").as_bytes()))
        };
        let (first, second) = (token(1, 4).unwrap(), token(1, 9).unwrap());
        let granted = |token| (0, Event::Granted { token, fence: 0 });
        let names = Names::of(&[granted(first), granted(second), granted(first)]);
        assert_eq!(names.grant(second), "grant B2");
        let text = format!("grant {first} of client 1 is back, says client 0");
        assert_eq!(names.spoken(&text), "grant B1 is back, says client A");
    }
}
