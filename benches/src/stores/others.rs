//! What other libraries do over the same server: without a fence, and without a tombstone against
//! late copies.

use std::{fmt, time::Duration};

use leasehold_upstash::redis::{self, Client, Script, aio::MultiplexedConnection};
use rslock::{Lock, LockError, LockManager};

use super::cycles::Cycle;

const LEASE: Duration = Duration::from_secs(10);

/// The lock of the textbook, by hand: `SET … NX PX`, and a script that compares and deletes. What
/// a library that does nothing else cannot be faster than.
#[derive(Clone)]
pub struct Textbook {
    connection: MultiplexedConnection,
    release: Script,
    key: String,
    taken: u64,
}

impl Textbook {
    /// A lock under `key` on the server at `url`.
    ///
    /// # Panics
    ///
    /// If it is not there.
    pub async fn at(url: &str, key: &str) -> Self {
        let client = Client::open(url).expect("a server's own URL is one");
        let connection = client.get_multiplexed_async_connection().await;
        let connection = connection.expect("the server is there");
        let release = Script::new(
            "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
             return redis.call('DEL', KEYS[1])",
        );
        Self { connection, release, key: key.to_owned(), taken: 0 }
    }

    /// Locks of so many names, over one connection.
    #[must_use]
    pub fn many(&self, count: usize) -> Vec<Self> {
        (0..count).map(|key| Self { key: format!("textbook:{key}"), ..self.clone() }).collect()
    }
}

impl Cycle for Textbook {
    async fn run(&mut self) {
        self.taken += 1;
        let token = self.taken.to_string();
        let mut set = redis::cmd("SET");
        set.arg(&self.key).arg(&token).arg("NX").arg("PX").arg(LEASE.as_millis() as u64);
        let taken: bool = set.query_async(&mut self.connection).await.expect("the server is there");
        assert!(taken, "nobody else wants it");
        let mut release = self.release.key(&self.key);
        let freed: bool = release
            .arg(&token)
            .invoke_async(&mut self.connection)
            .await
            .expect("the server is there");
        assert!(freed, "it is not ours any more");
    }
}

impl fmt::Debug for Textbook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Textbook").field("key", &self.key).finish_non_exhaustive()
    }
}

/// The crate `rslock`, over one server.
#[derive(Clone, Debug)]
pub struct Rslock {
    manager: LockManager,
    key: String,
}

impl Rslock {
    /// A lock under `key` on the server at `url`.
    #[must_use]
    pub fn at(url: &str, key: &str) -> Self {
        Self { manager: LockManager::new(vec![url]), key: key.to_owned() }
    }

    /// Locks of so many names, over one connection.
    #[must_use]
    pub fn many(&self, count: usize) -> Vec<Self> {
        (0..count).map(|key| Self { key: format!("rslock:{key}"), ..self.clone() }).collect()
    }
}

impl Rslock {
    /// Asks again after less than `delay`, instead of 200 ms, until it has the lock.
    #[must_use]
    pub fn again_within(mut self, delay: Duration) -> Self {
        self.manager.set_retry(u32::MAX, delay);
        self
    }

    pub(super) async fn take(&self) -> Result<Lock, LockError> {
        self.manager.lock(self.key.as_bytes(), LEASE).await
    }

    pub(super) async fn give(&self, lock: &Lock) {
        self.manager.unlock(lock).await;
    }
}

impl Cycle for Rslock {
    async fn run(&mut self) {
        let lock = self.take().await.expect("nobody else wants it");
        self.give(&lock).await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;
    use leasehold_fake_redis::serve::{Host, HostOptions, resp};
    use tokio::net::TcpListener;

    use super::*;
    use crate::stores::cycles::solo;

    #[tokio::test]
    async fn each_takes_its_lock_and_gives_it_back() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("redis://{}", listener.local_addr().unwrap());
        let host = Host::new(HostOptions::default());
        tokio::spawn(resp::listen(Arc::clone(&host), listener));

        let textbook = Textbook::at(&url, "job").await;
        assert_eq!(solo(textbook.many(2).remove(1), 3).await.cycles, 3);
        assert_eq!(solo(Rslock::at(&url, "job").many(2).remove(1), 3).await.cycles, 3);
        let client = host.connect_trusted().unwrap();
        let size = client.perform(&[Bytes::from_static(b"DBSIZE")]).await;
        assert!(format!("{size:?}").contains("Integer(0)"), "{size:?}");
    }
}
