//! What is told of the lock's key.

use super::{Server, Step, Watch};
use crate::{
    decide::Chance,
    history::{Event, TokenId},
    redis::Value,
    subjects::LOCK_ID,
};

impl Server {
    /// Whose token is under the key, and until when by the server's clock, in ms.
    fn key(&self, now: u64) -> Option<(TokenId, u64)> {
        let entry = self.redis.keyspace.peek(self.wall(now) / 1_000, LOCK_ID.as_bytes())?;
        let Value::String(text) = &entry.value else {
            unreachable!("only tokens are stored under the lock's key");
        };
        let token = TokenId::parse(text).expect("only tokens are stored under the lock's key");
        Some((token, entry.expires_at_ms.unwrap_or(u64::MAX)))
    }
}

impl<C: Chance, W: Watch> Step<'_, C, W> {
    /// Whether the key has expired that was told of last.
    #[inline]
    pub(super) fn key_has_expired(&self) -> bool {
        let server = &self.core.servers[0];
        let wall_ms = server.wall(self.core.now) / 1_000;
        server.seen.is_some_and(|(_, expires)| expires < wall_ms)
    }

    /// Tells how the lock's key has changed since the last look.
    pub(crate) fn look(&mut self, by_request: bool) {
        let server = &mut self.core.servers[0];
        let found = server.key(self.core.now);
        if found == server.seen {
            return;
        }
        let before = server.seen.map(|(token, _)| token);
        server.seen = found;
        self.tell_key(before, by_request);
    }

    /// Tells when the lock's key expires, after the clock jumped.
    pub(crate) fn look_again(&mut self) {
        self.look(false);
        if let Some((token, _)) = self.core.servers[0].seen {
            self.tell_key(Some(token), false);
        }
    }

    fn tell_key(&mut self, before: Option<TokenId>, by_request: bool) {
        let server = &self.core.servers[0];
        let (after, expires) = match server.seen {
            None => (None, 0),
            Some((token, u64::MAX)) => (Some(token), u64::MAX),
            Some((token, wall_ms)) => (Some(token), server.truth(wall_ms)),
        };
        self.tell(Event::Key { before, after, expires, by_request });
    }
}
