//! Once a release is answered, its token never comes back.

use super::{CLIENTS, Checker, SharedHistory};
use crate::history::{Act, Answer, Ask, Event, TokenId};

/// How many tokens of a client are remembered as given up.
const REMEMBERED: usize = 8;

#[derive(Clone, Debug, Default, Hash)]
pub(crate) struct NoZombie {
    gone: [Vec<TokenId>; CLIENTS],
    /// Whether a command came that would bring one of them back.
    pub(super) exercised: bool,
}

impl Checker for NoZombie {
    #[inline]
    fn observe(&mut self, _at: u64, event: &Event, _ledger: &SharedHistory) -> Result<(), String> {
        match *event {
            Event::Returned {
                client,
                ask: Ask::Release,
                answer: Answer::NotHeld | Answer::Released,
                token: Some(token),
            } => {
                let gone = &mut self.gone[usize::from(client)];
                if gone.len() == REMEMBERED {
                    gone.remove(0);
                }
                gone.push(token);
            }
            Event::Applied { act: Act::Acquire | Act::Extend, behalf: Some(token), .. } => {
                self.exercised |= self.is_gone(token);
            }
            Event::Key { before, after: Some(token), .. } if before != Some(token) => {
                let client = token.client();
                if self.is_gone(token) {
                    return Err(format!(
                        "grant {token} of client {client} is back under the key after it was \
                         released"
                    ));
                }
            }
            _ => {}
        }
        Ok(())
    }
}

impl NoZombie {
    fn is_gone(&self, token: TokenId) -> bool {
        self.gone.get(usize::from(token.client())).is_some_and(|gone| gone.contains(&token))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Guarantee, stories::*};
    use crate::history::{Answer, Ask};

    #[test]
    fn accepts_the_next_grant_of_the_same_client() {
        let released = told(0, 1, Ask::Release, Answer::Released);
        let story = [released, key(None, Some(token(0, 2)), 9_999)];
        assert_eq!(observer(Guarantee::NoZombie, &story), None);
    }

    #[test]
    fn rejects_a_released_grant_that_is_back() {
        let released = told(0, 1, Ask::Release, Answer::Released);
        let story = [released, key(None, Some(token(0, 1)), 9_999)];
        assert!(observer(Guarantee::NoZombie, &story).is_some());
    }
}
