//! What the futures of a client share with its program: a store, a clock, and what they are heard to
//! say.

mod subverted;

use std::{
    future::{Future, poll_fn},
    mem,
    pin::{Pin, pin},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use leasehold_core::{
    Clock, Command, Instant, ReleaseSource, Reply, Store, StoreError, Subscription, Task,
    lock::{LeaseView, LockCommand, LockKeys},
};

pub(super) use subverted::Subverted;

use super::super::driver::meaning;
use crate::{
    executor::Mailbox,
    history::{Act, Answer, Ask, CallId, DebounceEvent, End, TokenId},
    mutants::Mutant,
    world::SERVERS,
};

/// What the futures of a client have done during a poll, in order.
pub(super) enum Order {
    Call {
        wait: u64,
        node: u8,
        command: Command,
    },
    Subscribe {
        node: u8,
    },
    Subscribed,
    Unsubscribe {
        node: u8,
    },
    /// Something that an observer is told.
    Tell(Told),
}

/// What an observer is told, by the client's own clock.
#[derive(Clone, Copy, Debug)]
pub(super) enum Told {
    Asked {
        ask: Ask,
        by: Instant,
    },
    Returned {
        ask: Ask,
        answer: Answer,
        token: Option<TokenId>,
    },
    /// A lease was handed out, which is what counts as a grant of several servers.
    Granted {
        token: TokenId,
        fence: u64,
    },
    Held {
        token: TokenId,
        fence: u64,
        until: Instant,
    },
    Acted {
        token: TokenId,
        fence: u64,
    },
    Ended {
        token: TokenId,
        end: End,
    },
    Debounced(DebounceEvent),
    /// A run of a debounced function writes.
    Ran {
        call: CallId,
        fence: u64,
    },
}

type Answered = Result<Reply, StoreError>;

/// One process, as its handles and its jobs see it.
pub(super) struct Process {
    state: Mutex<State>,
    /// How long it takes until the server tells of releases, in µs.
    to_subscribe: u64,
    mutant: Option<Mutant>,
}

struct State {
    mailbox: Mailbox<Order, Answered>,
    now: Instant,
    /// Tasks that were spawned and have not begun.
    spawned: Vec<Task>,
    /// Whether the process is dead: it runs and sends nothing more.
    dead: bool,
    /// Whether a caller is going away right now.
    dropping: bool,
    /// Whether it goes away from a call alone.
    dropping_call: bool,
    /// The token of the last try.
    last_token: Option<TokenId>,
    lease: Option<WatchedLease>,
    /// The token of the last lease that a job worked under.
    handed_out: Option<TokenId>,
    /// What was sent last of what makes or lengthens a lease.
    last_write: Act,
    /// The planted bug: what the clock shows to the next one who looks.
    stale: Option<Instant>,
    /// The token of the last call that was dropped.
    unserved: Option<TokenId>,
    hints: [Hint; SERVERS],
}

/// What a server has told of releases.
#[derive(Default)]
struct Hint {
    /// Whether there was one that nobody has heard of.
    released: bool,
    listener: Option<Waker>,
}

/// A lease that a job works under, and the deadline that an observer was told last.
struct WatchedLease {
    token: TokenId,
    view: LeaseView,
    told: Instant,
}

impl Process {
    pub(super) fn new(to_subscribe: u64, mutant: Option<Mutant>) -> Self {
        let state = State {
            mailbox: Mailbox::default(),
            now: Instant::ORIGIN,
            spawned: Vec::new(),
            dead: false,
            dropping: false,
            dropping_call: false,
            last_token: None,
            lease: None,
            handed_out: None,
            last_write: Act::Other,
            stale: None,
            unserved: None,
            hints: Default::default(),
        };
        Self { state: Mutex::new(state), to_subscribe, mutant }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn mutant(&self) -> Option<Mutant> {
        self.mutant
    }

    pub(super) fn now(&self) -> Instant {
        self.state().now
    }

    /// The planted bug: whether a lease is over is asked before replicas have it, not once they do.
    fn asks_replicas(&self, command: &Command) -> Option<Instant> {
        let asks = matches!(command, Command::Lock(LockCommand::Confirm { .. }));
        let state = self.state();
        let of_acquire = asks && state.last_write == Act::Acquire;
        (of_acquire && self.mutant == Some(Mutant::OverdueLease)).then_some(state.now)
    }

    /// Its clock shows `now`: wakes whose sleep is over.
    pub(super) fn advance(&self, now: Instant) {
        let due = {
            let mut state = self.state();
            state.now = now;
            state.mailbox.due(now)
        };
        due.for_each(Waker::wake);
    }

    pub(super) fn next_timer(&self) -> Option<Instant> {
        self.state().mailbox.next_timer()
    }

    pub(super) fn next_order(&self) -> Option<Order> {
        self.state().mailbox.next_order()
    }

    pub(super) fn answer(&self, wait: u64, answer: Answered) {
        self.state().mailbox.answer(wait, answer);
    }

    pub(super) fn awaits(&self, wait: u64) -> bool {
        self.state().mailbox.awaits(wait)
    }

    pub(super) fn take_spawned(&self) -> Vec<Task> {
        mem::take(&mut self.state().spawned)
    }

    /// The lock was released at server number `node`: whoever listens is told.
    pub(super) fn notify(&self, node: u8) {
        let listener = {
            let hint = &mut self.state().hints[usize::from(node)];
            hint.released = true;
            hint.listener.take()
        };
        if let Some(listener) = listener {
            listener.wake();
        }
    }

    /// A caller goes away with `gone`, and what its destructors do is what they do as shipped.
    pub(super) fn drop_caller<T>(&self, gone: T) {
        self.state().dropping = true;
        drop(gone);
        self.state().dropping = false;
    }

    /// As [`Process::drop_caller`], of a call in the middle.
    pub(super) fn drop_call<T>(&self, gone: T) {
        self.state().dropping_call = true;
        self.drop_caller(gone);
        self.state().dropping_call = false;
    }

    /// Whether a bug is planted by which what is done in the background now is not.
    fn forgets_tasks(&self) -> bool {
        let state = self.state();
        match self.mutant {
            Some(Mutant::UnsentRelease) => state.dropping && !state.dropping_call,
            Some(Mutant::LeftToNextCall | Mutant::RunLeftToNextCall) => state.dropping_call,
            _ => false,
        }
    }

    /// The process is dead.
    pub(super) fn die(&self) {
        self.state().dead = true;
    }

    /// The token of the last try.
    pub(super) fn last_token(&self) -> Option<TokenId> {
        self.state().last_token
    }

    /// Tells an observer.
    pub(super) fn tell(&self, told: Told) {
        let mut state = self.state();
        if matches!(told, Told::Asked { ask: Ask::Acquire, .. }) {
            state.last_token = None;
        }
        if let Told::Returned { ask: Ask::Acquire, answer: Answer::Dropped, token } = told {
            state.unserved = token;
        }
        state.mailbox.tell(Order::Tell(told));
    }

    /// A job works under this lease from now on.
    pub(super) fn holds(&self, token: TokenId, view: LeaseView) {
        {
            let mut state = self.state();
            let fence = view.fence().0;
            state.mailbox.tell(Order::Tell(Told::Granted { token, fence }));
            state.handed_out = Some(token);
            state.lease = Some(WatchedLease { token, view, told: Instant::ORIGIN });
        }
        self.watch_lease();
    }

    /// No job does any more.
    pub(super) fn holds_no_more(&self, token: TokenId) {
        let mut state = self.state();
        if state.lease.as_ref().is_some_and(|lease| lease.token == token) {
            state.lease = None;
        }
    }

    /// Tells when the lease under which a job works has another deadline than it was told of.
    pub(super) fn watch_lease(&self) {
        let mut state = self.state();
        let Some(lease) = &mut state.lease else { return };
        let until = lease.view.deadline();
        if until == lease.told || until == Instant::ORIGIN {
            return;
        }
        lease.told = until;
        let (token, fence) = (lease.token, lease.view.fence().0);
        state.mailbox.tell(Order::Tell(Told::Held { token, fence, until }));
    }
}

/// A server, as a store of the handles of a client.
#[derive(Clone)]
pub(super) struct HandleStore {
    pub(super) process: Arc<Process>,
    pub(super) node: u8,
}

impl Store for HandleStore {
    fn execute(&self, command: Command) -> impl Future<Output = Answered> + Send {
        let asked = self.process.asks_replicas(&command);
        let (mut command, node) = (Some(command), self.node);
        let mut call = Call { process: &self.process, wait: None };
        poll_fn(move |context| {
            // All of it, so that it is dropped with the future.
            let call = &mut call;
            let mut state = call.process.state();
            if let Some(command) = command.take() {
                if let (Act::Acquire, token) = meaning(&command) {
                    state.last_token = token;
                }
                let order = |wait| Order::Call { wait, node, command };
                call.wait = Some(state.mailbox.order(context.waker(), order));
                return Poll::Pending;
            }
            match call.wait.and_then(|wait| state.mailbox.answer_to(wait, context.waker())) {
                Some(answer) => {
                    state.stale = asked;
                    Poll::Ready(answer)
                }
                None => Poll::Pending,
            }
        })
    }

    /// As by default, unless a bug is planted: whoever may have granted what the quorum refused is not
    /// told.
    async fn send(&self, command: Command) {
        let (act, token) = meaning(&command);
        if self.process.mutant == Some(Mutant::LateGrantKept)
            && act == Act::Release
            && token != self.process.state().handed_out
        {
            return;
        }
        let mut call = pin!(self.execute(command));
        poll_fn(|context| {
            let _ = call.as_mut().poll(context);
            Poll::Ready(())
        })
        .await;
    }

    async fn subscribe(&self, _keys: &LockKeys) -> Option<Subscription> {
        let process = &self.process;
        {
            let mut state = process.state();
            state.hints[usize::from(self.node)].released = false;
            state.mailbox.tell(Order::Subscribe { node: self.node });
        }
        let hints = Hints { process: process.clone(), node: self.node };
        let in_place = process.now().plus_micros(process.to_subscribe);
        HandleClock(process.clone()).sleep_until(in_place).await;
        process.state().mailbox.tell(Order::Subscribed);
        Some(Subscription::new(hints))
    }
}

/// Forgets what was asked when nobody waits for it any more.
struct Call<'a> {
    process: &'a Process,
    wait: Option<u64>,
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        if let Some(wait) = self.wait {
            self.process.state().mailbox.forget(wait);
        }
    }
}

