//! However often it is applied, an extension gives no more than it asks for, shortens, creates and
//! removes nothing, and a release frees a grant once, unless a failover brings it back.

use super::{CLIENTS, Checker, SharedHistory};
use crate::history::{Act, Ask, Event, TokenId};

/// Servers count in whole milliseconds.
const ROUNDING: u64 = 2_000;

#[derive(Clone, Debug, Default, Hash)]
pub(crate) struct Idempotence {
    expires: u64,
    /// Whether the extension that each client asked for was applied already.
    extended: [bool; CLIENTS],
    /// Whether the last command was applied before.
    again: bool,
    /// The last token that a release freed.
    freed: Option<TokenId>,
    pub(super) exercised: bool,
}

impl Checker for Idempotence {
    #[inline]
    fn observe(&mut self, at: u64, event: &Event, shared: &SharedHistory) -> Result<(), String> {
        match *event {
            Event::Asked { client, ask: Ask::Extend, .. } => {
                self.extended[usize::from(client)] = false;
            }
            Event::Applied { act: Act::Release, behalf, .. } => {
                self.exercised |= behalf.is_some() && behalf == self.freed;
            }
            Event::Applied { client, act: Act::Extend, .. } => {
                self.exercised = true;
                self.again = core::mem::replace(&mut self.extended[usize::from(client)], true);
            }
            Event::Key { before, after, expires, by_request } => {
                let earlier = core::mem::replace(&mut self.expires, expires);
                let (act, _, lease) = shared.applied;
                if by_request && act == Act::Release && after.is_none() {
                    return self.free(before);
                }
                if !by_request && after == self.freed {
                    // A failover has forgotten that it was freed.
                    self.freed = None;
                }
                if !by_request || act != Act::Extend {
                    return Ok(());
                }
                if before.is_none() || before != after {
                    return Err("an extension creates or removes the key".into());
                }
                if self.again && expires > at + lease + ROUNDING {
                    return Err(format!(
                        "extending again adds: the key now lives {} ms, {} more than one extension \
                         asks for",
                        (expires - at) / 1_000,
                        (expires - at - lease) / 1_000
                    ));
                }
                if expires + ROUNDING < earlier {
                    return Err("an extension makes the lease shorter".into());
                }
            }
            _ => {}
        }
        Ok(())
    }
}

impl Idempotence {
    fn free(&mut self, token: Option<TokenId>) -> Result<(), String> {
        if self.freed == token {
            return Err("a release frees the same grant again".into());
        }
        self.freed = token;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Guarantee, stories::*};
    use crate::history::Act;

    fn extended(before: u64, after: u64) -> Option<String> {
        let mine = Some(token(0, 1));
        let story = [
            key(None, mine, before),
            applied(0, 1, Act::Extend, 10_000),
            applied(0, 1, Act::Extend, 10_000),
            key(mine, mine, after),
        ];
        observer(Guarantee::Idempotence, &story)
    }

    #[test]
    fn accepts_an_extension_to_what_was_asked() {
        assert_eq!(extended(5_000, 10_400), None);
    }

    #[test]
    fn rejects_an_extension_that_adds_or_shortens() {
        assert!(extended(10_000, 20_000).is_some());
        assert!(extended(10_000, 5_000).is_some());
    }

    #[test]
    fn rejects_a_release_that_frees_again() {
        let mine = Some(token(0, 1));
        let freed = [applied(0, 1, Act::Release, 0), key(mine, None, 0)];
        let back = [applied(0, 1, Act::Acquire, 9_000), key(None, mine, 9_000)];
        assert_eq!(observer(Guarantee::Idempotence, &freed), None);
        assert!(observer(Guarantee::Idempotence, &[&freed[..], &back, &freed].concat()).is_some());
    }

    #[test]
    fn rejects_an_extension_that_creates_the_key() {
        let story = [applied(0, 1, Act::Extend, 10_000), key(None, Some(token(0, 1)), 9_000)];
        assert!(observer(Guarantee::Idempotence, &story).is_some());
    }
}
