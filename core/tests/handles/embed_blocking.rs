//! The lock's machine under a plain loop: no runtime, no futures but the store's own.

use std::{
    pin::pin,
    task::{Context, Poll, Waker},
    thread,
    time::Duration,
};

use leasehold_core::{
    Action, Command, Event, Instant, Machine, MemoryStore, Reply, Store, StoreError, Tokens,
    lock::{
        Grant, LockConfig, LockMachine, LockOptions, LockOutcome, LockRequest, NotAcquired,
        Released,
    },
};

/// What an embedding needs: the machine, a store, and the time.
struct Blocking<'a> {
    machine: LockMachine,
    store: &'a MemoryStore,
    start: std::time::Instant,
}

impl<'a> Blocking<'a> {
    fn new(store: &'a MemoryStore, owner: &str) -> Self {
        let options = LockOptions::new().delay(Duration::from_millis(1));
        let config = LockConfig::new("job", &options).expect("the defaults work");
        let machine = LockMachine::new(config, Tokens::of_owner(owner), 0);
        Self { machine, store, start: std::time::Instant::now() }
    }

    fn now(&self) -> Instant {
        Instant::ORIGIN + self.start.elapsed()
    }

    fn run(&mut self, request: LockRequest) -> LockOutcome {
        let mut action = self.machine.step(self.now(), Event::Start(request));
        loop {
            let event = match action {
                Action::Call { command, .. } => Event::Replied(answer(self.store, command)),
                Action::SleepUntil(deadline) => {
                    thread::sleep(deadline.since(self.now()));
                    Event::Woke
                }
                // Nothing here can be told of a release while it blocks.
                Action::Subscribe { .. } => Event::Subscribed(false),
                Action::Done(outcome) => return outcome,
            };
            action = self.machine.step(self.now(), event);
        }
    }

    fn acquire(&mut self) -> LockOutcome {
        let request = self.machine.config().acquire();
        self.run(LockRequest::Acquire(request))
    }
}

/// `MemoryStore` never waits, so one poll is enough; a blocking client would just be called.
fn answer(store: &MemoryStore, command: Command) -> Result<Reply, StoreError> {
    match pin!(store.execute(command)).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(reply) => reply,
        Poll::Pending => unreachable!("the memory store answers at once"),
    }
}

fn acquired(outcome: LockOutcome) -> Grant {
    match outcome {
        LockOutcome::Acquire(Ok(grant)) => grant,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_lock_needs_no_runtime() {
    let store = MemoryStore::new();
    let (mut me, mut other) = (Blocking::new(&store, "me"), Blocking::new(&store, "other"));
    let mine = acquired(me.acquire());
    assert!(matches!(other.acquire(), LockOutcome::Acquire(Err(NotAcquired::Busy { .. }))));
    let LockOutcome::Extend(Ok(longer)) = me.run(LockRequest::Extend { by_ms: 5_000 }) else {
        panic!("a live lease is extended")
    };
    assert!(longer.deadline() > mine.deadline());
    assert_eq!(me.run(LockRequest::Release), LockOutcome::Release(Ok(Released::Released)));
    let theirs = acquired(other.acquire());
    assert!(theirs.fence() > mine.fence());
    assert_eq!(me.run(LockRequest::Release), LockOutcome::Release(Ok(Released::NotHeld)));
}

#[test]
fn threads_exclude_one_another() {
    let store = MemoryStore::new();
    let mut total = 0;
    let shared = std::sync::Mutex::new(&mut total);
    thread::scope(|scope| {
        for owner in ["a", "b", "c", "d"] {
            let (store, shared) = (&store, &shared);
            scope.spawn(move || {
                let mut lock = Blocking::new(store, owner);
                let mut done = 0;
                while done < 50 {
                    if !matches!(lock.acquire(), LockOutcome::Acquire(Ok(_))) {
                        continue;
                    }
                    // Fails, instead of waiting, if another is inside.
                    **shared.try_lock().expect("only the holder is here") += 1;
                    done += 1;
                    assert_eq!(
                        lock.run(LockRequest::Release),
                        LockOutcome::Release(Ok(Released::Released))
                    );
                }
            });
        }
    });
    assert_eq!(total, 200);
}
