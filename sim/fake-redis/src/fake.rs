//! A server in this process, for tests: no socket, and a clock that obeys.

mod clock;
mod connection;
#[cfg(feature = "faults")]
mod faults;
mod lost;
#[cfg(feature = "redis")]
pub(crate) mod redis_rs;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Waker,
    time::Duration,
};

use bytes::Bytes;
use leasehold_core::{Command, Reply, Store, StoreError};

pub use connection::FakeConnection;
pub use lost::LostReply;

use super::{Delivery, Engine, Redis, Resp, Server, SessionId, Snapshot};
use clock::Clock;

/// One server behind a mutex, as a real one has one thread, with a clock that moves only when it
/// is told to. Clones are handles on the same server.
///
/// ```
/// use std::time::Duration;
/// use leasehold_fake_redis::{FakeRedis, Resp};
///
/// let server = FakeRedis::default();
/// assert_eq!(server.command(&["SET", "job", "token", "NX", "PX", "1000"]), Resp::OK);
/// assert_eq!(server.command(&["SET", "job", "other", "NX", "PX", "1000"]), Resp::Nil);
/// server.advance(Duration::from_millis(1_001));
/// assert_eq!(server.command(&["SET", "job", "other", "NX", "PX", "1000"]), Resp::OK);
/// ```
///
/// It is a [`Store`], too. Every command is applied at once and answered; a dropped future was
/// never sent.
///
/// ```
/// use leasehold_core::{Command, Reply, Store, Token, lock::{LockCommand, LockKeys, LockReply}};
/// use leasehold_fake_redis::{Engine, FakeRedis, Resp};
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let server = FakeRedis::new(Engine::Lua);
/// let acquire = Command::Lock(LockCommand::Acquire {
///     keys: LockKeys::of("job").into(),
///     token: Token::new("a").unwrap(),
///     lease_ms: 1_000,
///     fence_life_ms: 60_000,
///     tombstone_ms: 60_000,
/// });
/// let reply = server.execute(acquire).await;
/// assert!(matches!(reply, Ok(Reply::Lock(LockReply::Acquired { .. }))));
/// assert_eq!(server.command(&["GET", "job"]), Resp::Bulk("a".into()));
/// # });
/// ```
#[derive(Clone)]
pub struct FakeRedis {
    shared: Arc<Mutex<Shared>>,
    engine: Engine,
}

struct Shared {
    server: Server,
    clock: Clock,
    /// The session behind [`FakeRedis::command`].
    session: SessionId,
    /// What came up for sessions and was not taken yet.
    deliveries: BTreeMap<SessionId, Vec<Delivery>>,
    /// Who waits for a delivery, or to be released.
    waiting: Vec<Waker>,
    /// The sessions that the server has ended, until their owners notice.
    closed: BTreeSet<SessionId>,
    /// How many have connected.
    connections: u64,
    #[cfg(feature = "faults")]
    fault_state: faults::FaultState,
}

impl Default for FakeRedis {
    /// An empty server that runs every script in Lua.
    fn default() -> Self {
        Self::new(Engine::Lua)
    }
}

impl FakeRedis {
    /// An empty server. It is 2024-01-01 there, and stays so until the clock is moved. `engine`
    /// says how [`Store::execute`] runs the scripts of Leasehold; what is sent as a command is run
    /// in Lua.
    #[must_use]
    pub fn new(engine: Engine) -> Self {
        Self::with(engine, Clock::frozen())
    }

    /// An empty server whose clock runs by itself: `now` tells the time in microseconds since the
    /// Unix epoch. The clock can still be moved, relative to `now`.
    ///
    /// ```
    /// use std::time::{Duration, SystemTime, UNIX_EPOCH};
    /// use leasehold_fake_redis::{Engine, FakeRedis};
    ///
    /// let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros() as u64;
    /// let server = FakeRedis::with_clock(Engine::Lua, now);
    /// server.advance(Duration::from_secs(3_600));
    /// assert!(server.time() > Duration::from_micros(now()));
    /// ```
    #[must_use]
    pub fn with_clock(engine: Engine, now: impl Fn() -> u64 + Send + 'static) -> Self {
        Self::with(engine, Clock::running(Box::new(now)))
    }

    fn with(engine: Engine, clock: Clock) -> Self {
        let mut server = Server::default();
        let session = server.connect();
        let shared = Shared {
            server,
            clock,
            session,
            deliveries: BTreeMap::new(),
            waiting: Vec::new(),
            closed: BTreeSet::new(),
            connections: 0,
            #[cfg(feature = "faults")]
            fault_state: faults::FaultState::default(),
        };
        Self { shared: Arc::new(Mutex::new(shared)), engine }
    }

