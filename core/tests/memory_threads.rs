//! `MemoryStore` under real threads: one holds a lock at a time, fences grow, and a sweep takes
//! nothing that is alive.

#![allow(clippy::unwrap_used, reason = "for tests only")]

use std::{
    pin::pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    task::{Context, Poll, Waker},
    thread,
};

use leasehold_core::{
    Command, Fence, Instant, MemoryStore, Reply, Store, Token,
    lock::{LockCommand, LockKeys, LockReply},
};

const THREADS: usize = 4;
const ROUNDS: usize = 2_000;
const HOUR_MS: u64 = 3_600_000;

type Timed = MemoryStore<Box<dyn Fn() -> Instant + Send + Sync>>;

/// Each look at the clock finds it a microsecond later.
fn store() -> Timed {
    let micros = AtomicU64::new(1);
    let time = move || Instant::from_micros(micros.fetch_add(1, Ordering::SeqCst));
    MemoryStore::with_time(Box::new(time))
}

/// It answers at once.
fn ask(store: &Timed, command: LockCommand) -> LockReply {
    let call = pin!(store.execute(Command::Lock(command)));
    match call.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Ok(Reply::Lock(reply))) => reply,
        other => panic!("{other:?}"),
    }
}

fn acquire(store: &Timed, id: &str, token: &str, lease_ms: u64) -> Option<Fence> {
    let (keys, token) = (Arc::new(LockKeys::of(id)), Token::new(token).unwrap());
    let (fence_life_ms, tombstone_ms) = (lease_ms, lease_ms);
    match ask(store, LockCommand::Acquire { keys, token, lease_ms, fence_life_ms, tombstone_ms }) {
        LockReply::Acquired { fence, .. } => Some(fence),
        LockReply::Busy { .. } => None,
        other => panic!("{other:?}"),
    }
}

fn release(store: &Timed, id: &str, token: &str) -> LockReply {
    let (keys, token) = (Arc::new(LockKeys::of(id)), Token::new(token).unwrap());
    ask(store, LockCommand::Release { keys, token, tombstone_ms: 1 })
}

#[test]
fn one_holds_at_a_time_and_fences_grow() {
    let (store, held, fences) = (store(), AtomicBool::new(false), Mutex::new(Vec::new()));
    let contend = |thread: usize| {
        let mut taken = 0;
        for round in 1.. {
            if taken == ROUNDS {
                return;
            }
            let token = format!("{thread}.1#{round}");
            let Some(fence) = acquire(&store, "job", &token, HOUR_MS) else { continue };
            assert!(!held.swap(true, Ordering::SeqCst), "another holds it");
            fences.lock().unwrap().push(fence);
            taken += 1;
            held.store(false, Ordering::SeqCst);
            assert_eq!(release(&store, "job", &token), LockReply::Released);
        }
    };
    thread::scope(|scope| {
        for thread in 0..THREADS {
            scope.spawn(move || contend(thread));
        }
    });
    let fences = fences.into_inner().unwrap();
    assert_eq!(fences.len(), THREADS * ROUNDS);
    assert!(fences.is_sorted_by(|earlier, later| earlier < later));
}

/// Every new lock may be the one that begins a sweep.
#[test]
fn of_many_that_find_a_new_lock_one_gets_it_however_often_the_dead_are_swept_out() {
    let (store, grants) = (store(), AtomicUsize::new(0));
    let find = |thread: usize| {
        for round in 0..ROUNDS {
            let own = format!("gone {thread} {round}");
            assert!(acquire(&store, &own, "mine", 1).is_some());
            if acquire(&store, &format!("job {round}"), &thread.to_string(), HOUR_MS).is_some() {
                grants.fetch_add(1, Ordering::SeqCst);
            }
        }
    };
    thread::scope(|scope| {
        for thread in 0..THREADS {
            scope.spawn(move || find(thread));
        }
    });
    assert_eq!(grants.into_inner(), ROUNDS);
    // With its fence, each.
    assert!(store.live_keys() >= 2 * ROUNDS, "{}", store.live_keys());
}
