//! Locks inside one process.

mod debounce;
mod lock;
mod records;
mod watchers;

use std::{
    fmt,
    sync::{Arc, OnceLock},
    task::{Context, Poll},
    time::{SystemTime, UNIX_EPOCH},
};

use self::{
    debounce::DebounceEntry,
    lock::LockRecord,
    records::Records,
    watchers::{Watcher, Watchers},
};
use crate::{
    debounce::{DebounceCommand, DebounceReply},
    lock::{LockCommand, LockKeys, LockReply},
    store::{Command, Reply, Store, StoreError},
    subscription::{ReleaseSource, Subscription},
    time::{Instant, whole_micros},
};

/// A store in this process, shared by reference or `Arc`. Nothing in it outlives the process.
///
/// It keeps the contract of [`Store`] exactly, so it also stands for a server in tests: with
/// [`MemoryStore::with_time`], on a clock that the test moves. Keys expire without a thread: what
/// has expired is not seen, and is swept out as others come, a few at a time. Locks are spread over shards, so
/// those of different ids rarely wait for one another. A release [notifies](Store::subscribe) every
/// watcher at once, and costs nothing more while there are none.
///
/// ```
/// use leasehold_core::{Instant, MemoryStore};
/// use std::sync::{Arc, atomic::{AtomicU64, Ordering}};
///
/// let process_wide = MemoryStore::new();
///
/// let micros = Arc::new(AtomicU64::new(0));
/// let clock = micros.clone();
/// let on_my_time = MemoryStore::with_time(move || {
///     Instant::from_micros(clock.load(Ordering::Relaxed))
/// });
/// ```
pub struct MemoryStore<T = fn() -> Instant> {
    locks: Records<LockRecord>,
    debounces: Records<DebounceEntry>,
    watchers: Arc<Watchers>,
    time: T,
}

impl MemoryStore {
    /// An empty store on the process's monotonic time.
    #[must_use]
    pub fn new() -> Self {
        Self::with_time(process_time)
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Fn() -> Instant> MemoryStore<T> {
    /// An empty store that asks `time` for the time. It must never go back.
    #[must_use]
    pub fn with_time(time: T) -> Self {
        let (locks, debounces) = (Records::new(), Records::new());
        Self { locks, debounces, watchers: Arc::new(Watchers::new()), time }
    }

    /// How many keys are alive, of any kind.
    #[must_use]
    pub fn live_keys(&self) -> usize {
        let now = (self.time)();
        self.locks.live_keys(now) + self.debounces.live_keys(now)
    }

    fn apply(&self, command: Command) -> Reply {
        match command {
            Command::Lock(command) => Reply::Lock(self.apply_lock(command)),
            Command::Debounce(command) => Reply::Debounce(self.apply_debounce(&command)),
        }
    }

    fn apply_lock(&self, command: LockCommand) -> LockReply {
        let keys = command.keys().clone();
        let now = (self.time)();
        let reply = self.locks.apply(now, keys.lock(), |record| record.apply(now, command));
        // The record's shard is unlocked by now: who is woken may look at once.
        if reply == LockReply::Released {
            self.watchers.released(keys.lock());
        }
        reply
    }

    fn apply_debounce(&self, command: &DebounceCommand) -> DebounceReply {
        let now = (self.time)();
        self.debounces.apply(now, command.keys().id(), |entry| entry.apply(now, command))
    }
}

impl<T: Fn() -> Instant + Sync> Store for MemoryStore<T> {
    async fn execute(&self, command: Command) -> Result<Reply, StoreError> {
        Ok(self.apply(command))
    }

    async fn subscribe(&self, keys: &LockKeys) -> Option<Subscription> {
        Some(Subscription::new(Watchers::register(&self.watchers, keys.lock())))
    }
}

impl ReleaseSource for Watcher {
    fn poll_released(&mut self, context: &mut Context<'_>) -> Poll<bool> {
        self.poll_notified(context).map(|()| true)
    }
}

impl<T> fmt::Debug for MemoryStore<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore").finish_non_exhaustive()
    }
}

