//! The store over TCP passes the suite that every store must pass on a real server, too.

use std::time::Duration;

use leasehold_core::conformance::{Fixture, Foreign};
use leasehold_upstash::{Tcp, TcpBuilder};

use crate::{PATIENCE, redis_server::RedisServer};

/// A store, and the server that it is on.
struct Real {
    store: Tcp,
    server: RedisServer,
}

impl Real {
    fn start() -> Option<Self> {
        let server = RedisServer::start(&[])?;
        let builder = TcpBuilder::new(&server.url()).unwrap().connect_timeout(PATIENCE);
        Some(Self { store: builder.build().unwrap(), server })
    }
}

impl Fixture for Real {
    type Store = Tcp;

    fn store(&self) -> Tcp {
        self.store.clone()
    }

    /// The clock of a real server cannot be moved.
    async fn pass(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }

    async fn forget_scripts(&self) -> bool {
        self.server.run("SCRIPT FLUSH").await;
        true
    }

    async fn write_foreign(&self, key: &str, value: Foreign) -> bool {
        let command = match value {
            Foreign::Text => format!("SET {key} theirs"),
            Foreign::OtherType => format!("HSET {key} field theirs"),
        };
        self.server.run(&command).await;
        true
    }
}

fn block_on(case: impl Future<Output = ()>) {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().build().expect("a runtime").block_on(case);
}

leasehold_core::store_conformance! {
    run: |case| block_on(case),
    fixture: async { Real::start() },
}
