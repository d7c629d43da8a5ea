//! No wake-up is lost between who registers and who releases, in any order that a scheduler finds.

use std::future::poll_fn;

use shuttle::{
    future::block_on,
    sync::{Arc, Mutex},
    thread,
};

use crate::{SCHEDULES, watchers::Watchers};

/// A store of one lock: `true` while it is held.
#[derive(Clone)]
struct Store {
    held: Arc<Mutex<bool>>,
    watchers: Arc<Watchers>,
}

impl Store {
    fn held() -> Self {
        Self { held: Arc::new(Mutex::new(true)), watchers: Arc::new(Watchers::new()) }
    }

    fn release(&self) {
        *self.held.lock().unwrap() = false;
        self.watchers.released("job");
    }

    fn try_acquire(&self) -> bool {
        !std::mem::replace(&mut *self.held.lock().unwrap(), true)
    }

    /// As a waiter without any other wake-up: if a notification is lost, it waits for ever, which
    /// the scheduler reports as a deadlock.
    fn acquire(&self) {
        if self.try_acquire() {
            return;
        }
        let watcher = Watchers::register(&self.watchers, "job");
        while !self.try_acquire() {
            block_on(poll_fn(|context| watcher.poll_notified(context)));
        }
    }
}

#[test]
fn a_waiter_sees_every_release() {
    shuttle::check_random(
        || {
            let store = Store::held();
            let waiter = store.clone();
            let waiter = thread::spawn(move || waiter.acquire());
            store.release();
            waiter.join().unwrap();
        },
        SCHEDULES,
    );
}

#[test]
fn waiters_that_come_and_go_hand_the_lock_on() {
    shuttle::check_pct(
        || {
            let store = Store::held();
            let waiters: Vec<_> = (0..3)
                .map(|_| {
                    let store = store.clone();
                    thread::spawn(move || {
                        drop(Watchers::register(&store.watchers, "job"));
                        store.acquire();
                        store.release();
                    })
                })
                .collect();
            store.release();
            for waiter in waiters {
                waiter.join().unwrap();
            }
            assert!(store.try_acquire(), "free in the end");
        },
        SCHEDULES,
        3,
    );
}

#[test]
#[should_panic(expected = "deadlock")]
fn a_waiter_that_does_not_look_again_after_registering_is_lost() {
    shuttle::check_random(
        || {
            let store = Store::held();
            let waiter = store.clone();
            let waiter = thread::spawn(move || {
                if !waiter.try_acquire() {
                    let watcher = Watchers::register(&waiter.watchers, "job");
                    block_on(poll_fn(|context| watcher.poll_notified(context)));
                }
            });
            store.release();
            waiter.join().unwrap();
        },
        SCHEDULES,
    );
}
