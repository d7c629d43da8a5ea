//! What dropped calls left is given back, whenever the task that does so ends.

use std::{future::Future, pin::Pin};

use shuttle::{
    future::{block_on, yield_now},
    sync::{Arc, Mutex},
    thread::{self, JoinHandle},
};

use crate::{
    SCHEDULES,
    pool::{Backend, Pool, Pooled},
};

/// The threads of the tasks that were spawned.
#[derive(Clone, Default)]
struct Threads(Arc<Mutex<Vec<JoinHandle<()>>>>);

impl Threads {
    /// Waits for all tasks, and those that they spawn.
    fn join(&self) {
        while let Some(thread) = self.pop() {
            thread.join().unwrap();
        }
    }

    fn pop(&self) -> Option<JoinHandle<()>> {
        self.0.lock().unwrap().pop()
    }
}

impl Backend for Threads {
    fn spawn(&self, task: Pin<Box<dyn Future<Output = ()> + Send>>) {
        let thread = thread::spawn(|| block_on(task));
        self.0.lock().unwrap().push(thread);
    }
}

/// A machine whose call has a number from its begin until it is given back.
#[derive(Clone, PartialEq, Default)]
struct Machine {
    call: Option<usize>,
}

impl Pooled for Machine {
    type Backend = Threads;

    fn is_unsettled(&self) -> bool {
        self.call.is_some()
    }

    fn is_dropped(&self) -> bool {
        self.call.is_some()
    }

    async fn give_back(&mut self, _: &Threads) {
        yield_now().await;
        self.call = None;
    }
}

fn drop_a_call(pool: &Arc<Pool<Machine>>, number: usize) {
    let mut machine = pool.borrow(Machine::default);
    machine.call = Some(number);
}

fn unsettled(pool: &Pool<Machine>) -> Option<usize> {
    pool.find_map(|machine| machine.call)
}

fn calls_of_threads_are_dropped() {
    let pool = Arc::new(Pool::new(Threads::default()));
    let callers: Vec<_> = (0..2)
        .map(|number| {
            let pool = pool.clone();
            thread::spawn(move || drop_a_call(&pool, number))
        })
        .collect();
    for caller in callers {
        caller.join().unwrap();
    }
    pool.backend().join();
    assert_eq!(unsettled(&pool), None, "a dropped call is given back without another call");
}

/// Fails if a task says that it is over in another step than it finds nothing more in.
#[test]
fn what_dropped_calls_left_is_given_back() {
    shuttle::check_random(calls_of_threads_are_dropped, SCHEDULES);
    shuttle::check_pct(calls_of_threads_are_dropped, SCHEDULES, 3);
}

#[test]
fn what_is_left_when_the_handle_is_dropped_is_given_back() {
    shuttle::check_random(
        || {
            let threads = Threads::default();
            let pool = Arc::new(Pool::new(threads.clone()));
            let caller = pool.clone();
            let caller = thread::spawn(move || drop_a_call(&caller, 0));
            drop(pool);
            caller.join().unwrap();
            let spawned = threads.pop().is_some();
            threads.join();
            assert!(spawned);
        },
        SCHEDULES,
    );
}
