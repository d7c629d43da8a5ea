//! A client that uses handles as they ship: `Lock`, `Lease`, `hold`, renewals in the background, the
//! queue of waiters, hints, `Debounce`, and what a drop does.
//!
//! The world steps a program that polls the futures; all that they ask of a store or a clock goes
//! through a [`Process`]. A process may begin its next job while one still works: of a lock, so that
//! it waits behind a lease of its own process.

mod awaited;
mod call;
mod droppable;
mod job;
mod orders;
mod own_token;
mod process;
mod rounds;

use core::fmt;
use std::{
    collections::BTreeMap,
    hash::{Hash, Hasher},
    mem,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Waker},
};

use leasehold_core::{Instant, Reply, StoreError, Task};

use awaited::AwaitedCall;
use call::CallbackPanics;
use orders::tell;
use process::{Order, Process, Told};
use rounds::Handle;

use super::{Plan, Response, Step, debounce::is_sweeper, driver};
use crate::{
    catalog::Workload,
    decide::DecisionSource,
    executor::Ready,
    history::{Act, Client, DebounceEvent, End, Event, TokenId},
    mutants::Mutant,
    world::{Alarm, Answered, Cancelled, Host, Observer, SERVERS},
};

/// A client that uses handles. Its futures can be neither cloned nor compared, so it lives in worlds
/// that are run, and in none that is searched.
pub(crate) struct HandleProgram {
    process: Arc<Process>,
    /// `None` until it is used, and while it is dropped.
    handle: Option<Handle>,
    tasks: Mutex<BTreeMap<usize, Running>>,
    spawned: usize,
    ready: Arc<Ready>,
    /// The calls that are not answered.
    sent: BTreeMap<u32, Sent>,
    /// How many subscriptions there are at each server.
    subscriptions: [u32; SERVERS],
    round: u32,
    /// Whether it is the sweeper of a debounced function.
    sweeps: bool,
    /// How many calls of a debounced function the client has made, in all its lives.
    calls: u16,
    /// When the next job begins.
    next: Option<Instant>,
    /// The job that began to await something last.
    caller: Option<usize>,
}

/// A call that a future has ordered.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Sent {
    /// Which wait of the process is for its answer.
    wait: u64,
    act: Act,
    token: Option<TokenId>,
}

/// A future that is not over.
struct Running {
    future: Task,
    waker: Waker,
    /// The round of the job that it is; the others run in the background.
    round: Option<u32>,
    /// What the job awaits; nothing that runs in the background can be left.
    awaited: Option<Arc<AwaitedCall>>,
}

impl HandleProgram {
    pub(crate) fn new(plan: &Plan, client: Client) -> Self {
        let process = Process::new(2 * plan.settings.latency, plan.scenario.mutant);
        Self {
            process: Arc::new(process),
            handle: None,
            tasks: Mutex::default(),
            spawned: 0,
            ready: Arc::default(),
            sent: BTreeMap::new(),
            subscriptions: [0; SERVERS],
            round: 0,
            sweeps: plan.scenario.workload == Workload::Debounce && is_sweeper(plan, client),
            calls: 0,
            next: Some(Instant::ORIGIN),
            caller: None,
        }
    }

    pub(crate) fn alarm<C: DecisionSource, W: Observer>(
        &mut self,
        step: &mut Step<'_, C, W>,
        me: Client,
        _alarm: Alarm,
    ) {
        self.go_on(step, me);
    }

    /// The planted bug: whatever comes is taken for what is awaited.
    pub(crate) fn awaits(&self, host: &Host, call: u32) -> bool {
        match self.process.mutant() {
            Some(Mutant::UnmatchedReply) => !self.sent.is_empty(),
            _ => host.awaits(call),
        }
    }

    pub(crate) fn reply<C: DecisionSource, W: Observer>(
        &mut self,
        step: &mut Step<'_, C, W>,
        me: Client,
        answered: Answered,
        response: Response,
    ) {
        if let Some(sent) = self.waiting_for(answered.call) {
            let result = driver::result(response);
            if self.process.mutant() == Some(Mutant::CountedTwice) {
                self.count_again(step, me, sent, result.clone());
            }
            self.process.answer(self.wait_of(sent), result);
        }
        self.go_on(step, me);
    }

    /// Which wait the answer ends. The planted bug: that to a renewal which was broken off for an
    /// extension counts as the extension's.
    fn wait_of(&self, sent: Sent) -> u64 {
        let mistaken = self.process.mutant() == Some(Mutant::RenewalForExtension)
            && !self.process.awaits(sent.wait);
        let extends = |other: &&Sent| {
            (other.act, other.token) == (Act::Extend, sent.token) && self.process.awaits(other.wait)
        };
        let other = self.sent.values().find(extends).filter(|_| mistaken);
        other.map_or(sent.wait, |other| other.wait)
    }

