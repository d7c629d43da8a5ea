//! No key outlives the longest lease that was asked for it, nor a release that a server answered, be it
//! with a refusal.

use std::collections::VecDeque;

use super::{Checker, SharedHistory};
use crate::history::{Answer, Ask, Event, TokenId};

/// Servers count in whole milliseconds.
const ROUNDING: u64 = 2_000;

/// How many tokens' bounds are remembered: a failover may bring back an older one.
const REMEMBERED: usize = 16;

#[derive(Clone, Debug, Default, Hash)]
pub(crate) struct OrphanBound {
    bounds: VecDeque<(TokenId, u64)>,
    pub(super) exercised: bool,
}

impl Checker for OrphanBound {
    #[inline]
    fn observe(&mut self, at: u64, event: &Event, shared: &SharedHistory) -> Result<(), String> {
        if let Event::Returned {
            client,
            ask: Ask::Release,
            answer: Answer::Refused,
            token: Some(token),
        } = *event
            && shared.is_held(at, token)
        {
            return Err(format!(
                "the key under grant {token} of client {client} stays although its release reached \
                 the server"
            ));
        }
        if let Event::Key { before, after: Some(token), expires, by_request } = *event {
            self.exercised = true;
            if by_request {
                self.ask(token, before == Some(token), at + shared.applied.2 + ROUNDING);
            }
            let bound = self.bound(token).unwrap_or(expires);
            if expires > bound {
                let client = token.client();
                return Err(if expires == u64::MAX {
                    format!("the key under grant {token} of client {client} never expires")
                } else {
                    let excess = (expires - bound + ROUNDING) / 1_000;
                    format!(
                        "the key under grant {token} of client {client} lives {excess} ms longer \
                         than was ever asked for"
                    )
                });
            }
        }
        Ok(())
    }
}

impl OrphanBound {
    fn bound(&self, token: TokenId) -> Option<u64> {
        self.bounds.iter().rev().find(|(known, _)| *known == token).map(|&(_, bound)| bound)
    }

    /// A shorter request does not take back what a longer one was given.
    fn ask(&mut self, token: TokenId, again: bool, asked: u64) {
        let bound = self.bound(token).filter(|_| again).map_or(asked, |bound| bound.max(asked));
        if self.bounds.len() == REMEMBERED {
            self.bounds.pop_front();
        }
        self.bounds.push_back((token, bound));
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Guarantee, stories::*};
    use crate::history::{Act, Answer, Ask};

    #[test]
    fn accepts_a_key_that_lives_as_long_as_was_asked() {
        let story = [applied(0, 1, Act::Acquire, 5_000), key(None, Some(token(0, 1)), 5_200)];
        assert_eq!(observer(Guarantee::OrphanBound, &story), None);
    }

    #[test]
    fn rejects_a_key_that_stays_after_its_release_was_refused() {
        let refused = told(0, 1, Ask::Release, Answer::Refused);
        let mine = Some(token(0, 1));
        let story = [applied(0, 1, Act::Acquire, 5_000), key(None, mine, 5_200), refused];
        assert!(observer(Guarantee::OrphanBound, &story).is_some());
        let freed = [story[0], story[1], key(mine, None, 0), refused];
        assert_eq!(observer(Guarantee::OrphanBound, &freed), None);
    }

    #[test]
    fn rejects_a_key_that_lives_longer_or_for_ever() {
        for expires in [7_300, u64::MAX] {
            let stored = key(None, Some(token(0, 1)), expires);
            let story = [applied(0, 1, Act::Acquire, 5_000), stored];
            assert!(observer(Guarantee::OrphanBound, &story).is_some());
        }
    }
}
