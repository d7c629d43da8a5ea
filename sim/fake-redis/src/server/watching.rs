//! `WATCH`: keys that must not change before `EXEC`.

use bytes::Bytes;

use super::{Connection, Server, SessionId};
use crate::Redis;

/// A watched key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Watched {
    database: usize,
    key: Bytes,
    /// What the keyspace counted when the watch began.
    count: u64,
}

impl Connection<'_> {
    pub(crate) fn watch(&mut self, key: &Bytes) {
        let now_ms = self.now_us / 1_000;
        let database = self.session().database;
        let same = |watched: &Watched| watched.database == database && watched.key == key;
        if self.session().watched.iter().any(same) {
            return;
        }
        let redis = &mut self.server.redis;
        let count = redis.with_database(database, |redis| redis.keyspace.watch(now_ms, key));
        let watched = count.map(|count| Watched { database, key: key.clone(), count });
        self.session_mut().watched.extend(watched);
    }

    /// Watches nothing any more.
    pub(crate) fn unwatch(&mut self) {
        let id = self.id;
        self.server.unwatch(id);
    }

    /// Whether any watched key has changed or expired since.
    pub(super) fn is_watch_touched(&mut self) -> bool {
        let now_ms = self.now_us / 1_000;
        let watched = self.session().watched.clone();
        let redis = &mut self.server.redis;
        watched.iter().any(|Watched { database, key, count }| {
            let touched = |redis: &mut Redis| redis.keyspace.is_touched(now_ms, key, *count);
            redis.with_database(*database, touched).unwrap_or(true)
        })
    }
}

impl Server {
    pub(super) fn unwatch(&mut self, id: SessionId) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        for Watched { database, key, .. } in std::mem::take(&mut session.watched) {
            self.redis.with_database(database, |redis| redis.keyspace.unwatch(&key));
        }
    }
}