    /// The planted bug: an answer counts for another server, too, which was asked the same.
    fn count_again<C: DecisionSource, W: Observer>(
        &mut self,
        step: &mut Step<'_, C, W>,
        me: Client,
        Sent { act, token, .. }: Sent,
        result: Result<Reply, StoreError>,
    ) {
        let same = |(_, other): &(&u32, &Sent)| (other.act, other.token) == (act, token);
        if let Some(call) = self.sent.iter().find(same).map(|(call, _)| *call)
            && let Some(other) = self.sent.remove(&call)
        {
            step.give_up_on(me, call);
            self.process.answer(other.wait, result);
        }
    }

    /// Server number `node` tells of a release.
    pub(crate) fn notified<C: DecisionSource, W: Observer>(
        &mut self,
        step: &mut Step<'_, C, W>,
        me: Client,
        node: u8,
    ) {
        // What was under way to a process that has died meanwhile reaches nobody.
        if self.subscriptions[usize::from(node)] > 0 {
            self.process.notify(node);
            self.go_on(step, me);
        }
    }

    pub(crate) fn cancel<C: DecisionSource, W: Observer>(
        &mut self,
        step: &mut Step<'_, C, W>,
        me: Client,
        handle: bool,
    ) {
        if !handle {
            step.cancelling(me);
        }
        self.process.advance(step.local(me));
        self.vanish(step, me, handle);
        self.run(step, me);
        self.set_alarm(step, me);
    }

    /// The process died: nothing that a destructor does is seen by anybody.
    pub(crate) fn restarted<C: DecisionSource, W: Observer>(
        &mut self,
        step: &mut Step<'_, C, W>,
        me: Client,
        _life: u32,
    ) {
        self.die();
        while let Some(order) = self.process.next_order() {
            if let Order::Tell(
                told @ (Told::Ended { end: End::Gone, .. }
                | Told::Debounced(DebounceEvent::Returned { .. })),
            ) = order
            {
                tell(step, me, told);
            }
        }
        let (round, calls) = (self.round, self.calls);
        *self = Self::new(&step.core.plan, me);
        (self.round, self.calls) = (round, calls);
    }

    pub(crate) fn is_busy(&self) -> bool {
        self.tasks().values().any(|running| running.round.is_some())
    }

    /// The sweeper of a debounced function is the one that lives: whoever else may die, it claims
    /// what they leave.
    pub(crate) fn may_crash(&self) -> bool {
        !self.sweeps
    }

    fn tasks(&self) -> std::sync::MutexGuard<'_, BTreeMap<usize, Running>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tasks_mut(&mut self) -> &mut BTreeMap<usize, Running> {
        self.tasks.get_mut().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends all tasks where they are.
    fn die(&mut self) {
        self.process.die();
        drop(mem::take(self.tasks_mut()));
        self.handle = None;
    }

    fn go_on<C: DecisionSource, W: Observer>(&mut self, step: &mut Step<'_, C, W>, me: Client) {
        let now = step.local(me);
        self.process.advance(now);
        if step.takes_notification(me) {
            self.process.notify(0);
        }
        if self.next.is_some_and(|next| next <= now) {
            self.begin_job(step, me);
        }
        self.run(step, me);
        self.set_alarm(step, me);
    }

    /// Who waits for the answer to `call`; if the bug is planted, whoever has waited the longest.
    fn waiting_for(&mut self, call: u32) -> Option<Sent> {
        match self.process.mutant() {
            Some(Mutant::UnmatchedReply) => self.sent.pop_first().map(|(_, sent)| sent),
            _ => self.sent.remove(&call),
        }
    }

    /// Polls what is ready until nothing is. A job that has to wait may be dropped there, each time.
    fn run<C: DecisionSource, W: Observer>(&mut self, step: &mut Step<'_, C, W>, me: Client) {
        self.carry_out(step, me);
        while let Some(task) = self.ready.take(step.next_task(me, self.ready.len())) {
            let awaits = self.poll(step, me, task);
            self.carry_out(step, me);
            if awaits {
                self.caller = Some(task);
                match step.awaiting(me, true) {
                    Cancelled::No => {}
                    Cancelled::Future => self.vanish(step, me, false),
                    Cancelled::Handle => self.vanish(step, me, true),
                }
            }
        }
    }

