//! What rules do to the commands of sessions in this process.

use std::{
    future::{pending, poll_fn},
    pin::pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, Wake, Waker},
    thread::{self, Thread},
    time::Duration,
};

use bytes::Bytes;
use leasehold_core::{Cause, Command, Reply, StoreError, redis as wire};

use super::{FakeConnection, FakeRedis, LostReply, Shared, bytes, lock};
use crate::{
    Resp, SessionId,
    faults::{
        Duplicate, Effects, Ending, Faults, Held, InjectionId, Outage, Request, RuleError,
        RuleReport, RuleText, ServerEvent, ServerEventKind, Slot, Transport, Until,
    },
    writes::{Times, Writes, is_final, micros, stale_reply},
};

/// All that is not as it would be on a calm day.
#[derive(Debug)]
pub(super) struct FaultState {
    faults: Faults,
    outage: Outage,
    writes: Writes,
    copies: Vec<Copied>,
    parked: Vec<Parked>,
}

/// A copy of a request that has not come yet.
#[derive(Debug)]
struct Copied {
    due_us: u64,
    injection: InjectionId,
    request: Sent,
}

/// What may come once more.
#[derive(Clone, Debug)]
enum Sent {
    /// The number of the database that the session had selected, and the words.
    Words(usize, Vec<Bytes>),
    /// A command of Leasehold.
    Command(Command),
}

/// A request that is held.
#[derive(Debug)]
struct Parked {
    injection: InjectionId,
    rule: String,
    until: Until,
    until_us: Option<u64>,
    free: bool,
}

/// How far a request came.
enum Step {
    Replied(Resp),
    /// The session waits for its reply.
    Waits,
    Lost(LostReply),
}

impl Default for FaultState {
    fn default() -> Self {
        let (outage, writes) = (Outage::default(), Writes::default());
        Self { faults: Faults::new(1), outage, writes, copies: Vec::new(), parked: Vec::new() }
    }
}

/// With the feature `faults`.
impl FakeRedis {
    /// Puts a fault in force, and says its name. The rule is one of `leasehold serve`: its kind, then
    /// fields such as `command=SET next=1`; see [`faults`](crate::faults).
    ///
    /// It is about what comes from [connections](FakeRedis::connect), which are numbered from 1, and
    /// from the [`Store`](leasehold_core::Store); what a test asks by [`FakeRedis::command`] itself is
    /// never hit. What faults do here:
    ///
    /// * a lost reply, a reset and a time in which nobody answers are a [`LostReply`], an I/O error of a
    ///   connection of the crate `redis`, and [`StoreError::Unknown`]. The next command opens the
    ///   connection again, as a `ConnectionManager` does; what the session knew is forgotten.
    /// * `hang` never completes; for whoever blocks it is a time-out at once.
    /// * `latency` lets time pass: the server's clock is advanced, and the request is executed then.
    /// * `duplicate` comes once the clock has been advanced so far.
    /// * `hold` waits for [`FakeRedis::release`] by another task or thread. A future that is dropped
    ///   while it is held was never sent.
    ///
    /// ```
    /// use leasehold_fake_redis::{FakeRedis, LostReply, Resp};
    ///
    /// let server = FakeRedis::default();
    /// server.fault("reply-loss command=SET next=1")?;
    /// let client = server.connect();
    /// assert_eq!(client.try_command(&["SET", "job", "mine", "NX"]), Err(LostReply::Closed));
    /// assert_eq!(client.command(&["GET", "job"]), Resp::Bulk("mine".into()));
    /// assert_eq!(server.faults()[0].effective, 1);
    /// # Ok::<(), leasehold_fake_redis::faults::RuleError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// What is wrong with the rule, and what to write instead; if its name is taken; or if it is about
    /// REST, which there is none of in this process.
    pub fn fault(&self, rule: &str) -> Result<String, RuleError> {
        let text: RuleText = rule.parse()?;
        if text.needs_rest() {
            return Err(RuleError::Wrong(
                "there is no REST in this process: leave out what only REST has, or use `leasehold serve`"
                    .into(),
            ));
        }
        let mut shared = self.shared();
        let Shared { fault_state, server, .. } = &mut *shared;
        let id = fault_state.faults.add(&text)?;
        if fault_state.faults.need_history() {
            fault_state.writes.keep(server);
        }
        Ok(id)
    }

