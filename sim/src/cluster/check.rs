//! Something that holds or not, at any time of a run.

use leasehold_fake_redis::Entry;

use crate::world::Server;

/// What the servers have at one instant.
pub(super) struct Stored<'a> {
    pub(super) servers: &'a [Server],
    pub(super) now: u64,
}

impl Stored<'_> {
    /// Whether a key that matches `pattern`, and has not expired, is `such`.
    pub(super) fn any(&self, pattern: &str, such: impl Fn(&Entry) -> bool) -> bool {
        self.servers.iter().any(|server| {
            let now_ms = server.wall(self.now) / 1_000;
            let mut matching = server.redis.keyspace.matching(now_ms, pattern.as_bytes());
            matching.any(|(_, entry)| such(entry))
        })
    }
}

/// Something that holds or not, at any time.
pub(super) struct Check {
    pub(super) name: String,
    holds: Box<dyn Fn(&Stored<'_>) -> bool>,
}

impl Check {
    pub(super) fn holds(&self, stored: &Stored<'_>) -> bool {
        (self.holds)(stored)
    }

    pub(super) fn new(name: impl Into<String>, holds: impl Fn() -> bool + 'static) -> Self {
        Self::of_stored(name, move |_| holds())
    }

    pub(super) fn of_stored(
        name: impl Into<String>,
        holds: impl Fn(&Stored<'_>) -> bool + 'static,
    ) -> Self {
        Self { name: name.into(), holds: Box::new(holds) }
    }
}
