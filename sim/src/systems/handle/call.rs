//! What a client does with a debounced function: plain asynchronous code on the public handle.

use std::{
    convert::Infallible,
    future::{pending, poll_fn},
    panic::resume_unwind,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::Poll,
};

use leasehold_core::{
    Clock,
    debounce::{CallError, Called, Debounce, Run, Swept},
};

use super::{
    awaited::AwaitedCall,
    droppable::Droppable,
    job::before,
    process::{HandleClock, Process, Told},
};
use crate::{
    catalog::DEBOUNCE_WAIT,
    history::{Awaited, CallAnswer, CallId, Client, DebounceEvent},
    mutants::Mutant,
    systems::debounce::RUN,
};

/// How long a caller without patience waits, in µs: often long enough for its request to arrive,
/// seldom for the reply.
const LITTLE_PATIENCE: u64 = 3_500;

/// What happens in a call or a sweep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// It waits until it is settled; if it runs the callback, that goes well.
    Well,
    /// The callback fails.
    Fails,
    /// The callback takes longer than its lease.
    Overruns,
    /// The callback panics.
    Panics,
    /// The caller goes away while the call is armed.
    Hurries,
    /// The caller goes away while the call waits to be due.
    Leaves,
    /// The caller goes away while the callback runs.
    LeavesRun,
    /// What waits is made due, and run.
    Flushes,
    /// What waits is dropped.
    Cancels,
}

impl Style {
    /// What may happen in a call, the calmest first.
    pub(super) const OF_CALLER: [Self; 10] = [
        Self::Well,
        Self::Fails,
        Self::Overruns,
        Self::Panics,
        Self::Hurries,
        Self::Leaves,
        Self::LeavesRun,
        Self::Well,
        Self::Well,
        Self::LeavesRun,
    ];

    /// What the sweeper may do.
    pub(super) const OF_SWEEPER: [Self; 10] = [
        Self::Well,
        Self::Fails,
        Self::Overruns,
        Self::Panics,
        Self::Flushes,
        Self::Cancels,
        Self::LeavesRun,
        Self::Well,
        Self::Well,
        Self::Well,
    ];
}

/// A callback of ours panics, as planned.
pub(super) struct CallbackPanics;

/// A callback of ours fails, as planned.
struct CallbackFails;

/// One round of a client.
pub(super) struct Caller {
    process: Arc<Process>,
    debounce: Debounce,
    me: Client,
    /// The call that it makes; the sweeper makes none.
    call: Option<CallId>,
    style: Style,
    run_lease: u64,
    awaited: Arc<AwaitedCall>,
    /// Whether the caller leaves the callback that runs.
    leaves: AtomicBool,
}

/// A call that an observer was told of, and is told the end of when it vanishes.
struct Open<'a> {
    caller: &'a Caller,
    call: Option<CallId>,
}

impl Open<'_> {
    fn returned(&mut self, answer: CallAnswer) {
        if let Some(call) = self.call.take() {
            let client = self.caller.me;
            self.caller.tell(DebounceEvent::Returned { client, call, answer });
        }
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.returned(CallAnswer::Dropped);
    }
}

/// A run of the callback, which may vanish, too.
struct Running<'a> {
    caller: &'a Caller,
    call: CallId,
    over: bool,
}

impl Running<'_> {
    fn ended(&mut self, success: bool) {
        self.over = true;
        let (client, call) = (self.caller.me, self.call);
        self.caller.tell(DebounceEvent::RunEnded { client, call, success });
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if !self.over {
            self.ended(false);
            self.caller.tell(DebounceEvent::Vanished { client: self.caller.me });
        }
    }
}

impl Caller {
    pub(super) fn new(
        process: Arc<Process>,
        debounce: Debounce,
        me: Client,
        call: Option<CallId>,
        style: Style,
        run_lease: u64,
        awaited: Arc<AwaitedCall>,
    ) -> Self {
        let leaves = AtomicBool::new(false);
        Self { process, debounce, me, call, style, run_lease, awaited, leaves }
    }

