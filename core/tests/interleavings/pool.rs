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

/// The threads of the tasks that were spawned, and the calls that were given back.
#[derive(Clone, Default)]
struct Server {
    threads: Arc<Mutex<Vec<JoinHandle<()>>>>,
    given_back: Arc<Mutex<Vec<u32>>>,
}

impl Server {
    /// Waits for all tasks, and those that they spawn.
    fn join(&self) {
        while let Some(thread) = self.pop() {
            thread.join().unwrap();
        }
    }

    fn pop(&self) -> Option<JoinHandle<()>> {
        self.threads.lock().unwrap().pop()
    }

    fn has_back(&self, call: u32) -> bool {
        self.given_back.lock().unwrap().contains(&call)
    }
}

impl Backend for Server {
    fn spawn(&self, task: Pin<Box<dyn Future<Output = ()> + Send>>) {
        let thread = thread::spawn(|| block_on(task));
        self.threads.lock().unwrap().push(thread);
    }
}

/// A machine with the call that is to be given back.
#[derive(Clone, PartialEq, Default)]
struct Machine {
    call: Option<u32>,
    is_dropped: bool,
}

impl Pooled for Machine {
    type Backend = Server;

    fn is_unsettled(&self) -> bool {
        self.call.is_some()
    }

    fn is_dropped(&self) -> bool {
        self.is_dropped
    }

    async fn give_back(&mut self, server: &Server) {
        yield_now().await;
        server.given_back.lock().unwrap().extend(self.call);
        *self = Self::default();
    }
}

fn call(pool: &Arc<Pool<Machine>>, number: u32, is_dropped: bool) {
    let mut machine = pool.borrow(Machine::default);
    // As any call, it begins by giving back what it finds.
    let found = machine.call.replace(number);
    pool.backend().given_back.lock().unwrap().extend(found);
    machine.is_dropped = is_dropped;
}

fn calls_of_threads_are_dropped() {
    let server = Server::default();
    let pool = Arc::new(Pool::new(server.clone()));
    let callers: Vec<_> = (0..3)
        .map(|number| {
            let pool = pool.clone();
            thread::spawn(move || call(&pool, number, true))
        })
        .collect();
    for caller in callers {
        caller.join().unwrap();
    }
    server.join();
    assert!((0..3).all(|call| server.has_back(call)), "each is given back, without another call");
    assert_eq!(pool.find_map(|machine| machine.call), None, "and the pool knows");
}

/// Fails if a task says that it is over in another step than it finds nothing more in, and if it puts
/// back a machine that has made a call since.
#[test]
fn what_dropped_calls_left_is_given_back() {
    shuttle::check_random(calls_of_threads_are_dropped, SCHEDULES);
    shuttle::check_pct(calls_of_threads_are_dropped, SCHEDULES, 3);
}

/// Whether the handle or the call is dropped last.
#[test]
fn a_call_that_ended_in_doubt_is_given_back_when_the_handle_is_dropped() {
    shuttle::check_random(
        || {
            let server = Server::default();
            let pool = Arc::new(Pool::new(server.clone()));
            let caller = pool.clone();
            let caller = thread::spawn(move || call(&caller, 0, false));
            drop(pool);
            caller.join().unwrap();
            server.join();
            assert!(server.has_back(0));
        },
        SCHEDULES,
    );
}
