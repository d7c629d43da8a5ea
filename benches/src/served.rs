//! Loads for a server of Redis's protocol, real or fake.

use std::{
    io,
    process::Command,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use leasehold_upstash::redis::{self, Client, Connection, RedisResult};

use crate::servers::Server;

/// A run of `redis-benchmark` with fifty connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Load {
    /// `set`, `get` or `incr`.
    pub command: &'static str,
    /// How many commands a connection sends at once.
    pub pipeline: u32,
    /// How many commands there are, all connections together.
    pub commands: u64,
}

impl Load {
    /// Commands per second.
    ///
    /// # Errors
    ///
    /// If there is no `redis-benchmark`, or it says something else.
    pub fn run(self, server: &Server) -> io::Result<f64> {
        let address = server.url.trim_start_matches("redis://");
        let (host, port) = address.rsplit_once(':').ok_or(io::ErrorKind::InvalidInput)?;
        let (commands, pipeline) = (self.commands.to_string(), self.pipeline.to_string());
        let output = Command::new("redis-benchmark")
            .args(["-h", host, "-p", port, "-t", self.command, "-c", "50", "--csv"])
            .args(["-n", &commands, "-P", &pipeline])
            .output()?;
        let text = String::from_utf8_lossy(&output.stdout);
        rate(&text).ok_or_else(|| io::Error::other(format!("redis-benchmark said: {text}")))
    }
}

/// The rate in the last line that has one, the second column.
fn rate(csv: &str) -> Option<f64> {
    csv.lines().rev().find_map(|line| line.split(',').nth(1)?.trim_matches('"').parse().ok())
}

/// Many keys that all end at once.
#[derive(Debug)]
pub struct Ending {
    /// How many.
    pub keys: u64,
    /// When they end, in milliseconds since 1970.
    at_ms: u64,
}

impl Ending {
    /// Sets so many keys and no others, which end when `lasts` is over.
    ///
    /// # Errors
    ///
    /// What the server answered instead.
    pub fn fill(server: &Server, keys: u64, lasts: Duration) -> RedisResult<Self> {
        let at = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default() + lasts;
        let at_ms = u64::try_from(at.as_millis()).unwrap_or(u64::MAX);
        let mut connection = connect(server)?;
        redis::cmd("FLUSHALL").query::<()>(&mut connection)?;
        let numbers: Vec<u64> = (0..keys).collect();
        for some in numbers.chunks(1_000) {
            let mut pipeline = redis::pipe();
            for number in some {
                pipeline.cmd("SET").arg(format!("lock:{number}")).arg(format!("token-{number}"));
                pipeline.arg("PXAT").arg(at_ms).ignore();
            }
            pipeline.query::<()>(&mut connection)?;
        }
        Ok(Self { keys, at_ms })
    }

    /// Sends PINGs from the moment that they end until none is left; the longest that one took.
    ///
    /// # Errors
    ///
    /// What the server answered instead.
    pub fn longest_pause(&self, server: &Server) -> RedisResult<Duration> {
        let mut connection = connect(server)?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        std::thread::sleep(Duration::from_millis(self.at_ms).saturating_sub(now));
        let mut longest = Duration::ZERO;
        for number in 0_u64.. {
            let before = Instant::now();
            redis::cmd("PING").query::<()>(&mut connection)?;
            longest = longest.max(before.elapsed());
            if number % 100 == 0 && redis::cmd("DBSIZE").query::<u64>(&mut connection)? == 0 {
                break;
            }
        }
        Ok(longest)
    }
}

fn connect(server: &Server) -> RedisResult<Connection> {
    Client::open(server.url.as_str())?.get_connection()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_read_from_the_table() {
        let csv = "\"test\",\"rps\",\"avg_latency_ms\"\n\"SET\",\"181818.17\",\"0.144\"\n";
        assert_eq!(rate(csv), Some(181_818.17));
        assert_eq!(rate("Could not connect"), None);
    }
}
