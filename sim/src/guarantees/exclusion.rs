//! No client acts under the lock while another client's later grant is alive.

use super::{CLIENTS, Checker, Ledger};
use crate::history::{Event, TokenId};

#[derive(Clone, Debug, Default, Hash)]
pub(crate) struct Exclusion {
    held: [Option<(TokenId, u64)>; CLIENTS],
    /// One bit for each client that acted.
    acted: u8,
}

impl Checker for Exclusion {
    #[inline]
    fn observe(&mut self, at: u64, event: &Event, ledger: &Ledger) -> Result<(), String> {
        match *event {
            Event::Held { client, token, until, .. } => {
                self.held[usize::from(client)] = Some((token, until));
            }
            Event::Ended { client, .. } => self.held[usize::from(client)] = None,
            Event::Acted { client, token } => {
                self.acted |= 1 << client;
                let order = ledger.order(token);
                for (other, held) in self.held.iter().enumerate() {
                    if other != usize::from(client)
                        && let Some((theirs, until)) = *held
                        && at < until
                        && ledger.order(theirs) > order
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

    fn exercised(&self) -> bool {
        self.acted.count_ones() > 1
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Guarantee, stories::*};

    #[test]
    fn accepts_one_holder_after_another() {
        let story = [granted(0, 1, 10), held(0, 1, 900), acted(0, 1), ended(0, 1)];
        let then = [granted(1, 1, 20), held(1, 1, 1_900), acted(1, 1)];
        assert_eq!(judge(Guarantee::Exclusion, &[&story[..], &then[..]].concat()), None);
    }

    #[test]
    fn rejects_an_older_holder_that_acts_while_a_newer_one_holds() {
        let story = [granted(0, 1, 10), held(0, 1, 5), granted(1, 1, 20), held(1, 1, 1_900)];
        let act = [acted(0, 1)];
        let found = judge(Guarantee::Exclusion, &[&story[..], &act[..]].concat());
        assert!(found.is_some_and(|text| text.contains("client 0 acts")));
    }

    #[test]
    fn accepts_the_newer_holder_acting_while_the_older_still_believes() {
        let story = [granted(0, 1, 10), held(0, 1, 9_000), granted(1, 1, 20), held(1, 1, 9_000)];
        assert_eq!(judge(Guarantee::Exclusion, &[&story[..], &[acted(1, 1)][..]].concat()), None);
    }
}