/// Monotonic within the process; it starts at the wall clock, so that the fences of the next
/// process are greater than those of this one.
fn process_time() -> Instant {
    static START: OnceLock<(std::time::Instant, Instant)> = OnceLock::new();
    let (start, wall) = START.get_or_init(|| {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        (std::time::Instant::now(), Instant::from_micros(whole_micros(wall)))
    });
    *wall + start.elapsed()
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, format};

    use super::*;
    use crate::{
        debounce::{DebounceKeys, Retention, Timing},
        lock::LockKeys,
        token::{Token, Tokens},
    };

    struct Scene {
        store: MemoryStore<std::boxed::Box<dyn Fn() -> Instant>>,
        now: std::rc::Rc<Cell<Instant>>,
    }

    impl Scene {
        fn new() -> Self {
            let now = std::rc::Rc::new(Cell::new(Instant::from_micros(1)));
            let time = now.clone();
            Self { store: MemoryStore::with_time(std::boxed::Box::new(move || time.get())), now }
        }

        fn pass(&self, micros: u64) {
            self.now.set(self.now.get().plus_micros(micros));
        }

        fn acquire(&self, id: &str, token: &Token) -> LockReply {
            let (keys, token) = (Arc::new(LockKeys::of(id)), token.clone());
            let (lease_ms, fence_life_ms, tombstone_ms) = (10, 10, 10);
            let command =
                LockCommand::Acquire { keys, token, lease_ms, fence_life_ms, tombstone_ms };
            self.store.apply_lock(command)
        }

        fn call(&self, id: &str, token: &Token) -> DebounceReply {
            self.store.apply_debounce(&DebounceCommand::Call {
                keys: Arc::new(DebounceKeys::of(id)),
                call: token.clone(),
                args: b"".as_slice().into(),
                seq: 0,
                timing: Timing { wait_ms: 1, max_wait_ms: None, leading: false, trailing: true },
                retention: Retention { armed_ms: 10, settled_ms: 10, memo_ms: 10 },
            })
        }

        fn release(&self, id: &str, token: &Token) -> LockReply {
            let (keys, token) = (Arc::new(LockKeys::of(id)), token.clone());
            self.store.apply_lock(LockCommand::Release { keys, token, tombstone_ms: 10 })
        }
    }

    #[test]
    fn a_lease_lives_to_its_last_microsecond_and_not_one_more() {
        let (scene, mut tokens) = (Scene::new(), Tokens::of_owner("a"));
        scene.acquire("job", &tokens.fresh());
        scene.pass(9_999);
        let reply = scene.acquire("job", &tokens.fresh());
        assert_eq!(reply, LockReply::Busy { remaining_ms: Some(1) });
        scene.pass(1);
        let reply = scene.acquire("job", &tokens.fresh());
        assert!(matches!(reply, LockReply::Acquired { fresh: true, .. }));
    }

    #[test]
    fn what_has_expired_is_swept_out_as_others_come() {
        let (scene, mut tokens) = (Scene::new(), Tokens::of_owner("a"));
        for number in 0..10_000 {
            scene.acquire(&format!("job {number}"), &tokens.fresh());
            scene.pass(1_000);
        }
        assert_eq!(scene.store.live_keys(), 2 * 9, "a lock and a fence, for 9 of 10 ms");
        assert!(scene.store.locks.len() <= 2 * 9, "{}", scene.store.locks.len());
    }

    #[test]
    fn dead_debounced_calls_are_swept_out_too() {
        let (scene, mut tokens) = (Scene::new(), Tokens::of_owner("a"));
        for number in 0..1_000 {
            scene.call(&format!("job {number}"), &tokens.fresh());
            scene.pass(11_000);
        }
        assert!(scene.store.debounces.len() <= 2, "{}", scene.store.debounces.len());
    }

    #[test]
    fn only_what_was_released_was_released() {
        let scene = Scene::new();
        let token = |number: u64| Token::new(format!("me.1#{number}")).unwrap();
        scene.acquire("job", &token(2));
        assert_eq!(scene.release("job", &token(2)), LockReply::Released);
        assert_eq!(scene.release("job", &token(2)), LockReply::Released, "the same call again");
        assert_eq!(scene.release("job", &token(1)), LockReply::NotHeld, "an earlier try");
        scene.acquire("job", &Token::new("other").unwrap());
        assert!(matches!(scene.acquire("job", &token(3)), LockReply::Busy { .. }));
        assert_eq!(scene.release("job", &token(3)), LockReply::NotHeld, "it was only busy");
    }

    #[test]
    fn marks_are_bounded_in_number_and_in_time() {
        let (scene, mut tokens) = (Scene::new(), Tokens::of_owner("a"));
        for _ in 0..5_000 {
            let token = tokens.fresh();
            scene.acquire("job", &token);
            scene.release("job", &token);
        }
        assert_eq!(
            scene.store.live_keys(),
            1 + 1_024 + 1,
            "the fence, the old tombstones, the last one"
        );
        scene.pass(10_000);
        assert_eq!(scene.store.live_keys(), 0);
    }

    #[test]
    fn a_tombstone_made_again_lives_on() {
        let (scene, token) = (Scene::new(), Token::new("mine").unwrap());
        scene.release("job", &token);
        scene.pass(6_000);
        scene.release("job", &token);
        scene.pass(6_000);
        assert_eq!(scene.acquire("job", &token), LockReply::Revoked);
        scene.pass(4_000);
        assert!(matches!(scene.acquire("job", &token), LockReply::Acquired { .. }));
    }

    #[test]
    fn a_subscription_that_is_dropped_leaves_nothing_behind() {
        struct Silent;
        impl std::task::Wake for Silent {
            fn wake(self: Arc<Self>) {}
        }
        let (scene, silent) = (Scene::new(), Arc::new(Silent));
        let watcher = Watchers::register(&scene.store.watchers, "job");
        let waker = std::task::Waker::from(silent.clone());
        assert!(watcher.poll_notified(&Context::from_waker(&waker)).is_pending());
        drop((watcher, waker));
        assert_eq!(Arc::strong_count(&silent), 1, "not even its waker");
    }

    #[test]
    fn its_content_is_not_shown() {
        let scene = Scene::new();
        scene.acquire("job", &Token::new("mine").unwrap());
        assert_eq!(format!("{:?}", scene.store), "MemoryStore { .. }");
    }

    #[test]
    fn fences_start_at_the_wall_clock() {
        assert!(process_time() > Instant::from_micros(1_700_000_000_000_000));
    }
}
