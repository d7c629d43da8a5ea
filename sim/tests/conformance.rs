//! The fake Redis passes the suite that every store must pass: the Lua scripts, and their native
//! twins.

use std::time::Duration;

use leasehold_core::conformance::Fixture;
use leasehold_sim::redis::{Engine, FakeRedis};

struct Fake(FakeRedis);

impl Fixture for Fake {
    type Store = FakeRedis;

    fn store(&self) -> FakeRedis {
        self.0.clone()
    }

    async fn pass(&self, time: Duration) {
        self.0.advance(time);
    }
}

/// Runs one case; nothing in it ever waits for anything outside.
fn run(case: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.expect("a runtime without drivers").block_on(case);
}

mod lua {
    use super::*;

    leasehold_core::store_conformance! {
        run: run,
        fixture: async { Some(Fake(FakeRedis::new(Engine::Lua))) },
    }
}

mod native {
    use super::*;

    leasehold_core::store_conformance! {
        run: run,
        fixture: async { Some(Fake(FakeRedis::new(Engine::Native))) },
    }
}
