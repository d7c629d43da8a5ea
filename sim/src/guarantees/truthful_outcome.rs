//! What a call returns is true: whoever is told that it has the lock was granted it and has time left,
//! whoever is told that it has not has it not and will not by that call, and a release that freed is not
//! said to have found nothing.

use super::{CLIENTS, Checker, SharedHistory};
use crate::history::{Act, Answer, Ask, Client, Event, OWNERS, TokenId};

/// How many calls back a denial is remembered.
const REMEMBERED: usize = 8;

#[derive(Clone, Debug, Default, Hash)]
pub(crate) struct TruthfulOutcome {
    /// The last token of each owner that each client had used before its present call.
    before_call: [[Option<TokenId>; OWNERS]; CLIENTS],
    last_token: [[Option<TokenId>; OWNERS]; CLIENTS],
    /// The tokens of calls that said "not acquired": after the first, up to the second.
    denied: [Vec<(Option<TokenId>, TokenId)>; CLIENTS],
    /// The last token of each client that a release was about.
    given_up: [Option<TokenId>; CLIENTS],
    /// The last token that was removed by its own release.
    freed: Option<TokenId>,
    pub(super) exercised: bool,
}

impl Checker for TruthfulOutcome {
    #[inline]
    fn observe(&mut self, at: u64, event: &Event, shared: &SharedHistory) -> Result<(), String> {
        match *event {
            Event::Asked { client, ask: Ask::Acquire, .. } => {
                self.before_call[usize::from(client)] = self.last_token[usize::from(client)];
                Ok(())
            }
            Event::Returned { client, ask, answer, token: Some(token) } => {
                self.exercised |= is_denial(ask, answer);
                // A release may be about an older call than the last one.
                let last = &mut self.last_token[usize::from(client)][token.owner_index()];
                if last.is_none_or(|last| !last.same_life(token) || last < token) {
                    *last = Some(token);
                }
                // Whoever is told that the store is down is told, too, that nothing is held.
                let answer = match (ask, answer) {
                    (Ask::Acquire, Answer::Refused | Answer::Unavailable) => Answer::NotAcquired,
                    (_, answer) => answer,
                };
                self.observer(at, client, answer, token, shared)
            }
            Event::Applied { client, act: Act::Release, behalf: Some(token), .. } => {
                self.given_up[usize::from(client)] = Some(token);
                Ok(())
            }
            Event::Held { client, until, .. } if until <= at => {
                Err(format!("client {client} is handed a lease that is over already"))
            }
            Event::Key { before, after: None, by_request: true, .. }
                if shared.applied.0 == Act::Release =>
            {
                self.freed = before;
                Ok(())
            }
            Event::Key { after: Some(token), .. } => self.stored(token),
            _ => Ok(()),
        }
    }
}

impl TruthfulOutcome {
    fn observer(
        &mut self,
        at: u64,
        client: Client,
        answer: Answer,
        token: TokenId,
        shared: &SharedHistory,
    ) -> Result<(), String> {
        let held = shared.is_held(at, token);
        match answer {
            Answer::NotAcquired => self.deny(at, client, token, shared),
            Answer::Spent if self.given_up[usize::from(client)] != Some(token) => Err(format!(
                "client {client} is told that its token was given up before, which it was not"
            )),
            Answer::Spent => self.deny(at, client, token, shared),
            Answer::Acquired if shared.order(token) == 0 => {
                Err(format!("client {client} is told that it holds the lock, which nobody granted"))
            }
            Answer::Unavailable if self.freed == Some(token) => Err(format!(
                "client {client} is told that the server was not reached, although its own release \
                 freed the lock"
            )),
            Answer::NotHeld if self.freed == Some(token) => Err(format!(
                "client {client} is told that the lock was not its own, although its own release \
                 freed it"
            )),
            Answer::NotHeld | Answer::Taken if held => Err(format!(
                "client {client} is told that it does not hold the lock, but the key is under its \
                 token"
            )),
            Answer::Released if held => Err(format!(
                "client {client} is told that the lock is free, but the key is under its token"
            )),
            _ => Ok(()),
        }
    }

    fn deny(
        &mut self,
        at: u64,
        client: Client,
        token: TokenId,
        shared: &SharedHistory,
    ) -> Result<(), String> {
        let index = usize::from(client);
        if self.denied[index].len() == REMEMBERED {
            self.denied[index].remove(0);
        }
        self.denied[index].push((self.before_call[index][token.owner_index()], token));
        match shared.key {
            Some((holder, expires)) if at < expires => self.stored(holder),
            _ => Ok(()),
        }
    }

