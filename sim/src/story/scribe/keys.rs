//! The lock's key, as each server has it.

use leasehold_story::{EventKind, SpanKind};

use super::{Scribe, locked::until_text};
use crate::{history::TokenId, words::client};

/// A key that a server has.
#[derive(Clone, Copy, Debug)]
pub(super) struct OpenKey {
    pub(super) lane: usize,
    token: TokenId,
    from: u64,
    expires: u64,
    fence: u64,
}

impl Scribe<'_> {
    /// Writes down the keys that expire up to `now`.
    pub(super) fn expire(&mut self, now: u64) {
        loop {
            let due = self.keys.iter().enumerate().filter(|(_, key)| key.expires <= now);
            let Some((place, _)) = due.min_by_key(|(_, key)| key.expires) else { return };
            let key = self.keys.remove(place);
            self.end_key(key.expires, &key);
            let text = format!("{} expires", self.key_of(key.token));
            let event = self.add(key.expires, key.lane, EventKind::Key, text);
            self.caused(event, self.state[key.lane]);
            self.state[key.lane] = Some(event);
            self.about(event, key.token);
        }
    }

    /// The lock's key has changed at the only server.
    pub(super) fn key(
        &mut self,
        at: u64,
        (before, after): (Option<TokenId>, Option<TokenId>),
        expires: u64,
        by_request: bool,
    ) {
        if self.is_majority() {
            return;
        }
        let lane = self.server();
        let known = self.keys.iter().find(|key| key.lane == lane).copied();
        if before.is_some() && after.is_none() && known.is_none() {
            // It expired, which was told.
            return;
        }
        if let (Some(known), Some(after)) = (known, after)
            && (known.token, known.expires) == (after, expires)
        {
            return;
        }
        self.put_key(at, lane, after.map(|token| (token, expires)));
        let text = match (before, after) {
            (Some(gone), None) if by_request => format!("deletes {}", self.key_of(gone)),
            (Some(gone), None) => format!("does not have {}", self.key_of(gone)),
            (Some(same), Some(after)) if same == after => {
                format!("{} now lives {}", self.key_of(same), until_text(expires))
            }
            // The grant tells it.
            (None, Some(_)) if by_request => return,
            (_, Some(token)) => format!("has {} {}", self.key_of(token), until_text(expires)),
            (None, None) => return,
        };
        let event = self.add_at_server(at, lane, EventKind::Key, text);
        if let Some(token) = after.or(before) {
            self.about(event, token);
        }
        self.events[event].decision = if by_request { None } else { self.last_injected() };
    }

    /// What one of several servers has under the key.
    pub(super) fn stored(&mut self, at: u64, node: u8, key: Option<(TokenId, u64)>) {
        let lane = self.parts.server(node);
        let known = self.keys.iter().find(|key| key.lane == lane).copied();
        let before = known.map(|known| (known.token, known.expires));
        if before == key {
            return;
        }
        self.put_key(at, lane, key);
        let by_request = self.applied.is_some_and(|applied| {
            self.events[applied].at == at && self.events[applied].lane == lane
        });
        let text = match (before, key) {
            (Some((gone, _)), None) if by_request => format!("deletes {}", self.key_of(gone)),
            (Some((gone, _)), None) => format!("does not have {}", self.key_of(gone)),
            (Some((same, _)), Some((token, until))) if same == token => {
                format!("{} now lives {}", self.key_of(same), until_text(until))
            }
            (_, Some((token, until))) => {
                format!(
                    "votes for {}: {} {}",
                    client(token.client()),
                    self.key_of(token),
                    until_text(until)
                )
            }
            (None, None) => return,
        };
        let event = self.add_at_server(at, lane, EventKind::Key, text);
        if let Some((token, _)) = key.or(before) {
            self.about(event, token);
        }
        self.events[event].decision = if by_request { None } else { self.last_injected() };
    }

    /// What the server has goes on under another lane, since a replica takes over.
    pub(super) fn hand_keys_over(&mut self, at: u64, old: usize, new: usize) {
        self.hand_kept_over(at, old, new);
        let Some(key) = self.keys.iter().find(|key| key.lane == old).copied() else { return };
        self.put_key(at, old, None);
        self.keys.push(OpenKey { lane: new, from: at, ..key });
    }

    fn put_key(&mut self, at: u64, lane: usize, key: Option<(TokenId, u64)>) {
        let place = self.keys.iter().position(|known| known.lane == lane);
        if let (Some(place), Some((token, expires))) = (place, key)
            && self.keys[place].token == token
        {
            self.keys[place].expires = expires;
            return;
        }
        if let Some(place) = place {
            let gone = self.keys.remove(place);
            self.end_key(at, &gone);
        }
        if let Some((token, expires)) = key {
            let fence = self.fence_of(token).unwrap_or_default();
            self.keys.push(OpenKey { lane, token, from: at, expires, fence });
        }
    }

    pub(super) fn end_key(&mut self, at: u64, key: &OpenKey) {
        let text = format!("has {}", self.key_of(key.token));
        let span = self.span(key.lane, SpanKind::Key, key.from, at.min(key.expires), &text);
        self.spans[span].grant = self.names.short(key.token);
        self.spans[span].fence = Some(key.fence).filter(|&fence| fence > 0);
    }

    /// Until when the only server has the key of `token`.
    pub(super) fn expiry(&self, token: TokenId) -> Option<u64> {
        let lane = self.server();
        let known = self.keys.iter().find(|key| key.lane == lane && key.token == token);
        known.map(|key| key.expires)
    }

    /// The keys of `token` were granted with this fence.
    pub(super) fn mark_key(&mut self, token: TokenId, fence: u64) {
        self.keys.iter_mut().filter(|key| key.token == token).for_each(|key| key.fence = fence);
    }

    /// A key, in words.
    fn key_of(&self, token: TokenId) -> String {
        match self.names.short(token) {
            Some(name) => format!("the key of {name}"),
            None => format!("a key of {}", client(token.client())),
        }
    }
}
