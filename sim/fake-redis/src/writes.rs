//! The last writes of a server, which a failover loses and a stale read lacks.

use std::time::Duration;

use bytes::Bytes;

use super::{
    Reached, Resp, Server, SessionId,
    faults::{Lost, ServerEventKind},
    keyspace::copy,
};

/// For how long the past is known, in microseconds of the server's clock.
const REACH_US: u64 = 600_000_000;

/// About how many bytes of changes are kept at most.
const MOST_BYTES: usize = 256 << 20;

/// How many writes there have been, and whether the server keeps what takes them back.
#[derive(Debug, Default)]
pub(crate) struct Writes {
    kept: bool,
    count: u64,
}

/// What the server's clock shows, in microseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Times {
    /// Since the Unix epoch.
    pub(crate) now_us: u64,
    /// Since it began; never goes back.
    pub(crate) elapsed_us: u64,
}

impl Writes {
    /// How many there have been.
    #[cfg(feature = "serve")]
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    #[cfg(feature = "serve")]
    pub(crate) fn are_kept(&self) -> bool {
        self.kept
    }

    /// Counts a write, unless writes are counted by what they change.
    #[cfg(feature = "serve")]
    pub(crate) fn count_one(&mut self) {
        self.count += u64::from(!self.kept);
    }

    /// From now on the server keeps them.
    pub(crate) fn keep(&mut self, server: &mut Server) {
        if !std::mem::replace(&mut self.kept, true) {
            server.redis_mut().keep_past(Some(MOST_BYTES));
        }
    }

    /// Takes down what the last command has changed.
    pub(crate) fn note(&mut self, server: &mut Server, elapsed_us: impl FnOnce() -> u64) {
        if server.redis().is_written() {
            let elapsed_us = elapsed_us();
            self.count += 1;
            server.end_write(elapsed_us, self.count, elapsed_us.saturating_sub(REACH_US));
        }
    }

    /// Forgets all of them, and goes on keeping those to come if it has kept these.
    pub(crate) fn forget(&mut self, server: &mut Server) {
        server.redis_mut().keep_past(None);
        if std::mem::take(&mut self.kept) {
            self.keep(server);
        }
    }

    /// Puts the data in place that is left after this, and ends every session.
    pub(crate) fn lose(&mut self, server: &mut Server, kind: ServerEventKind, now: Times) -> Lost {
        let before = count_keys(server);
        let at = |server: &Server, at_us| server.redis().was(Reached { at_us, write: 0 });
        let writes = match kind {
            ServerEventKind::Restart => {
                let missing = at(server, None).map_or(0, |(_, missing)| missing);
                server.redis_mut().keep_past(None);
                server.restart(now.now_us);
                missing
            }
            ServerEventKind::Failover { lose } => {
                let left = at(server, now.elapsed_us.checked_sub(micros(lose)));
                let (databases, missing) = left.unwrap_or_else(|| (copy(server.redis()), 0));
                server.redis_mut().keep_past(None);
                server.take_over(databases);
                missing
            }
        };
        self.forget(server);
        Lost { writes, keys: before.saturating_sub(count_keys(server)) }
    }
}

/// What a replica that lags answers; `known` is the number of a write that it has for certain. `None`
/// if the past is not kept.
pub(crate) fn stale_reply(
    server: &Server,
    session: SessionId,
    arguments: &[Bytes],
    now: Times,
    (lag, known): (Duration, u64),
) -> Option<Resp> {
    let redis = server.redis();
    let at_us = now.elapsed_us.checked_sub(micros(lag));
    let (mut databases, _) = redis.was(Reached { at_us, write: known })?;
    let keys = databases.remove(&redis.selected()).unwrap_or_default();
    let upstash = server.expects_upstash(session);
    Some(redis.replica(keys, upstash).execute(now.now_us, arguments))
}

/// Whether a reply is final whatever a replica says: the command was queued, or an error may mean that
/// the client must not read at all.
pub(crate) fn is_final(replies: &[Resp]) -> bool {
    match replies {
        [Resp::Simple(status)] => status == "QUEUED",
        [Resp::Error(_)] => true,
        _ => false,
    }
}

fn count_keys(server: &Server) -> usize {
    server.redis().databases().map(|(_, keys)| keys.len()).sum()
}

/// At most the greatest that fits.
pub(crate) fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