    pub(super) async fn run(self) {
        match (self.call, self.style) {
            (Some(call), _) => _ = self.awaited.answer(Awaited::Call, self.call(call)).await,
            // What these find is no matter of any call's.
            (None, Style::Cancels) => {
                let _ = self.awaited.answer(Awaited::Cancel, self.debounce.cancel()).await;
            }
            (None, Style::Flushes) => {
                let flushing = self.debounce.flush(async |run| self.callback(run).await);
                let _: Option<Result<Swept<()>, _>> =
                    self.awaited.answer(Awaited::Flush, flushing).await;
            }
            (None, _) => {
                let sweeping = self.debounce.sweep(async |run| self.callback(run).await);
                let sweeping = before(self.left(), sweeping);
                let _: Option<Option<Result<Swept<()>, _>>> =
                    self.awaited.answer(Awaited::Sweep, sweeping).await;
            }
        }
    }

    async fn call(&self, call: CallId) {
        let mut open = Open { caller: self, call: Some(call) };
        self.tell(DebounceEvent::Called { client: self.me, call });
        let calling = self.debounce.call(call.to_args(), async |run| self.callback(run).await);
        let calling = Droppable::new(&self.process, calling);
        let returned = match self.style {
            Style::Hurries => before(self.sleep(LITTLE_PATIENCE), calling).await,
            Style::Leaves => before(self.sleep(DEBOUNCE_WAIT * 2 / 3), calling).await,
            _ => before(self.left(), calling).await,
        };
        match returned {
            Some(returned) => open.returned(answer(&returned)),
            None => {
                drop(open);
                if self.style == Style::LeavesRun {
                    // Its next call does not give the run back sooner than its lease is over.
                    self.sleep(self.run_lease).await;
                }
            }
        }
    }

    /// What is debounced: something that takes a while and then writes.
    async fn callback(&self, run: Run) -> Result<(), CallbackFails> {
        let latest = CallId::from_args(run.args()).expect("only calls are claimed");
        let call = match (self.process.mutant(), self.call) {
            // The planted bug.
            (Some(Mutant::OwnArguments), Some(own)) => own,
            _ => latest,
        };
        let (client, fence) = (self.me, run.fence().0);
        let mut running = Running { caller: self, call, over: false };
        self.tell(DebounceEvent::RunBegan { client, call, fence });
        match self.style {
            Style::Overruns => self.sleep(self.run_lease * 2).await,
            Style::Panics => {
                self.sleep(RUN / 2).await;
                // Without a message on standard error.
                resume_unwind(Box::new(CallbackPanics));
            }
            Style::LeavesRun => {
                self.sleep(RUN / 2).await;
                self.leaves.store(true, Ordering::Relaxed);
                pending::<Infallible>().await;
            }
            _ => self.sleep(RUN).await,
        }
        if self.style == Style::Fails || run.remaining().is_zero() {
            running.ended(false);
            return Err(CallbackFails);
        }
        // The lease was good just now; a pause may fall between this step and the next.
        self.sleep(1).await;
        self.process.tell(Told::Ran { call, fence });
        running.ended(true);
        Ok(())
    }

    /// Completes when the caller leaves the callback that runs.
    async fn left(&self) {
        poll_fn(|_| match self.leaves.load(Ordering::Relaxed) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        })
        .await;
    }

    async fn sleep(&self, micros: u64) {
        let clock = HandleClock(self.process.clone());
        clock.sleep_until(clock.now().plus_micros(micros)).await;
    }

    fn tell(&self, event: DebounceEvent) {
        self.process.tell(Told::Debounced(event));
    }
}

fn answer(returned: &Result<Called<()>, CallError<CallbackFails>>) -> CallAnswer {
    match returned {
        Ok(Called::Fired(())) => CallAnswer::Fired,
        Ok(Called::FiredElsewhere) => CallAnswer::FiredElsewhere,
        Ok(Called::Superseded { .. }) => CallAnswer::Superseded,
        Ok(Called::Cancelled) => CallAnswer::Cancelled,
        Ok(Called::Delegated { .. } | Called::Suppressed { .. } | Called::Unsettled { .. }) => {
            CallAnswer::Open
        }
        Err(CallError::Rejected(_) | CallError::Unavailable(_)) => CallAnswer::NotCounted,
        Err(_) => CallAnswer::Open,
    }
}
