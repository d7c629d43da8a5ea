//! Threads that wait for futures, and their clock.

use alloc::{sync::Arc, task::Wake, vec::Vec};
use core::{
    future::{Future, IntoFuture, poll_fn},
    pin::pin,
    sync::atomic::{AtomicBool, Ordering},
    task::{Context, Poll, Waker},
    time::Duration,
};
use std::{
    cell::RefCell,
    sync::OnceLock,
    thread::{self, Thread},
};

use crate::time::{Clock, Instant, Task};

std::thread_local! {
    /// The times at which futures of this thread want to be polled again.
    static ALARMS: RefCell<Vec<Instant>> = const { RefCell::new(Vec::new()) };
}

/// The clock of [`block_on`]: it sleeps by parking the thread, and spawns threads.
///
/// ```
/// use std::time::Duration;
/// use leasehold_core::{Clock, blocking::{ThreadClock, block_on}};
///
/// let clock = ThreadClock::new();
/// let deadline = clock.now() + Duration::from_millis(1);
/// block_on(clock.sleep_until(deadline));
/// assert!(clock.now() >= deadline);
/// ```
///
/// Its sleeps end only within [`block_on`].
#[derive(Clone, Copy, Debug, Default)]
pub struct ThreadClock(());

impl ThreadClock {
    /// The clock of this process: its instants compare with those of any other.
    #[must_use]
    pub fn new() -> Self {
        Self(())
    }
}

impl Clock for ThreadClock {
    fn now(&self) -> Instant {
        static ORIGIN: OnceLock<std::time::Instant> = OnceLock::new();
        Instant::ORIGIN + ORIGIN.get_or_init(std::time::Instant::now).elapsed()
    }

    async fn sleep_until(&self, deadline: Instant) {
        poll_fn(|_| {
            if self.now() >= deadline {
                return Poll::Ready(());
            }
            ALARMS.with_borrow_mut(|alarms| alarms.push(deadline));
            Poll::Pending
        })
        .await;
    }

    fn spawn(&self, task: Task) -> bool {
        let name = "leasehold".into();
        thread::Builder::new().name(name).spawn(move || block_on(task)).is_ok()
    }
}

/// Wakes a thread.
struct Unpark {
    thread: Thread,
    woken: AtomicBool,
}

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.woken.store(true, Ordering::Release);
        self.thread.unpark();
    }
}

/// Runs `future` on this thread to its end. See the [module](super) for what it needs.
///
/// ```
/// assert_eq!(leasehold_core::blocking::block_on(async { 7 }), 7);
/// ```
pub fn block_on<F: IntoFuture>(future: F) -> F::Output {
    let mut future = pin!(future.into_future());
    let unpark = Arc::new(Unpark { thread: thread::current(), woken: AtomicBool::new(false) });
    let waker = Waker::from(unpark.clone());
    let mut context = Context::from_waker(&waker);
    loop {
        // Those of a block_on around this one are not ours.
        let outer = ALARMS.take();
        let polled = future.as_mut().poll(&mut context);
        let alarms = ALARMS.replace(outer);
        if let Poll::Ready(output) = polled {
            return output;
        }
        let next = alarms.into_iter().min();
        while !unpark.woken.swap(false, Ordering::Acquire) {
            match next.map(|next| next.since(ThreadClock::new().now())) {
                Some(Duration::ZERO) => break,
                Some(left) => thread::park_timeout(left),
                None => thread::park(),
            }
        }
    }
}
