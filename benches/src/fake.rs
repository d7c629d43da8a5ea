//! The simulator's Redis as a store of this process, and commands to measure it by.

use std::{
    fmt,
    sync::{Mutex, PoisonError},
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use leasehold_core::{Command, Reply, Store, StoreError};
use leasehold_fake_redis::{Engine, Redis, Resp};

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

/// A few commands that a lock's users send, again and again.
#[derive(Clone, Debug)]
pub struct Workload {
    /// What is sent.
    pub name: &'static str,
    before: Vec<Vec<Bytes>>,
    commands: Vec<Vec<Bytes>>,
}

/// Deletes a key that holds a token: how a lock is released.
const COMPARE_AND_DELETE: &str = "if redis.call('GET', KEYS[1]) == ARGV[1] then
  return redis.call('DEL', KEYS[1])
end
return 0";
const COMPARE_AND_DELETE_SHA1: &str = "b6a796aa8d73bb4ce6e26afe648196d086a8d1f1";

impl Workload {
    /// Each of them.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let set = ["SET", "k", "v", "NX", "PX", "10000"];
        let release = ["EVALSHA", COMPARE_AND_DELETE_SHA1, "1", "k", "v"];
        let load = ["SCRIPT", "LOAD", COMPARE_AND_DELETE];
        vec![
            Self::new("SET k v NX PX n", &[], &[&set]),
            Self::new("GET k", &[&set], &[&["GET", "k"]]),
            Self::new("INCR n", &[], &[&["INCR", "n"]]),
            Self::new("SET k v NX PX n; EVALSHA release", &[&load], &[&set, &release]),
        ]
    }

    fn new(name: &'static str, before: &[&[&str]], commands: &[&[&str]]) -> Self {
        let all = |commands: &[&[&str]]| commands.iter().map(|words| bytes(words)).collect();
        Self { name, before: all(before), commands: all(commands) }
    }

    /// A server that is ready for it.
    #[must_use]
    pub fn server(&self) -> Redis {
        let mut redis = Redis::default();
        for command in &self.before {
            redis.execute(NOW_US, command);
        }
        redis
    }

    /// Runs it once; the last reply.
    pub fn step(&self, redis: &mut Redis) -> Resp {
        let mut last = Resp::Nil;
        for command in &self.commands {
            last = redis.execute(NOW_US, command);
        }
        last
    }
}

/// The server's clock, which stands still.
const NOW_US: u64 = 1_704_067_200_000_000;

fn bytes(words: &[&str]) -> Vec<Bytes> {
    words.iter().map(|word| Bytes::copy_from_slice(word.as_bytes())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_workload_does_what_it_says_each_time() {
        for workload in Workload::all() {
            let mut redis = workload.server();
            let first = workload.step(&mut redis);
            let second = workload.step(&mut redis);
            let expected = match workload.name {
                "SET k v NX PX n" => [Resp::OK, Resp::Nil],
                "GET k" => [Resp::Bulk("v".into()), Resp::Bulk("v".into())],
                "INCR n" => [Resp::Integer(1), Resp::Integer(2)],
                _ => [Resp::Integer(1), Resp::Integer(1)],
            };
            assert_eq!([first, second], expected, "{}", workload.name);
        }
    }
}
