//! The fake Redis passes the suite that every store must pass: the Lua scripts, and their native
//! twins.

use std::time::Duration;

use leasehold_core::conformance::{Fixture, Foreign};
use leasehold_fake_redis::{Engine, FakeRedis, Resp};

struct Fake(FakeRedis);

impl Fixture for Fake {
    type Store = FakeRedis;

    fn store(&self) -> FakeRedis {
        self.0.clone()
    }

    async fn pass(&self, time: Duration) {
        self.0.advance(time);
    }

    fn is_exact(&self) -> bool {
        true
    }

    async fn forget_scripts(&self) -> bool {
        self.0.command(&["SCRIPT", "FLUSH"]) == Resp::OK
    }

    async fn write_foreign(&self, key: &str, value: Foreign) -> bool {
        let reply = match value {
            Foreign::Text => self.0.command(&["SET", key, "not a lock"]),
            Foreign::OtherType => self.0.command(&["HSET", key, "not", "a lock"]),
        };
        matches!(reply, Resp::Integer(1)) || reply == Resp::OK
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