    fn stored(&self, token: TokenId) -> Result<(), String> {
        let client = token.client();
        let Some(denied) = self.denied.get(usize::from(client)) else { return Ok(()) };
        let lied = denied.iter().any(|&(before, last)| {
            token.same_life(last)
                && token.owner_index() == last.owner_index()
                && token.number() <= last.number()
                && before.is_none_or(|before| {
                    !before.same_life(token) || token.number() > before.number()
                })
        });
        if lied {
            return Err(format!(
                "client {client} is told that it did not get the lock, but the key is under its \
                 token"
            ));
        }
        Ok(())
    }
}

/// Whether a call says that the lock is not the caller's: which may be untrue.
fn is_denial(ask: Ask, answer: Answer) -> bool {
    match answer {
        Answer::NotAcquired
        | Answer::NotHeld
        | Answer::Released
        | Answer::Spent
        | Answer::Taken => true,
        Answer::Refused | Answer::Unavailable => ask == Ask::Acquire,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Guarantee, stories::*};
    use crate::history::{Act, Answer, Ask};

    fn verdict(story: &[crate::history::Event]) -> Option<String> {
        observer(Guarantee::TruthfulOutcome, story)
    }

    #[test]
    fn accepts_a_denial_while_another_holds_the_lock() {
        let denied = told(0, 1, Ask::Acquire, Answer::NotAcquired);
        let story = [asked(0, Ask::Acquire, 9_999), key(None, Some(token(1, 1)), 9_999), denied];
        assert_eq!(verdict(&story), None);
    }

    #[test]
    fn rejects_a_denial_while_the_key_is_under_the_callers_token_now_or_later() {
        let denied = told(0, 1, Ask::Acquire, Answer::NotAcquired);
        let stored = key(None, Some(token(0, 1)), 9_999);
        assert!(verdict(&[asked(0, Ask::Acquire, 9_999), stored, denied]).is_some());
        assert!(verdict(&[asked(0, Ask::Acquire, 9_999), denied, stored]).is_some());
    }

    #[test]
    fn rejects_a_key_that_is_left_behind_by_a_call_that_says_the_store_is_down() {
        let unavailable = told(0, 1, Ask::Acquire, Answer::Unavailable);
        let stored = key(None, Some(token(0, 1)), 9_999);
        assert!(verdict(&[asked(0, Ask::Acquire, 9_999), unavailable, stored]).is_some());
    }

    #[test]
    fn accepts_the_token_of_an_earlier_call() {
        let (ask, stored) = (asked(0, Ask::Acquire, 9_999), key(None, Some(token(0, 1)), 9_999));
        let unknown = told(0, 1, Ask::Acquire, Answer::Unknown);
        let denied = told(0, 2, Ask::Acquire, Answer::NotAcquired);
        assert_eq!(verdict(&[ask, unknown, ask, stored, denied]), None);
    }

    #[test]
    fn accepts_a_denial_while_the_next_job_of_the_process_holds_the_lock() {
        let next = told(0, 2, Ask::Acquire, Answer::Acquired);
        let before = told(0, 1, Ask::Release, Answer::NotHeld);
        let denied = told(0, 3, Ask::Acquire, Answer::NotAcquired);
        let story = [granted(0, 2, 1), key(None, Some(token(0, 2)), 9_999), next, before];
        let story = [&story[..], &[asked(0, Ask::Acquire, 9_999), denied]].concat();
        assert_eq!(verdict(&story), None);
    }

    #[test]
    fn rejects_that_a_token_is_spent_which_nobody_gave_up() {
        let spent = told(0, 1, Ask::Acquire, Answer::Spent);
        assert!(verdict(&[asked(0, Ask::Acquire, 9_999), spent]).is_some());
        let given_up = applied(0, 1, Act::Release, 0);
        assert_eq!(verdict(&[given_up, asked(0, Ask::Acquire, 9_999), spent]), None);
    }

    #[test]
    fn rejects_a_lease_that_is_over_when_it_is_handed_out() {
        let story = [granted(0, 1, 1), told(0, 1, Ask::Acquire, Answer::Acquired), held(0, 1, 250)];
        assert!(verdict(&story).is_some_and(|text| text.contains("over already")));
    }

    #[test]
    fn rejects_an_untrue_word_about_a_release() {
        let (mine, not_held) = (Some(token(0, 1)), told(0, 1, Ask::Release, Answer::NotHeld));
        let stored = key(None, mine, 9_999);
        let released = [applied(0, 1, Act::Release, 0), key(mine, None, 0)];
        assert!(verdict(&[stored, not_held]).is_some());
        assert!(verdict(&[stored, told(0, 1, Ask::Release, Answer::Released)]).is_some());
        assert!(verdict(&[&[stored][..], &released, &[not_held]].concat()).is_some());
    }
}
