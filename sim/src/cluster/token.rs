//! The decisions of a run as a word.

use std::fmt;

use crate::decide::{
    Decisions,
    token::{open, push_decisions, seal, take_decisions},
};

/// What every such word begins with.
const PREFIX: &str = "lc1_";

/// This is not a word for [`Cluster::replay`](super::Cluster::replay).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenError;

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "this is not the word of a run, or it is damaged: copy all of it, from {PREFIX} to its \
             end"
        )
    }
}

impl std::error::Error for TokenError {}

/// The word for these decisions.
pub(crate) fn of(decisions: &Decisions) -> String {
    let mut bytes = Vec::new();
    push_decisions(&mut bytes, decisions);
    seal(PREFIX, bytes)
}

/// The decisions of this word.
pub(super) fn parse(word: &str) -> Result<Decisions, TokenError> {
    let bytes = open(PREFIX, word).map_err(|_| TokenError)?;
    take_decisions(&bytes).ok_or(TokenError)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        decide::{Address, DecisionKind},
        schedule::{Schedule, ScheduleError},
    };

    #[test]
    fn a_word_gives_its_decisions_back_and_a_damaged_one_none() {
        let address = |kind, actor, occurrence| Address { kind, actor, occurrence };
        let decisions = Decisions::from([
            (address(DecisionKind::ClientPause, 1, 300), 2),
            (address(DecisionKind::Order, 0, 1), 70_000),
        ]);
        let word = of(&decisions);
        assert_eq!(parse(&word), Ok(decisions));
        assert_eq!(parse(&of(&Decisions::new())), Ok(Decisions::new()));
        assert_eq!(parse(&word[..word.len() - 2]), Err(TokenError));
        assert_eq!(parse(&word[1..]), Err(TokenError));
        // Whoever takes it for that of a schedule is told.
        assert_eq!(word.parse::<Schedule>(), Err(ScheduleError::OfACluster));
    }
}
