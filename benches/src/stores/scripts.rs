//! The very scripts of a lock, sent by hand: what a store that added nothing would take.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use leasehold_core::{
    Command, Token,
    lock::{LockCommand, LockKeys},
    redis::{Request, encode},
};

use super::cycles::Cycle;

/// A way to a server that carries one command.
pub trait Carrier: Clone + Send + 'static {
    /// Sends the words of one command. Its reply, if that is a string or an integer.
    fn carry(&mut self, words: &[&[u8]]) -> impl Future<Output = Option<String>> + Send;
}

/// An acquire and a release of one lock, without a machine, a deadline or a retry.
#[derive(Clone)]
pub struct Scripts<C> {
    carrier: C,
    keys: Arc<LockKeys>,
    series: String,
    taken: u64,
}

impl<C: Carrier> Scripts<C> {
    /// The lock named `id`, for the first time or again.
    #[must_use]
    pub fn over(carrier: C, id: &str) -> Self {
        static OWNERS: AtomicU64 = AtomicU64::new(0);
        let owner = OWNERS.fetch_add(1, Ordering::Relaxed);
        let series = format!("scripts-by-hand-{owner:08}.1");
        Self { carrier, keys: Arc::new(LockKeys::of(id)), series, taken: 0 }
    }

    /// Locks of so many names.
    #[must_use]
    pub fn many(carrier: &C, count: usize) -> Vec<Self> {
        (0..count).map(|key| Self::over(carrier.clone(), &format!("scripts:{key}"))).collect()
    }

    async fn apply(&mut self, command: LockCommand) -> Option<String> {
        let Request::Script(invocation) = encode(&Command::Lock(command)) else {
            unreachable!("only a WAIT is no script")
        };
        match self.carrier.carry(&invocation.by_sha1()).await {
            None => self.carrier.carry(&invocation.by_text()).await,
            answer => answer,
        }
    }
}

impl<C: Carrier + Sync> Cycle for Scripts<C> {
    async fn run(&mut self) {
        self.taken += 1;
        let token = format!("{}#{}", self.series, self.taken);
        let token = Token::new(token).expect("it is a token such as a handle makes");
        let (keys, tombstone_ms) = (self.keys.clone(), 60_000);
        let acquire = LockCommand::Acquire {
            keys: keys.clone(),
            token: token.clone(),
            lease_ms: 10_000,
            fence_life_ms: 86_400_000,
            tombstone_ms,
        };
        let fence = self.apply(acquire).await;
        assert!(fence.is_some_and(|fence| fence.len() > 1), "nobody else wants it");
        let released = self.apply(LockCommand::Release { keys, token, tombstone_ms }).await;
        assert_eq!(released.as_deref(), Some("1"), "it is still under its token");
    }
}

impl<C> fmt::Debug for Scripts<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scripts").field("series", &self.series).finish_non_exhaustive()
    }
}
