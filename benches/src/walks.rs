//! Whole lives of a lock's machine, from idle to idle, without a store.

use leasehold_core::{
    Action, Cause, ConfigError, Event, Fence, Instant, Machine, Reply, StoreError, Tokens,
    lock::{
        AcquireRequest, LockConfig, LockMachine, LockOptions, LockOutcome, LockReply, LockRequest,
    },
};

/// A walk: what it is called, and how it goes.
pub type Walk = (&'static str, fn(&mut Walker));

/// The walks that are measured.
pub const WALKS: [Walk; 4] = [
    ("acquire, release", |walker| {
        walker.acquire();
        walker.release();
    }),
    ("acquire, extend, release", |walker| {
        walker.acquire();
        walker.start(LockRequest::Extend { by_ms: 1_000 });
        walker.replied(LockReply::Extended);
        walker.release();
    }),
    ("busy three times", |walker| {
        walker.start(LockRequest::Acquire(walker.request.clone()));
        for _ in 0..2 {
            walker.replied(LockReply::Busy { remaining_ms: Some(5) });
            walker.step(Event::Woke);
        }
        walker.replied(LockReply::Busy { remaining_ms: Some(5) });
    }),
    ("lost reply, clean-up, acquire, release", |walker| {
        walker.start(LockRequest::Acquire(walker.request.clone()));
        walker.step(Event::Replied(Err(StoreError::Unknown(Cause::TIMED_OUT))));
        walker.replied(LockReply::Released);
        walker.step(Event::Woke);
        walker.replied(walker.grant());
        walker.release();
    }),
];

/// A machine that is walked, and how many steps it took.
#[derive(Debug)]
pub struct Walker {
    machine: LockMachine,
    request: AcquireRequest,
    now: Instant,
    steps: u64,
    done: bool,
}

impl Walker {
    /// A machine at rest.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if the default options were unusable.
    pub fn new() -> Result<Self, ConfigError> {
        let config = LockConfig::new("job", &LockOptions::default())?;
        let request = config.acquire();
        let machine = LockMachine::new(config, Tokens::of_owner("bench"), 0);
        Ok(Self { machine, request, now: Instant::ORIGIN, steps: 0, done: true })
    }

    /// How many steps the machine has taken.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// Whether the last action told the caller an outcome.
    #[must_use]
    pub fn is_at_rest(&self) -> bool {
        self.done
    }

    fn acquire(&mut self) {
        self.start(LockRequest::Acquire(self.request.clone()));
        self.replied(self.grant());
    }

    fn release(&mut self) {
        self.start(LockRequest::Release);
        self.replied(LockReply::Released);
    }

    fn grant(&self) -> LockReply {
        LockReply::Acquired { fence: Fence(self.steps), fresh: true }
    }

    fn start(&mut self, request: LockRequest) {
        self.step(Event::Start(request));
    }

    fn replied(&mut self, reply: LockReply) {
        self.step(Event::Replied(Ok(Reply::Lock(reply))));
    }

    fn step(&mut self, event: Event<LockRequest>) {
        self.steps += 1;
        let action: Action<LockOutcome> = self.machine.step(self.now, event);
        self.done = matches!(action, Action::Done(_));
        self.now = match action {
            Action::SleepUntil(wake_at) => wake_at,
            Action::Call { .. } | Action::Done(_) | Action::Subscribe { .. } => {
                self.now.plus_micros(1)
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_walk_ends_where_it_began() {
        for (name, walk) in WALKS {
            let mut walker = Walker::new().unwrap();
            walk(&mut walker);
            assert!(walker.is_at_rest() && walker.steps() > 3, "{name}");
            assert!(walker.machine.grant().is_none(), "{name}");
            assert!(walker.machine.in_flight().is_none(), "{name}");
        }
    }
}
