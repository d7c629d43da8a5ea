//! A connection to the cluster's Redis, for any commands.

use std::time::Duration;

use bytes::Bytes;
use leasehold_fake_redis::Resp;

use super::{
    Process,
    ask::ask,
    runtime::{Answer, Order, with},
    users::{RedisError, Sent},
};

/// How long a command waits for its reply, unless said otherwise: as long as a connection of the
/// crate `redis` does.
const RESPONSE_TIMEOUT: Duration = Duration::from_millis(500);

/// A connection of a simulated process to the cluster's Redis, from [`Process::redis`]: what is sent
/// over it is a message in the simulated network, which can delay it, lose it and repeat it. The
/// server executes any command that [the fake](leasehold_fake_redis) has, with real Lua.
///
/// With the feature `redis` it is a connection of the crate `redis` (`redis::aio::ConnectionLike`),
/// so that code for that crate runs as it is: scripts, pipelines and transactions.
///
/// Clones share the session, and with it `WATCH` and `MULTI`. If the connection breaks, the commands
/// under way fail, and the next one opens it again, as a `ConnectionManager` does; what the session
/// knew is forgotten. A copy that the network delivers is executed by a session of its own.
///
/// # Differences from a socket
///
/// Commands of one pipeline are executed at one instant. A command that would wait, such as `BLPOP`,
/// is answered as if its time had run out; but a `WAIT` that is sent by itself to a server whose
/// replicas [acknowledge](crate::world::Topology::Acknowledged) is answered once they have. What is
/// published has no way to those who subscribe by it; [`SimStore::subscribe`] has one.
///
/// [`SimStore::subscribe`]: leasehold_core::Store::subscribe
///
/// # Panics
///
/// Whatever uses it outside of its simulation.
///
/// ```
/// use leasehold_fake_redis::Resp;
/// use leasehold_sim::cluster::Cluster;
///
/// let test = Cluster::new(|cluster| {
///     cluster.process(async |me| {
///         let redis = me.redis();
///         let reply = redis.send(&["SET", "job", &me.name(), "NX", "PX", "1000"]).await;
///         assert_eq!(reply, Ok(Resp::OK));
///     });
/// });
/// test.check(100);
/// ```
#[derive(Clone, Debug)]
pub struct SimRedis {
    process: Process,
    server: u8,
    connection: u32,
    response_timeout: Option<Duration>,
}

impl SimRedis {
    pub(super) fn new(process: Process, server: u8) -> Self {
        let connection = with(|runtime| {
            let broken = &mut runtime.place(process.client).broken;
            broken.push(0);
            broken.len() as u32 - 1
        });
        Self { process, server, connection, response_timeout: Some(RESPONSE_TIMEOUT) }
    }

    /// Waits for a reply for so long by the process's clock, 500 ms unless said; for ever with `None`.
    #[must_use]
    pub fn response_timeout(mut self, limit: Option<Duration>) -> Self {
        self.response_timeout = limit;
        self
    }

    /// Sends a command, and gives the reply of the server, which may be an error.
    ///
    /// # Errors
    ///
    /// [`RedisError`], which says whether it may have been executed.
    ///
    /// # Cancellation
    ///
    /// Dropping the future does not take back a command that was sent.
    ///
    /// # Panics
    ///
    /// Outside of its simulation.
    pub async fn send(&self, words: &[impl AsRef<[u8]> + Sync]) -> Result<Resp, RedisError> {
        let words = words.iter().map(|word| Bytes::copy_from_slice(word.as_ref())).collect();
        let mut replies = self.send_all(vec![words]).await?;
        Ok(replies.pop().unwrap_or(Resp::Nil))
    }

    /// Sends commands together, and gives a reply for each.
    ///
    /// # Errors
    ///
    /// [`RedisError`]: all of them have the same fate.
    ///
    /// # Cancellation
    ///
    /// Dropping the future does not take back what was sent.
    ///
    /// # Panics
    ///
    /// Outside of its simulation.
    pub async fn send_all(&self, commands: Vec<Vec<Bytes>>) -> Result<Vec<Resp>, RedisError> {
        let (client, node, connection) = (self.process.client, self.server, self.connection);
        let order = move |wait| {
            let sent = Sent { connection, broken: 0, commands };
            Order::Redis { wait, node, sent: Box::new(sent) }
        };
        let answer = match self.response_timeout {
            None => Ok(ask(client, order).await),
            Some(limit) => self.process.timeout(limit, ask(client, order)).await,
        };
        match answer {
            Ok(Answer::Redis(result)) => result,
            Ok(_) => unreachable!("a command is answered as such"),
            Err(_) => Err(RedisError::TimedOut),
        }
    }
}

#[cfg(feature = "redis")]
mod of_the_crate {
    use std::io;

    use leasehold_fake_redis::redis_rs::{commands, value};
    use redis::{Cmd, Pipeline, RedisFuture, RedisResult, Value, aio::ConnectionLike};

    use super::{RedisError, SimRedis};

    impl ConnectionLike for SimRedis {
        fn req_packed_command<'a>(&'a mut self, command: &'a Cmd) -> RedisFuture<'a, Value> {
            Box::pin(async move {
                let mut values = self.values(&command.get_packed_command()).await?;
                values.pop().unwrap_or_default().extract_error()
            })
        }

        fn req_packed_commands<'a>(
            &'a mut self,
            pipeline: &'a Pipeline,
            offset: usize,
            count: usize,
        ) -> RedisFuture<'a, Vec<Value>> {
            Box::pin(async move {
                let values = self.values(&pipeline.get_packed_pipeline()).await?;
                Ok(values.into_iter().skip(offset).take(count).collect())
            })
        }

        fn get_db(&self) -> i64 {
            0
        }
    }

    impl SimRedis {
        async fn values(&self, packed: &[u8]) -> RedisResult<Vec<Value>> {
            let replies = self.send_all(commands(packed)?).await?;
            replies.into_iter().map(value).collect()
        }
    }

    /// As that crate tells what becomes of a connection: [`redis::RedisError::is_connection_dropped`]
    /// and its like say the same.
    impl From<RedisError> for redis::RedisError {
        fn from(error: RedisError) -> Self {
            let kind = match error {
                RedisError::Refused => io::ErrorKind::ConnectionRefused,
                RedisError::Broken => io::ErrorKind::ConnectionReset,
                RedisError::TimedOut => io::ErrorKind::TimedOut,
            };
            io::Error::new(kind, error).into()
        }
    }

    #[cfg(test)]
    mod tests {
        use super::RedisError;

        #[test]
        fn the_crate_says_the_same_of_a_lost_reply() {
            let of = |error: RedisError| redis::RedisError::from(error);
            assert!(of(RedisError::Refused).is_connection_refusal());
            assert!(of(RedisError::Broken).is_connection_dropped());
            assert!(of(RedisError::TimedOut).is_timeout());
        }
    }
}
