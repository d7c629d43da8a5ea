//! One schedule as a story: what happened until a guarantee broke, and what its grants are called.

pub(crate) mod account;
pub(crate) mod decisions;
pub(crate) mod headline;
pub(crate) mod lanes;
pub(crate) mod record;
mod replay;
pub(crate) mod scribe;
mod timeline;
mod told;

pub use account::{Topic, tell};
pub(crate) use decisions::kind_name;
pub use replay::{every_event, replay};
pub use told::{DecisionReport, StoryReport};

use crate::history::{Client, Event, TokenId};
use crate::words::client;

/// What happened up to the end of a story, and what its grants are called.
#[derive(Debug)]
pub(crate) struct History {
    pub(crate) events: Vec<(u64, Event)>,
    pub(crate) names: Names,
    /// Who grants the lock.
    pub(crate) grantor: &'static str,
}

/// The grants of a story, called A1, A2, B1… by who got them and in which order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names(Vec<(TokenId, u32)>);

impl Names {
    pub(crate) fn of(events: impl Iterator<Item = (u64, Event)>) -> Self {
        let mut names: Vec<(TokenId, u32)> = Vec::new();
        for (_, event) in events {
            if let Event::Granted { token, .. } = event
                && names.iter().all(|(known, _)| *known != token)
            {
                let earlier = names.iter().filter(|(known, _)| known.client() == token.client());
                let number = earlier.count() as u32 + 1;
                names.push((token, number));
            }
        }
        Self(names)
    }

    /// The short name of the grant under `token`, if it was granted.
    pub(crate) fn short(&self, token: TokenId) -> Option<String> {
        let found = self.0.iter().find(|(known, _)| *known == token);
        found.map(|(_, number)| format!("{}{number}", client(token.client())))
    }

    /// The same, or its client if it was not.
    pub(crate) fn called(&self, token: TokenId) -> String {
        self.short(token).unwrap_or_else(|| client(token.client()).into())
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
        let names = Names::of([granted(first), granted(second), granted(first)].into_iter());
        assert_eq!(names.grant(second), "grant B2");
        let text = format!("grant {first} of client 1 is back, says client 0");
        assert_eq!(names.spoken(&text), "grant B1 is back, says client A");
    }
}
