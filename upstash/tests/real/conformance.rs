//! Both stores pass the suite that every store must pass.

use std::time::Duration;

use leasehold_core::{Store, conformance::Fixture};

use crate::redis_server::RedisServer;

/// A store, and the server that it is on.
struct Real<S> {
    store: S,
    _server: RedisServer,
}

impl<S: Store + Clone + Sync> Fixture for Real<S> {
    type Store = S;

    fn store(&self) -> S {
        self.store.clone()
    }

    /// The clock of a real server cannot be moved.
    async fn pass(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}

fn block_on(case: impl Future<Output = ()>) {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().build().expect("a runtime").block_on(case);
}

mod over_tcp {
    use leasehold_upstash::{Tcp, TcpBuilder};

    use super::{Real, RedisServer, block_on};
    use crate::PATIENCE;

    fn fixture() -> Option<Real<Tcp>> {
        let server = RedisServer::start(&[])?;
        let builder = TcpBuilder::new(&server.url()).unwrap().connect_timeout(PATIENCE);
        Some(Real { store: builder.build().unwrap(), _server: server })
    }

    leasehold_core::store_conformance! {
        run: |case| block_on(case),
        fixture: async { fixture() },
    }
}

mod over_rest {
    use leasehold_upstash::{Upstash, redis::Client};

    use super::{Real, RedisServer, block_on};
    use crate::{PATIENCE, bridge};

    async fn fixture() -> Option<Real<Upstash>> {
        let server = RedisServer::start(&[])?;
        let url = bridge::in_front_of(Client::open(server.url()).unwrap()).await;
        // So few that what is asked at once has to share them.
        let builder = Upstash::builder(&url, "token").requests_in_flight(2).timeout(PATIENCE);
        Some(Real { store: builder.build().unwrap(), _server: server })
    }

    leasehold_core::store_conformance! {
        run: |case| block_on(case),
        fixture: fixture(),
    }
}