    /// The rules in force, in order: what each is, and what it has done.
    #[must_use]
    pub fn faults(&self) -> Vec<RuleReport> {
        self.shared().fault_state.faults.report().collect()
    }

    /// Takes a rule out of force; whether there was one. What it holds goes on.
    pub fn remove_fault(&self, id: &str) -> bool {
        let mut shared = self.shared();
        let removed = shared.fault_state.faults.remove(id);
        shared.distribute();
        removed
    }

    /// Takes every rule out of force and forgets what they did. What is held goes on.
    pub fn clear_faults(&self) {
        let mut shared = self.shared();
        shared.fault_state.faults.clear();
        shared.distribute();
    }

    /// Lets the requests go that the rule of this name holds, and says how many there are.
    pub fn release(&self, id: &str) -> usize {
        let mut shared = self.shared();
        let effect = "held until it was released";
        let released = shared.fault_state.let_go(|parked| parked.rule == id, effect);
        shared.distribute();
        released
    }

    pub(super) async fn execute_with_faults(
        &self,
        command: &Command,
        effects: &Effects,
    ) -> Result<Reply, StoreError> {
        until_due(&self.shared, effects).await;
        let executed = {
            let mut shared = self.shared();
            let sent = || Sent::Command(command.clone());
            let now_us = shared.clock.now_us();
            let executed = match &effects.slots[0] {
                _ if !effects.executed => None,
                Slot::Error(text) => Some(wire::decode(command, Resp::Error(text.clone()).into())),
                // A script may write, so no replica runs it.
                Slot::Serve | Slot::Stale { .. } => {
                    Some(shared.server.apply(now_us, command, self.engine))
                }
            };
            shared.end_request(effects, sent);
            executed
        };
        match (&effects.ending, executed) {
            (Ending::Hang, _) => pending().await,
            (Ending::Reply, Some(executed)) => executed,
            (ending, _) => Err(StoreError::Unknown(LostReply::of(ending).cause())),
        }
    }

    /// What is to happen to a command, if anything is.
    pub(super) fn judge(&self, command: &Command) -> Option<Effects> {
        let words = match wire::encode(command) {
            wire::Request::Script(invocation) => bytes(&invocation.by_sha1()),
            wire::Request::Plain(words) => bytes(&words),
            // They are executed as one here: the first is what they are about.
            wire::Request::Pipeline(pipeline) => bytes(&pipeline.commands[0]),
        };
        self.shared().judge(0, None, &words)
    }
}

impl FaultState {
    fn park(&mut self, held: &Held, elapsed_us: u64) {
        let rule = self.faults.rule_of(held.injection).unwrap_or_default();
        let until_us = held.at_most.map(|time| elapsed_us.saturating_add(micros(time)));
        let (injection, until) = (held.injection, held.until);
        self.parked.push(Parked { injection, rule, until, until_us, free: false });
    }

    fn let_go(&mut self, whom: impl Fn(&Parked) -> bool, effect: &str) -> usize {
        let mut count = 0;
        for parked in self.parked.iter_mut().filter(|parked| !parked.free && whom(parked)) {
            parked.free = true;
            self.faults.take_effect(parked.injection, effect);
            count += 1;
        }
        count
    }

    /// Notes what was written, and lets those go whose time is over or whose rule is gone.
    pub(super) fn settle(&mut self, server: &mut crate::Server, elapsed_us: u64) {
        self.writes.note(server, || elapsed_us);
        let over = |parked: &Parked| parked.until_us.is_some_and(|until_us| until_us <= elapsed_us);
        self.let_go(over, "held for as long as the rule says");
        for parked in &mut self.parked {
            parked.free |= !self.faults.has(&parked.rule);
        }
    }
}

