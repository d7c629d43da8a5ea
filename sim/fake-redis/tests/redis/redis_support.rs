//! A server with a clock, asked in one line and answering in one, as RESP2 has it.

#![allow(dead_code, reason = "not every test needs all of it")]

use leasehold_fake_redis::Redis;

use crate::sessions_support::{bytes, shown};

/// 2023, so that relative and absolute times differ.
pub(crate) const START_MS: u64 = 1_700_000_000_000;

pub(crate) struct Server {
    pub(crate) redis: Redis,
    pub(crate) now_ms: u64,
}

impl Server {
    pub(crate) fn new() -> Self {
        Self { redis: Redis::default(), now_ms: START_MS }
    }

    /// Sends the words of `line`, and shows the reply.
    pub(crate) fn ask(&mut self, line: &str) -> String {
        self.ask_words(&line.split(' ').collect::<Vec<_>>())
    }

    /// Sends each line on the left and expects the reply on the right.
    pub(crate) fn expect(&mut self, table: &[(&str, &str)]) {
        for (line, reply) in table {
            assert_eq!(self.ask(line), *reply, "{line}");
        }
    }

    pub(crate) fn ask_words(&mut self, words: &[&str]) -> String {
        shown(&self.redis.execute(self.now_ms * 1_000, &bytes(words)).plain())
    }
}