/// Hints of releases, until they are dropped.
struct Hints {
    process: Arc<Process>,
    node: u8,
}

impl ReleaseSource for Hints {
    fn poll_released(&mut self, context: &mut Context<'_>) -> Poll<bool> {
        let hint = &mut self.process.state().hints[usize::from(self.node)];
        if mem::take(&mut hint.released) {
            return Poll::Ready(true);
        }
        hint.listener = Some(context.waker().clone());
        Poll::Pending
    }
}

impl Drop for Hints {
    fn drop(&mut self) {
        self.process.state().mailbox.tell(Order::Unsubscribe { node: self.node });
    }
}

/// The clock that the handles of a client have, which can run tasks.
#[derive(Clone)]
pub(super) struct HandleClock(pub(super) Arc<Process>);

impl Clock for HandleClock {
    fn now(&self) -> Instant {
        let mut state = self.0.state();
        state.stale.take().unwrap_or(state.now)
    }

    fn sleep_until(&self, deadline: Instant) -> impl Future<Output = ()> + Send {
        Sleep { process: self.0.clone(), deadline, timer: None }
    }

    fn spawn(&self, task: Task) -> bool {
        // A task is dropped outside of the lock: destructors look at the clock.
        if self.0.state().dead {
            return false;
        }
        if self.0.forgets_tasks() {
            return true;
        }
        self.0.state().spawned.push(task);
        true
    }
}

/// Completes once the clock shows `deadline`.
struct Sleep {
    process: Arc<Process>,
    deadline: Instant,
    timer: Option<u64>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let (deadline, timer) = (self.deadline, self.timer);
        let timer = {
            let mut state = self.process.state();
            let over = match timer {
                None => state.now >= deadline,
                // A timer that rang is not there any more.
                Some(timer) => !state.mailbox.sleeps(deadline, timer),
            };
            if over {
                return Poll::Ready(());
            }
            if self.process.mutant == Some(Mutant::OneSleeper) {
                // Nobody but the last one is woken.
                state.mailbox.stop_sleeping();
            }
            state.mailbox.sleep(deadline, timer, context.waker())
        };
        self.timer = Some(timer);
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(timer) = self.timer {
            let gone = self.process.state().mailbox.stop_sleep(self.deadline, timer);
            drop(gone);
        }
    }
}
