//! The data of a server at one instant.

use std::{collections::BTreeMap, fmt, time::Duration};

use super::Server;
use crate::{Keyspace, keyspace::copy};

/// All keys of a server with their times to live, and what its clock showed: to go back to. Sessions,
/// scripts, settings and users are no part of it.
#[derive(Clone)]
pub struct Snapshot {
    databases: BTreeMap<usize, Keyspace>,
    now_us: u64,
}

impl Snapshot {
    /// What the server's wall clock showed, in time since the Unix epoch.
    #[must_use]
    pub fn time(&self) -> Duration {
        Duration::from_micros(self.now_us)
    }

    /// How many keys it has, in all databases, with those that have expired and are not removed yet.
    #[must_use]
    pub fn keys(&self) -> usize {
        self.databases.values().map(Keyspace::len).sum()
    }

    pub(crate) fn databases(&self) -> BTreeMap<usize, Keyspace> {
        self.databases.clone()
    }
}

/// Without the data, which may be secret.
impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (time, keys) = (self.time(), self.keys());
        f.debug_struct("Snapshot").field("time", &time).field("keys", &keys).finish_non_exhaustive()
    }
}

impl Server {
    /// What there is now.
    pub(crate) fn snapshot(&self, now_us: u64) -> Snapshot {
        Snapshot { databases: copy(&self.redis), now_us }
    }
}