impl Shared {
    /// What is to happen to a request, if anything is: `connection` is its number, 0 for the store.
    fn judge(
        &mut self,
        connection: u64,
        session: Option<SessionId>,
        words: &[Bytes],
    ) -> Option<Effects> {
        self.run_copies();
        let state = &mut self.fault_state;
        if state.faults.is_empty() && state.outage.is_over() {
            return None;
        }
        let elapsed_us = self.clock.elapsed_us();
        if state.outage.refuses(&mut state.faults, elapsed_us) {
            return Some(Effects::refused(1));
        }
        let client =
            if connection == 0 { "store".into() } else { format!("connection {connection}") };
        let name = session.map(|session| self.server.name(session)).unwrap_or_default();
        let effects = state.faults.judge(&Request {
            transport: Transport::Resp,
            client: &client,
            connection,
            name: &name,
            unix_ms: self.clock.now_us() / 1_000,
            commands: &[words],
        });
        effects.hold.iter().for_each(|held| state.park(held, elapsed_us));
        Some(effects)
    }

    /// Lets time pass by the server's clock, with what is due meanwhile.
    pub(super) fn pass(&mut self, time: Duration) {
        let until_us = self.clock.elapsed_us().saturating_add(micros(time));
        while let Some(due_us) = self.next_copy_us().filter(|due_us| *due_us <= until_us) {
            self.advance_to(due_us);
            self.run_copies();
        }
        self.advance_to(until_us);
        self.distribute();
    }

    fn advance_to(&mut self, elapsed_us: u64) {
        let left_us = elapsed_us.saturating_sub(self.clock.elapsed_us());
        self.clock.advance(Duration::from_micros(left_us));
    }

    /// Goes on as if there had never been a fault.
    pub(super) fn forget_faults(&mut self) {
        let Self { fault_state, server, .. } = self;
        fault_state.faults.clear();
        fault_state.outage.end();
        fault_state.writes.forget(server);
        fault_state.copies.clear();
    }

    fn next_copy_us(&self) -> Option<u64> {
        self.fault_state.copies.iter().map(|copy| copy.due_us).min()
    }

    /// Executes the copies that are due.
    fn run_copies(&mut self) {
        while let Some(due_us) =
            self.next_copy_us().filter(|due_us| *due_us <= self.clock.elapsed_us())
        {
            let copies = &mut self.fault_state.copies;
            let Some(at) = copies.iter().position(|copy| copy.due_us == due_us) else { return };
            let Copied { injection, request, .. } = copies.remove(at);
            match request {
                Sent::Words(database, words) => {
                    let session = self.server.connect();
                    self.execute(session, &["SELECT".into(), database.to_string().into()]);
                    self.execute(session, &words);
                    self.server.disconnect(session);
                }
                Sent::Command(command) => {
                    let now_us = self.clock.now_us();
                    // Nobody sees the second reply.
                    let _ = self.server.apply(now_us, &command, crate::Engine::Lua);
                    self.distribute();
                }
            }
            self.fault_state.faults.take_effect(injection, "executed once more");
        }
    }

    /// Sends copies, lets others go that wait for a request, and does to the server what is to happen
    /// after it.
    fn end_request(&mut self, effects: &Effects, sent: impl Fn() -> Sent) {
        self.distribute();
        let elapsed_us = self.clock.elapsed_us();
        for Duplicate { after, injection } in &effects.duplicates {
            let due_us = elapsed_us.saturating_add(micros(after.saturating_sub(effects.delay)));
            let (injection, request) = (*injection, sent());
            self.fault_state.copies.push(Copied { due_us, injection, request });
        }
        if effects.executed {
            let next = |parked: &Parked| parked.until == Until::Next;
            self.fault_state.let_go(next, "another request was executed first");
            effects.server_event.iter().for_each(|event| self.trigger(*event));
        }
        self.run_copies();
        self.distribute();
    }

    fn trigger(&mut self, ServerEvent { kind, down, injection }: ServerEvent) {
        let now = self.times();
        let state = &mut self.fault_state;
        let lost = state.writes.lose(&mut self.server, kind, now);
        state.outage.end();
        if !down.is_zero() {
            state.outage.begin(now.elapsed_us.saturating_add(micros(down)), Some(injection));
        }
        if kind == ServerEventKind::Restart || lost.writes > 0 {
            state.faults.take_effect(injection, lost.to_string());
        }
    }

    fn times(&self) -> Times {
        Times { now_us: self.clock.now_us(), elapsed_us: self.clock.elapsed_us() }
    }

