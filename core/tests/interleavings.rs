//! Files of this crate over the locks of a scheduler that tries the orders in which threads may go on.

#![allow(clippy::unwrap_used, reason = "for tests only")]

#[path = "interleavings/pool.rs"]
mod given_back;
#[path = "interleavings/watchers.rs"]
mod notified;

#[path = "../src/pool.rs"]
mod pool;
#[path = "../src/memory/watchers.rs"]
mod watchers;

mod sync {
    pub(crate) use shuttle::sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicUsize, Ordering},
    };
}

const SCHEDULES: usize = 2_000;