    /// Whether `task` is a job that has to wait.
    fn poll<C: DecisionSource, W: Observer>(
        &mut self,
        step: &mut Step<'_, C, W>,
        me: Client,
        task: usize,
    ) -> bool {
        let Some(mut running) = self.tasks_mut().remove(&task) else { return false };
        let before = self.ready.len();
        let over = {
            let context = &mut Context::from_waker(&running.waker);
            let future = running.future.as_mut();
            match catch_unwind(AssertUnwindSafe(|| future.poll(context))) {
                Ok(polled) => polled.is_ready(),
                Err(panic) if panic.is::<CallbackPanics>() => true,
                Err(panic) => resume_unwind(panic),
            }
        };
        if running.round.is_some() {
            self.lose_wake_ups(before);
        }
        self.process.watch_lease();
        let round = running.round;
        if !over {
            self.tasks_mut().insert(task, running);
        } else if let Some(round) = round {
            self.ended(step, me, round);
        }
        !over && round.is_some()
    }

    /// The planted bug: a job is not woken by what another one did.
    fn lose_wake_ups(&self, before: usize) {
        if self.process.mutant() == Some(Mutant::LostWakeUp) {
            while self.ready.len() > before {
                let task = self.ready.take(before);
                debug_assert!(task.is_some(), "it was there");
            }
        }
    }

    fn spawn(&mut self, future: Task, round: Option<u32>, awaited: Option<Arc<AwaitedCall>>) {
        self.spawned += 1;
        let task = self.spawned;
        let waker = self.ready.waker(task);
        self.tasks_mut().insert(task, Running { future, waker, round, awaited });
        self.ready.push(task);
    }

    /// The caller goes away: from the job that began to await something last, or in every other job
    /// from its extension or its release alone; or from all jobs and the handle.
    fn vanish<C: DecisionSource, W: Observer>(
        &mut self,
        step: &mut Step<'_, C, W>,
        me: Client,
        handle: bool,
    ) {
        let jobs: Vec<usize> = {
            let jobs = self.tasks_mut().iter().filter(|(_, running)| running.round.is_some());
            let jobs = jobs.map(|(task, _)| *task).collect::<Vec<_>>();
            let caller = self.caller.filter(|caller| jobs.contains(caller));
            let caller = caller.or_else(|| jobs.last().copied());
            if handle { jobs } else { caller.into_iter().collect() }
        };
        for job in jobs {
            self.leave(step, me, job, !handle);
        }
        if handle {
            step.host(me).life += 1;
            self.process.drop_caller(self.handle.take());
        }
        self.carry_out(step, me);
    }

    /// The caller goes away from `job`, or from its call alone if it `may_stay`.
    fn leave<C: DecisionSource, W: Observer>(
        &mut self,
        step: &mut Step<'_, C, W>,
        me: Client,
        job: usize,
        may_stay: bool,
    ) {
        let before = self.ready.len();
        let running = self.tasks_mut().get(&job);
        let Some((round, awaited)) =
            running.and_then(|running| running.round.zip(running.awaited.clone()))
        else {
            return;
        };
        if let Some((awaited, at)) = awaited.now() {
            step.emit(Event::Left { client: me, job: round, awaited, at });
        }
        if may_stay && round % 2 == 1 && awaited.leave() {
            self.ready.push(job);
            return;
        }
        let gone = self.tasks_mut().remove(&job);
        self.process.drop_caller(gone);
        self.lose_wake_ups(before);
        self.ended(step, me, round);
    }

    /// Wakes for the next sleep that is over, or the next job.
    fn set_alarm<C: DecisionSource, W: Observer>(&self, step: &mut Step<'_, C, W>, me: Client) {
        let times = self.process.next_timer().into_iter().chain(self.next);
        match times.min() {
            Some(at) => step.set_alarm(me, Alarm::Machine, at),
            None => step.clear_alarm(me, Alarm::Machine),
        }
    }
}

impl Drop for HandleProgram {
    fn drop(&mut self) {
        self.die();
    }
}

impl Clone for HandleProgram {
    fn clone(&self) -> Self {
        unreachable!("futures are not cloned: only worlds of machines are searched")
    }
}

impl PartialEq for HandleProgram {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

impl Eq for HandleProgram {}

impl Hash for HandleProgram {
    fn hash<H: Hasher>(&self, _hasher: &mut H) {
        unreachable!("futures are not compared: only worlds of machines are searched")
    }
}

impl fmt::Debug for HandleProgram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HandleProgram").field("round", &self.round).finish_non_exhaustive()
    }
}