    /// Executes one command as its slot will have it.
    fn serve(&mut self, session: SessionId, words: &[Bytes], slot: &Slot) -> Option<Resp> {
        let (lag, injection) = match slot {
            Slot::Serve => return self.execute(session, words),
            Slot::Error(text) => return Some(Resp::Error(text.clone())),
            Slot::Stale { lag, injection } => (*lag, *injection),
        };
        let fresh = self.execute(session, words)?;
        let stale = stale_reply(&self.server, session, words, self.times(), (lag, 0));
        match stale {
            Some(stale) if stale != fresh && !is_final(std::slice::from_ref(&fresh)) => {
                self.fault_state.faults.take_effect(injection, "answered from older data");
                Some(stale)
            }
            _ => Some(fresh),
        }
    }
}

impl FakeConnection {
    /// What is to happen to a command, if anything is.
    pub(super) fn judge(&self, words: &[Bytes]) -> Option<Effects> {
        let mut shared = lock(&self.session.shared);
        let session = self.live(&mut shared);
        shared.judge(self.session.number, Some(session), words)
    }

    /// Runs one command as the faults will have it. Whoever is not `patient` is answered as if the time
    /// had run out, instead of waiting for a reply.
    pub(super) async fn ask(
        &self,
        words: &[Bytes],
        effects: &Effects,
        patient: bool,
    ) -> Result<Resp, LostReply> {
        until_due(&self.session.shared, effects).await;
        match self.step(words, effects) {
            Step::Replied(reply) => Ok(reply),
            Step::Waits if patient => self.delivered().await,
            Step::Waits => {
                self.reconnect();
                Ok(Resp::NilArray)
            }
            Step::Lost(LostReply::TimedOut) if patient => pending().await,
            Step::Lost(lost) => {
                self.reconnect();
                Err(lost)
            }
        }
    }

    fn step(&self, words: &[Bytes], effects: &Effects) -> Step {
        let mut shared = lock(&self.session.shared);
        let session = self.live(&mut shared);
        let executed = effects.executed.then(|| shared.serve(session, words, &effects.slots[0]));
        let database = shared.server.database(session);
        shared.end_request(effects, || Sent::Words(database, words.to_vec()));
        match (&effects.ending, executed) {
            (Ending::Reply, Some(Some(reply))) => Step::Replied(reply),
            (Ending::Reply, Some(None)) => Step::Waits,
            (ending, _) => Step::Lost(LostReply::of(ending)),
        }
    }
}

impl LostReply {
    fn cause(self) -> Cause {
        match self {
            Self::Closed | Self::Reset => Cause::Disconnected(self.to_string().into()),
            Self::TimedOut => Cause::TIMED_OUT,
        }
    }

    fn of(ending: &Ending) -> Self {
        match ending {
            Ending::Hang => Self::TimedOut,
            Ending::Reset => Self::Reset,
            // A status of HTTP is refused with its rule.
            Ending::Reply | Ending::Close | Ending::Status { .. } => Self::Closed,
        }
    }
}

/// A request that is held, for as long as this lives.
struct Place<'a> {
    shared: &'a Mutex<Shared>,
    injection: InjectionId,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let injection = self.injection;
        lock(self.shared).fault_state.parked.retain(|parked| parked.injection != injection);
    }
}

/// Waits as long as the effects say, then sets the clock as they say.
async fn until_due(shared: &Mutex<Shared>, effects: &Effects) {
    let place = effects.hold.map(|held| Place { shared, injection: held.injection });
    if !effects.delay.is_zero() {
        lock(shared).pass(effects.delay);
    }
    if let Some(Place { injection, .. }) = &place {
        poll_fn(|context| {
            let mut shared = lock(shared);
            let state = &shared.fault_state;
            let held =
                state.parked.iter().any(|parked| parked.injection == *injection && !parked.free);
            if held {
                shared.waiting.push(context.waker().clone());
            }
            if held { Poll::Pending } else { Poll::Ready(()) }
        })
        .await;
    }
    drop(place);
    if effects.jump_us != 0 {
        let mut shared = lock(shared);
        shared.clock.jump(effects.jump_us);
        shared.distribute();
    }
}

/// Runs a future on this thread, which sleeps while it is pending.
pub(super) fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}