    /// Moves the server's clock on by `time`, rounded down to microseconds. What is due by then
    /// expires.
    pub fn advance(&self, time: Duration) {
        self.shared().pass(time);
    }

    /// Sets the server's wall clock, in time since the Unix epoch. It may go back.
    pub fn set_time(&self, since_epoch: Duration) {
        let mut shared = self.shared();
        shared.clock.set(since_epoch);
        shared.distribute();
    }

    /// The server's wall clock, in time since the Unix epoch.
    #[must_use]
    pub fn time(&self) -> Duration {
        Duration::from_micros(self.shared().clock.now_us())
    }

    /// Takes down every key and what the clock shows, for [`FakeRedis::restore`].
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let shared = self.shared();
        shared.server.snapshot(shared.clock.now_us())
    }

    /// Goes back to a snapshot, of this server or of another: to its keys, and to its time. Sessions,
    /// scripts and settings stay as they are. To whoever watches a key, it has changed.
    ///
    /// ```
    /// use std::time::Duration;
    /// use leasehold_fake_redis::{FakeRedis, Resp};
    ///
    /// let server = FakeRedis::default();
    /// server.command(&["SET", "job", "token", "PX", "1000"]);
    /// let locked = server.snapshot();
    /// server.advance(Duration::from_secs(60));
    /// assert_eq!(server.command(&["GET", "job"]), Resp::Nil);
    /// server.restore(&locked);
    /// assert_eq!(server.command(&["PTTL", "job"]), Resp::Integer(1_000));
    /// ```
    pub fn restore(&self, snapshot: &Snapshot) {
        let mut shared = self.shared();
        shared.clock.set(snapshot.time());
        let now_us = shared.clock.now_us();
        shared.server.restore(now_us, snapshot);
        shared.distribute();
    }

    /// Removes every key and every fault, and lets the clock show what it would if it had never been
    /// moved. Sessions, scripts and settings stay as they are.
    pub fn reset(&self) {
        let mut shared = self.shared();
        #[cfg(feature = "faults")]
        shared.forget_faults();
        shared.clock.reset();
        let now_us = shared.clock.now_us();
        shared.server.flush(now_us);
        shared.distribute();
    }

    /// Sends a command and gives the reply, with the kinds of RESP3. All commands that are sent so
    /// come from one session; see [`FakeRedis::connect`] for more.
    ///
    /// A command that would have to wait, such as `BLPOP` on an empty list, is answered as if its
    /// time had run out: nothing can happen meanwhile.
    pub fn command(&self, words: &[impl AsRef<[u8]>]) -> Resp {
        let mut shared = self.shared();
        let words = bytes(words);
        let mut session = shared.session;
        if shared.closed.remove(&session) {
            session = shared.server.connect();
            shared.session = session;
        }
        match shared.execute(session, &words) {
            Some(reply) => reply,
            None => {
                shared.server.disconnect(session);
                shared.session = shared.server.connect();
                Resp::NilArray
            }
        }
    }

    /// A session of its own, with its own transaction, subscriptions and name.
    #[must_use]
    pub fn connect(&self) -> FakeConnection {
        FakeConnection::new(Arc::clone(&self.shared))
    }

    /// Looks at the data, or changes it from outside: settings, eviction, a restart.
    ///
    /// ```
    /// use leasehold_fake_redis::{FakeRedis, Redis, Resp, ScriptRules};
    ///
    /// let server = FakeRedis::default();
    /// server.with_redis(|redis| redis.script_rules = ScriptRules::UPSTASH);
    /// server.command(&["SET", "job", "token"]);
    /// server.with_redis(|redis| *redis = Redis::default());
    /// assert_eq!(server.command(&["GET", "job"]), Resp::Nil);
    /// ```
    pub fn with_redis<R>(&self, f: impl FnOnce(&mut Redis) -> R) -> R {
        f(self.shared().server.redis_mut())
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        lock(&self.shared)
    }
}

fn bytes(words: &[impl AsRef<[u8]>]) -> Vec<Bytes> {
    words.iter().map(|word| Bytes::copy_from_slice(word.as_ref())).collect()
}

/// A panic in one test must not hide what the server holds from another.
fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Store for FakeRedis {
    async fn execute(&self, command: Command) -> Result<Reply, StoreError> {
        #[cfg(feature = "faults")]
        if let Some(effects) = self.judge(&command) {
            return self.execute_with_faults(&command, &effects).await;
        }
        let mut shared = self.shared();
        let now_us = shared.clock.now_us();
        let executed = shared.server.apply(now_us, &command, self.engine);
        shared.distribute();
        executed
    }
}

impl fmt::Debug for FakeRedis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FakeRedis").field("engine", &self.engine).finish_non_exhaustive()
    }
}
