//! The stores over TCP pass the suite that every store must pass on a real server, too.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use leasehold_core::{
    Store,
    conformance::{Fixture, Foreign},
};
use leasehold_upstash::{Connected, Exclusive, Tcp, TcpBuilder, redis::aio::MultiplexedConnection};
use tokio::sync::Mutex;

use crate::{LIMIT, cluster::nodes::alone, redis_server::RedisServer};

/// A store, and the server that it is on.
struct Real<S> {
    store: S,
    server: Arc<RedisServer>,
    is_cluster: bool,
}

impl Real<Connected<Exclusive<MultiplexedConnection>>> {
    /// Over a connection that is there already.
    async fn start_handed_in() -> Option<Self> {
        let server = RedisServer::start(&[])?;
        let store = Connected::new(Exclusive::new(server.connection().await));
        Some(Self { store, server: Arc::new(server), is_cluster: false })
    }
}

impl Real<Tcp> {
    fn start() -> Option<Self> {
        let server = RedisServer::start(&[])?;
        let builder = TcpBuilder::new(&server.url()).unwrap().timeout(LIMIT).connect_timeout(LIMIT);
        let store = builder.build().unwrap();
        Some(Self { store, server: Arc::new(server), is_cluster: false })
    }

    /// A Cluster of one node, shared by the cases of one time: it takes some seconds to begin.
    async fn start_cluster() -> Option<Self> {
        static SHARED: Mutex<Weak<RedisServer>> = Mutex::const_new(Weak::new());
        let mut shared = SHARED.lock().await;
        let server = if let Some(server) = shared.upgrade() {
            server
        } else {
            let server = Arc::new(alone().await?);
            *shared = Arc::downgrade(&server);
            server
        };
        let builder =
            TcpBuilder::cluster([&*server.url()]).unwrap().timeout(LIMIT).connect_timeout(LIMIT);
        Some(Self { store: builder.build().unwrap(), server, is_cluster: true })
    }
}

impl<S: Store + Clone + Send + Sync + 'static> Fixture for Real<S> {
    type Store = S;

    fn store(&self) -> S {
        self.store.clone()
    }

    /// The clock of a real server cannot be moved.
    async fn pass(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }

    fn locks_any_id(&self) -> bool {
        !self.is_cluster
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

mod handed_in {
    use super::*;

    leasehold_core::store_conformance! {
        run: |case| block_on(case),
        fixture: Real::start_handed_in(),
    }
}

/// Where all keys of a command must lie in one slot.
mod in_a_cluster {
    use super::*;

    leasehold_core::store_conformance! {
        run: |case| block_on(case),
        fixture: Real::start_cluster(),
    }
}
