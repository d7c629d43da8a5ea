//! What is told of the lock's key.
//!
//! With several servers that is what a majority of them has: whose token is under the key at more
//! than half of them at once, until it is at fewer. A request is told to have freed the lock if it
//! removed the key from so many: a release that reaches the last of them after the lease is over
//! there has not. A grant is told when a client is handed the lock, since its fence is not known
//! before: a majority that comes too late is handed to nobody, and so was no grant.

use super::{LOCK_ID, Step};
use crate::{
    decide::{DecisionKind, DecisionSource},
    history::{Event, TokenId},
    world::{Observer, Server, Topology, Transit},
};
use leasehold_fake_redis::Value;

/// The lock's key as it was last told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct KeyView {
    /// On the only server: whose token, and until when by the server's clock, in ms.
    seen: Option<(TokenId, u64)>,
    /// On a majority of several.
    majority: Majority,
}

/// What a majority of several servers has.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Majority {
    /// The key as it was last told: whose token, and until when in true time.
    seen: Option<(TokenId, u64)>,
    /// The last token that was released anywhere, and where: one bit for each server.
    released: Option<(TokenId, u8)>,
}

impl Majority {
    /// What more than half of `servers` have under the key.
    fn of(servers: &[Server], now: u64) -> Option<(TokenId, u64)> {
        let enough = servers.len() / 2 + 1;
        let mut keys: Vec<_> = servers
            .iter()
            .filter_map(|server| {
                let (token, wall_ms) = key_of(server, now)?;
                Some((token, gone_at(server, wall_ms)))
            })
            .collect();
        keys.sort_unstable_by_key(|&(token, expires)| (token, std::cmp::Reverse(expires)));
        let same = |keys: &&[(TokenId, u64)]| keys[0].0 == keys[enough - 1].0;
        keys.windows(enough).find(same).map(|keys| keys[enough - 1])
    }

    /// The owner of `token` released it at server number `node`.
    fn note_release(&mut self, token: TokenId, node: u8) {
        let before = self.released.filter(|(known, _)| *known == token);
        self.released = Some((token, before.map_or(0, |(_, nodes)| nodes) | 1 << node));
    }

    /// Whether `token` was released by its owner, but at fewer servers than a majority.
    fn is_half_released(&self, token: TokenId, servers: usize) -> bool {
        self.released.is_some_and(|(known, nodes)| {
            known == token && (nodes.count_ones() as usize) < servers / 2 + 1
        })
    }
}

/// Whose token is under the key of `server`, and until when by the server's clock, in ms.
fn key_of(server: &Server, now: u64) -> Option<(TokenId, u64)> {
    let entry = server.redis.keyspace.peek(server.wall(now) / 1_000, LOCK_ID.as_bytes())?;
    let Value::String(text) = &entry.value else { return None };
    Some((TokenId::parse(text)?, entry.expires_at_ms.unwrap_or(u64::MAX)))
}

/// When a key of `server` is gone that expires at `wall_ms`, in true time.
fn gone_at(server: &Server, wall_ms: u64) -> u64 {
    if wall_ms == u64::MAX { u64::MAX } else { server.truth(wall_ms) }
}

/// How many servers make up a quorum, unless it is decided that one more does: an even number.
const ODD: usize = 3;

impl<C: DecisionSource, W: Observer> Step<'_, C, W> {
    /// How many of several servers vote.
    fn voters(&self) -> usize {
        let odd = self.core.servers.len().min(ODD);
        self.core.shared.voters.map_or(odd, usize::from)
    }

    /// The same, decided at the first request: what all clients are told alike.
    pub(super) fn decide_voters(&mut self) -> usize {
        let odd = self.voters();
        if self.core.shared.voters.is_none() && self.core.servers.len() > ODD {
            let nobody = self.settings().clients;
            let more = self.choose(DecisionKind::Behaviour, nobody, 0, 2);
            self.core.shared.voters = Some(odd as u8 + more as u8);
        }
        self.voters()
    }

    /// Whether the key has expired that was told of last.
    #[inline]
    pub(super) fn key_has_expired(&self) -> bool {
        if self.settings().topology == Topology::Independent {
            return self
                .core
                .shared
                .key
                .majority
                .seen
                .is_some_and(|(_, expires)| expires <= self.core.now);
        }
        let wall_ms = self.core.servers[0].wall(self.core.now) / 1_000;
        self.core.shared.key.seen.is_some_and(|(_, expires)| expires < wall_ms)
    }

    /// Tells how the lock's key has changed since the last look.
    pub(super) fn look(&mut self, by_request: bool) {
        if self.settings().topology == Topology::Independent {
            return self.look_at_all(by_request);
        }
        let found = key_of(&self.core.servers[0], self.core.now);
        let seen = std::mem::replace(&mut self.core.shared.key.seen, found);
        if found == seen {
            return;
        }
        let before = seen.map(|(token, _)| token);
        self.tell_key(before, by_request);
    }

    /// Tells when the lock's key expires, after the clock jumped.
    pub(super) fn look_again(&mut self) {
        self.look(false);
        if let Some((token, _)) = self.core.shared.key.seen {
            self.tell_key(Some(token), false);
        }
    }

    fn tell_key(&mut self, before: Option<TokenId>, by_request: bool) {
        let server = &self.core.servers[0];
        let (after, expires) = match self.core.shared.key.seen {
            None => (None, 0),
            Some((token, wall_ms)) => (Some(token), gone_at(server, wall_ms)),
        };
        self.emit(Event::Key { before, after, expires, by_request });
        if self.scenario().waits > 0 && after.is_none() && by_request {
            self.notify_release(0);
        }
    }

    fn look_at_all(&mut self, by_request: bool) {
        if self.observer.wants_transits() {
            self.tell_each();
        }
        let found = Majority::of(&self.core.servers[..self.voters()], self.core.now);
        let seen = std::mem::replace(&mut self.core.shared.key.majority.seen, found);
        if found == seen {
            return;
        }
        let before = seen.map(|(token, _)| token);
        let (after, expires) = found.map_or((None, 0), |(token, until)| (Some(token), until));
        let servers = self.voters();
        let half = |token| self.core.shared.key.majority.is_half_released(token, servers);
        let by_request = by_request && !(after.is_none() && before.is_some_and(half));
        self.emit(Event::Key { before, after, expires, by_request });
    }

    /// Tells what each of several servers has under the key.
    fn tell_each(&mut self) {
        for node in 0..self.core.servers.len() {
            let server = &self.core.servers[node];
            let key = key_of(server, self.core.now)
                .map(|(token, wall_ms)| (token, gone_at(server, wall_ms)));
            self.transit(Transit::Stored { node: node as u8, key });
        }
    }

    /// Whether one of several servers has `token` under the key.
    pub(super) fn has_key(&self, node: u8, token: Option<TokenId>) -> bool {
        self.settings().topology == Topology::Independent
            && token.is_some()
            && key_of(&self.core.servers[usize::from(node)], self.core.now).map(|key| key.0)
                == token
    }

    /// Notes that a server had `token` under the key until its owner's request.
    pub(super) fn had_key(&mut self, node: u8, token: Option<TokenId>) {
        if let Some(token) = token.filter(|&token| !self.has_key(node, Some(token))) {
            self.core.shared.key.majority.note_release(token, node);
            if self.scenario().waits > 0 {
                self.notify_release(node);
            }
        }
    }

    /// A client is handed the lock that a majority of several servers has granted it.
    pub(super) fn elected(&mut self, token: TokenId, fence: u64) {
        if self.settings().topology == Topology::Independent {
            self.emit(Event::Granted { token, fence });
        }
    }
}
