//! The simulator's Redis as a store of this process.

use std::{
    fmt,
    sync::{Mutex, PoisonError},
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use leasehold_core::{Command, Reply, Store, StoreError};
use leasehold_sim::redis::{Engine, Redis};

/// One fake server behind a mutex, as a real one has one thread.
pub struct Fake {
    redis: Mutex<Redis>,
    engine: Engine,
    start: Instant,
    wall_us: u64,
}

impl Fake {
    /// An empty server whose clock shows the wall time.
    #[must_use]
    pub fn new(engine: Engine) -> Self {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let wall_us = u64::try_from(wall.as_micros()).unwrap_or_default();
        Self { redis: Mutex::default(), engine, start: Instant::now(), wall_us }
    }
}

impl Store for Fake {
    async fn execute(&self, command: Command) -> Result<Reply, StoreError> {
        let passed = u64::try_from(self.start.elapsed().as_micros()).unwrap_or(u64::MAX);
        let now_us = self.wall_us.saturating_add(passed);
        let mut redis = self.redis.lock().unwrap_or_else(PoisonError::into_inner);
        redis.apply(now_us, &command, self.engine)
    }
}

impl fmt::Debug for Fake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fake").field("engine", &self.engine).finish_non_exhaustive()
    }
}
