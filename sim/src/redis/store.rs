//! A simulated server as a store of this process.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use leasehold_core::{Command, Reply, Store, StoreError};

use super::{Engine, Redis, Resp};

/// When a server's clock starts: 2024-01-01, in microseconds since the Unix epoch.
const START_US: u64 = 1_704_067_200_000_000;

/// One [`Redis`] behind a mutex, as a real one has one thread, with a clock that moves only when it
/// is told to. Clones are handles on the same server.
///
/// Every command is applied at once and answered; a dropped future was never sent.
///
/// ```
/// use std::time::Duration;
/// use leasehold_core::{Command, Reply, Store, Token, lock::{LockCommand, LockKeys, LockReply}};
/// use leasehold_sim::redis::{Engine, FakeRedis};
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let server = FakeRedis::new(Engine::Lua);
/// let acquire = |token: &str| {
///     Command::Lock(LockCommand::Acquire {
///         keys: LockKeys::of("job").into(),
///         token: Token::new(token).unwrap(),
///         lease_ms: 1_000,
///         fence_life_ms: 60_000,
///         mark_ms: 60_000,
///     })
/// };
/// assert!(matches!(
///     server.execute(acquire("a")).await,
///     Ok(Reply::Lock(LockReply::Acquired { .. }))
/// ));
/// server.advance(Duration::from_secs(2));
/// assert!(matches!(
///     server.execute(acquire("b")).await,
///     Ok(Reply::Lock(LockReply::Acquired { .. }))
/// ));
/// # });
/// ```
#[derive(Clone)]
pub struct FakeRedis {
    server: Arc<Mutex<Server>>,
    engine: Engine,
}

#[derive(Default)]
struct Server {
    redis: Redis,
    now_us: u64,
}

impl FakeRedis {
    /// An empty server.
    #[must_use]
    pub fn new(engine: Engine) -> Self {
        let server = Server { now_us: START_US, ..Server::default() };
        Self { server: Arc::new(Mutex::new(server)), engine }
    }

    /// Moves the server's clock on by `time`, rounded down to microseconds.
    pub fn advance(&self, time: Duration) {
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        let mut server = self.server();
        server.now_us = server.now_us.saturating_add(micros);
    }

    /// Sends any command, as another program would. The arguments begin with its name.
    pub fn send(&self, arguments: &[Bytes]) -> Resp {
        let mut server = self.server();
        let now_us = server.now_us;
        server.redis.execute(now_us, arguments)
    }

    fn server(&self) -> MutexGuard<'_, Server> {
        self.server.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for FakeRedis {
    async fn execute(&self, command: Command) -> Result<Reply, StoreError> {
        let mut server = self.server();
        let now_us = server.now_us;
        server.redis.apply(now_us, &command, self.engine)
    }
}

impl fmt::Debug for FakeRedis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FakeRedis").field("engine", &self.engine).finish_non_exhaustive()
    }
}
