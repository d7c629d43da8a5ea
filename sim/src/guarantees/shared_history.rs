//! What several checkers need to know of the history so far.

use std::hash::{Hash, Hasher};

use super::{CLIENTS, calls::Calls};
use crate::{
    decide::Fault,
    history::{Act, Event, TokenId},
};

/// How many of the last grants are remembered; an older one counts as the oldest.
const REMEMBERED: usize = 32;

#[derive(Clone, Debug)]
pub(crate) struct SharedHistory {
    grants: [(u32, u64); REMEMBERED],
    granted: u64,
    /// Whose token is under the key, and until when.
    pub(crate) key: Option<(TokenId, u64)>,
    /// What the last request did, on whose behalf, and the lease that it asked for.
    pub(crate) applied: (Act, Option<TokenId>, u64),
    pub(crate) paused_until: [u64; CLIENTS],
    /// The calls of a debounced function.
    pub(crate) calls: Calls,
}

impl Default for SharedHistory {
    fn default() -> Self {
        Self {
            grants: [(u32::MAX, 0); REMEMBERED],
            granted: 0,
            key: None,
            applied: (Act::Other, None, 0),
            paused_until: [0; CLIENTS],
            calls: Calls::default(),
        }
    }
}

impl Hash for SharedHistory {
    /// Without the places that no grant has taken yet.
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        let taken = self.granted.min(REMEMBERED as u64 - 1) as usize;
        self.grants[..=taken].hash(hasher);
        (self.granted, self.key, self.applied, self.paused_until).hash(hasher);
        self.calls.hash(hasher);
    }
}

impl SharedHistory {
    #[inline]
    pub(super) fn enter(&mut self, event: &Event) {
        match *event {
            Event::Debounce(event) => self.calls.enter(event),
            Event::Granted { token, .. } => {
                self.granted += 1;
                let place = self.granted as usize % REMEMBERED;
                self.grants[place] = (token.as_u32(), self.granted);
            }
            Event::Key { after, expires, .. } => self.key = after.map(|token| (token, expires)),
            Event::Applied { act, behalf, lease, .. } => self.applied = (act, behalf, lease),
            Event::Injected { fault: Fault::ClientPause, client: Some(client), until, .. } => {
                self.paused_until[usize::from(client)] = until;
            }
            _ => {}
        }
    }

    /// The place of the grant under `token` in the order of grants, 0 if it is not known.
    #[inline]
    pub(crate) fn order(&self, token: TokenId) -> u64 {
        let mut place = self.granted as usize % REMEMBERED;
        for _ in 0..REMEMBERED {
            let (known, order) = self.grants[place];
            if known == token.as_u32() {
                return order;
            }
            place = (place + REMEMBERED - 1) % REMEMBERED;
        }
        0
    }

    /// Whether the key is under `token` at true time `at`.
    pub(crate) fn is_held(&self, at: u64, token: TokenId) -> bool {
        self.key.is_some_and(|(holder, expires)| holder == token && at < expires)
    }
}
