//! No command changes a key that is under another grant's token.

use super::{Checker, SharedHistory};
use crate::history::{Act, Event};

#[derive(Clone, Debug, Default, Hash)]
pub(crate) struct Ownership {
    /// Whether a command came while the key was under another's token.
    pub(super) exercised: bool,
}

impl Checker for Ownership {
    #[inline]
    fn observe(&mut self, at: u64, event: &Event, shared: &SharedHistory) -> Result<(), String> {
        if let Event::Applied { act, behalf: Some(token), .. } = *event {
            self.exercised |= act != Act::Other
                && shared.key.is_some_and(|(owner, expires)| owner != token && at < expires);
        }
        if let Event::Key { before: Some(owner), by_request: true, .. } = *event {
            let (act, behalf, _) = shared.applied;
            if behalf != Some(owner) {
                let whose = behalf.map_or_else(String::new, |token| {
                    format!(" by client {}, for its own grant {token},", token.client())
                });
                return Err(format!(
                    "a command ({act:?}){whose} changes the key that is under grant {owner} of \
                     client {}",
                    owner.client()
                ));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Guarantee, stories::*};
    use crate::history::Act;

    #[test]
    fn accepts_a_release_of_ones_own() {
        let story = [applied(0, 1, Act::Release, 0), key(Some(token(0, 1)), None, 0)];
        assert_eq!(observer(Guarantee::Ownership, &story), None);
    }

    #[test]
    fn rejects_a_release_of_anothers() {
        let story = [applied(0, 1, Act::Release, 0), key(Some(token(1, 1)), None, 0)];
        assert!(observer(Guarantee::Ownership, &story).is_some());
    }
}
