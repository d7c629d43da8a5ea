//! No client acts under the lock while another client's later grant is alive, nor believes in a lease
//! for longer than a server gave it.

use super::{CLIENTS, Checker, SLACK, SharedHistory};
use crate::history::{Act, Event, TokenId};

#[derive(Clone, Debug, Default, Hash)]
pub(crate) struct Exclusion {
    held: [Option<(TokenId, u64)>; CLIENTS],
    /// Until when a server let each client's last token live, by that client's own requests.
    given: [Option<(TokenId, u64)>; CLIENTS],
    /// For each client that holds it, whether another has asked a server since.
    wanted: [bool; CLIENTS],
    pub(super) exercised: bool,
}

impl Checker for Exclusion {
    #[inline]
    fn observe(&mut self, at: u64, event: &Event, shared: &SharedHistory) -> Result<(), String> {
        match *event {
            Event::Key { after: Some(token), expires, by_request: true, .. } => {
                if let Some(given) = self.given.get_mut(usize::from(token.client())) {
                    let before = given.filter(|(known, _)| *known == token);
                    *given = Some((token, before.map_or(expires, |(_, most)| most.max(expires))));
                }
            }
            Event::Held { client, token, until, .. } => {
                if let Some((known, most)) = self.given[usize::from(client)]
                    && known == token
                    && until > most.saturating_add(SLACK)
                {
                    return Err(format!(
                        "client {client} believes in its lease for {} ms longer than the server \
                         gave it",
                        (until - most).div_ceil(1_000)
                    ));
                }
                let before = self.held[usize::from(client)].replace((token, until));
                if before.is_none_or(|(known, _)| known != token) {
                    self.wanted[usize::from(client)] = false;
                }
            }
            Event::Ended { client, .. } => self.held[usize::from(client)] = None,
            Event::Applied { client, act: Act::Acquire, .. } => {
                for (other, wanted) in self.wanted.iter_mut().enumerate() {
                    *wanted |= other != usize::from(client) && self.held[other].is_some();
                }
            }
            Event::Acted { client, token } => {
                // Had the other been let in, this would be the second one inside.
                self.exercised |= self.wanted[usize::from(client)];
                let order = shared.order(token);
                for (other, held) in self.held.iter().enumerate() {
                    if other != usize::from(client)
                        && let Some((theirs, until)) = *held
                        && at < until
                        && shared.order(theirs) > order
                    {
                        return Err(format!(
                            "client {client} acts under the lock while client {other} holds it"
                        ));
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Guarantee, stories::*};

    #[test]
    fn accepts_one_holder_after_another() {
        let story = [granted(0, 1, 10), held(0, 1, 900), acted(0, 1), ended(0, 1)];
        let then = [granted(1, 1, 20), held(1, 1, 1_900), acted(1, 1)];
        assert_eq!(observer(Guarantee::Exclusion, &[&story[..], &then[..]].concat()), None);
    }

    #[test]
    fn rejects_an_older_holder_that_acts_while_a_newer_one_holds() {
        let story = [granted(0, 1, 10), held(0, 1, 5), granted(1, 1, 20), held(1, 1, 1_900)];
        let act = [acted(0, 1)];
        let found = observer(Guarantee::Exclusion, &[&story[..], &act[..]].concat());
        assert!(found.is_some_and(|text| text.contains("client 0 acts")));
    }

    #[test]
    fn rejects_a_lease_that_is_believed_in_for_longer_than_it_was_given() {
        let given = key(None, Some(token(0, 1)), 500);
        assert_eq!(observer(Guarantee::Exclusion, &[given, held(0, 1, 500)]), None);
        assert!(observer(Guarantee::Exclusion, &[given, held(0, 1, 600)]).is_some());
        let longer = key(Some(token(0, 1)), Some(token(0, 1)), 900);
        assert_eq!(observer(Guarantee::Exclusion, &[given, longer, held(0, 1, 900)]), None);
    }

    #[test]
    fn accepts_the_newer_holder_acting_while_the_older_still_believes() {
        let story = [granted(0, 1, 10), held(0, 1, 9_000), granted(1, 1, 20), held(1, 1, 9_000)];
        assert_eq!(
            observer(Guarantee::Exclusion, &[&story[..], &[acted(1, 1)][..]].concat()),
            None
        );
    }
}
