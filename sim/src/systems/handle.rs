//! A client that uses the lock's handles as they ship: `Lock`, `Lease`, `hold`, renewals in the
//! background, the queue of waiters, hints, and what a drop does.
//!
//! The world steps a program that polls the futures; all that they ask of a store or a clock goes
//! through a [`Process`]. A process may have its next job queue up while one still works, so that it
//! waits behind a lease of its own process.

mod caller;
mod job;
mod process;

use core::fmt;
use std::{
    collections::BTreeMap,
    hash::{Hash, Hasher},
    mem,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Waker},
};

use leasehold_core::{
    Instant, Reply, Task, Tokens,
    lock::{Lock, LockConfig, LockReply},
};

use caller::Caller;
use job::{Job, Style, Terms};
use process::{HandleClock, HandleStore, Order, Process, Told};

use super::{
    LOCK_ID, Plan, Response, Step, Write, driver,
    lock::{options, renewals},
};
use crate::{
    decide::{DecisionKind, DecisionSource},
    executor::Ready,
    history::{Answer, Client, End, Event, TokenId},
    mutants::Mutant,
    world::{Alarm, Answered, Cancelled, Host, Observer},
};

/// The one client that brings a token along for each of its calls.
const BRINGS_TOKENS: Client = 1;

/// A client that uses handles. Its futures can be neither cloned nor compared, so it lives in worlds
/// that are run, and in none that is searched.
pub(crate) struct HandleProgram {
    process: Arc<Process>,
    /// `None` only while it is dropped.
    lock: Option<Lock>,
    terms: Terms,
    tasks: Mutex<BTreeMap<usize, Running>>,
    spawned: usize,
    ready: Arc<Ready>,
    /// Which wait of the process is for the answer to which call.
    sent: BTreeMap<u32, u64>,
    subscriptions: u32,
    round: u32,
    /// When the next job begins.
    next: Option<Instant>,
    /// The job that began to await something last.
    caller: Option<usize>,
}

/// A future that is not over.
struct Running {
    future: Task,
    waker: Waker,
    /// The round of the job that it is; the others run in the background.
    round: Option<u32>,
    /// Who awaits the calls of the job, if it can go away from one alone.
    caller: Option<Arc<Caller>>,
}

impl HandleProgram {
    pub(crate) fn new(plan: &Plan, client: Client, life: u32) -> Self {
        let config =
            LockConfig::new(LOCK_ID, &options(plan, client)).expect("the plan is a valid setting");
        let scenario = &plan.scenario;
        let terms = Terms {
            lease: scenario.lease,
            hold: scenario.hold,
            waits: scenario.waits,
            longest_call: config.longest_acquire(&config.acquire()).as_micros() as u64,
            renewals: renewals(plan, client),
            own_token: None,
        };
        let process = Arc::new(Process::new(2 * plan.settings.latency, scenario.mutant));
        let lock = Some(lock(&process, plan, client, life));
        Self {
            process,
            lock,
            terms,
            tasks: Mutex::default(),
            spawned: 0,
            ready: Arc::default(),
            sent: BTreeMap::new(),
            subscriptions: 0,
            round: 0,
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
        if let Some(wait) = self.waiting_for(answered.call) {
            self.process.answer(wait, driver::result(response));
        }
        self.go_on(step, me);
    }

    pub(crate) fn notified<C: DecisionSource, W: Observer>(
        &mut self,
        step: &mut Step<'_, C, W>,
        me: Client,
    ) {
        self.process.notify();
        self.go_on(step, me);
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
    }

    /// The process died: nothing that a destructor does is seen by anybody.
    pub(crate) fn restarted<C: DecisionSource, W: Observer>(
        &mut self,
        step: &mut Step<'_, C, W>,
        me: Client,
        life: u32,
    ) {
        self.die();
        while let Some(order) = self.process.next_order() {
            if let Order::Tell(told @ Told::Ended { end: End::Gone, .. }) = order {
                tell(step, me, told);
            }
        }
        let round = self.round;
        *self = Self::new(&step.core.plan, me, life);
        self.round = round;
    }

    pub(crate) fn is_busy(&self) -> bool {
        self.tasks().values().any(|running| running.round.is_some())
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
        self.lock = None;
    }

    fn go_on<C: DecisionSource, W: Observer>(&mut self, step: &mut Step<'_, C, W>, me: Client) {
        let now = step.local(me);
        self.process.advance(now);
        if step.takes_notification(me) {
            self.process.notify();
        }
        if self.next.is_some_and(|next| next <= now) {
            self.begin_job(step, me);
        }
        self.caller = None;
        self.run(step, me);
        self.set_alarm(step, me);
        if self.caller.is_some() {
            match step.awaiting(me, true) {
                Cancelled::No => {}
                Cancelled::Future => self.vanish(step, me, false),
                Cancelled::Handle => self.vanish(step, me, true),
            }
        }
    }

    /// Who waits for the answer to `call`; if the bug is planted, whoever has waited the longest.
    fn waiting_for(&mut self, call: u32) -> Option<u64> {
        match self.process.mutant() {
            Some(Mutant::UnmatchedReply) => self.sent.pop_first().map(|(_, wait)| wait),
            _ => self.sent.remove(&call),
        }
    }

    /// Polls what is ready until nothing is.
    fn run<C: DecisionSource, W: Observer>(&mut self, step: &mut Step<'_, C, W>, me: Client) {
        self.carry_out(step, me);
        while let Some(task) = self.ready.take(step.next_task(me, self.ready.len())) {
            self.poll(step, me, task);
            self.carry_out(step, me);
        }
    }

    fn poll<C: DecisionSource, W: Observer>(
        &mut self,
        step: &mut Step<'_, C, W>,
        me: Client,
        task: usize,
    ) {
        let Some(mut running) = self.tasks_mut().remove(&task) else { return };
        let before = self.ready.len();
        let over =
            running.future.as_mut().poll(&mut Context::from_waker(&running.waker)).is_ready();
        if running.round.is_some() {
            self.lose_wake_ups(before);
        }
        self.process.watch_lease();
        match (over, running.round) {
            (false, round) => {
                if round.is_some() {
                    self.caller = Some(task);
                }
                self.tasks_mut().insert(task, running);
            }
            (true, Some(round)) => self.ended(step, me, round),
            (true, None) => {}
        }
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

    fn spawn(&mut self, future: Task, round: Option<u32>, caller: Option<Arc<Caller>>) {
        self.spawned += 1;
        let task = self.spawned;
        let waker = self.ready.waker(task);
        self.tasks_mut().insert(task, Running { future, waker, round, caller });
        self.ready.push(task);
    }

    fn begin_job<C: DecisionSource, W: Observer>(&mut self, step: &mut Step<'_, C, W>, me: Client) {
        self.next = None;
        let Some(lock) = self.lock.clone() else { return };
        let behaviours = step.core.plan.scenario.behaviours;
        let style = if step.core.healed {
            Style::HEALED[self.round as usize % Style::HEALED.len()]
        } else {
            let choice = step.choose(DecisionKind::Behaviour, me, self.round, behaviours);
            Style::ALL[choice as usize % Style::ALL.len()]
        };
        let mut terms = self.terms;
        if self.round % 4 == 3 {
            terms.waits = 0;
        }
        if me == BRINGS_TOKENS {
            terms.own_token = Some((me, step.host(me).life, self.round));
        }
        let caller = Arc::new(Caller::default());
        let leaves_calls = (self.round % 3 == 1).then(|| caller.clone());
        let job = Job { process: self.process.clone(), caller, lock, style, terms };
        self.spawn(Box::pin(job.run()), Some(self.round), leaves_calls);
        self.round += 1;
    }

    /// Job number `round` is over.
    fn ended<C: DecisionSource, W: Observer>(
        &mut self,
        step: &mut Step<'_, C, W>,
        me: Client,
        round: u32,
    ) {
        if round + 1 == self.round && self.next.is_none() {
            self.idle(step, me);
        }
    }

    fn idle<C: DecisionSource, W: Observer>(&mut self, step: &mut Step<'_, C, W>, me: Client) {
        let plan = &step.core.plan.scenario;
        if self.round >= plan.calls {
            return;
        }
        let (mut idle, idle_step, choices) = (plan.idle, plan.idle_step, plan.idle_choices);
        if step.core.healed {
            // Enough to see that everybody is served, and no more.
            idle *= 3;
        }
        let choice = step.choose(DecisionKind::Idle, me, self.round, choices);
        self.next = Some(step.local(me).plus_micros(idle + u64::from(choice) * idle_step));
    }

    /// Every other job is followed by one that queues up behind it.
    fn acquired<C: DecisionSource, W: Observer>(&mut self, step: &Step<'_, C, W>, me: Client) {
        if self.round % 2 == 1 && self.round < step.core.plan.scenario.calls {
            self.next = Some(step.local(me).plus_micros(self.terms.hold / 2));
        }
    }

    /// The caller goes away: from the job that began to await something last, or from all jobs and the
    /// handle.
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
            let before = self.ready.len();
            let caller = self.tasks_mut().get(&job).and_then(|running| running.caller.clone());
            if !handle && caller.is_some_and(|caller| caller.leaves()) {
                self.ready.push(job);
                continue;
            }
            let gone = self.tasks_mut().remove(&job);
            let round = gone.as_ref().and_then(|running| running.round);
            self.process.drop_caller(gone);
            self.lose_wake_ups(before);
            if let Some(round) = round {
                self.ended(step, me, round);
            }
        }
        if handle {
            let host = step.host(me);
            host.life += 1;
            let life = host.life;
            self.process.drop_caller(self.lock.take());
            self.lock = Some(lock(&self.process, &step.core.plan, me, life));
        }
        self.run(step, me);
        self.set_alarm(step, me);
    }

    /// Sends what was ordered and tells what was said, in order.
    fn carry_out<C: DecisionSource, W: Observer>(&mut self, step: &mut Step<'_, C, W>, me: Client) {
        while let Some(order) = self.process.next_order() {
            match order {
                Order::Call { wait, command } => {
                    let (act, token) = driver::meaning(&command);
                    if self.process.keeps(act, token) {
                        let released = Reply::Lock(LockReply::Released);
                        self.process.answer(wait, Ok(released));
                        continue;
                    }
                    step.send(me, 0, driver::request(act, token, command));
                    self.sent.insert(step.host(me).calls, wait);
                }
                Order::Subscribe => {
                    self.subscriptions += 1;
                    step.subscribe(me);
                }
                Order::Subscribed => _ = step.is_newly_subscribed(me),
                Order::Unsubscribe => {
                    self.subscriptions -= 1;
                    if self.subscriptions == 0 {
                        step.unsubscribe(me);
                    }
                }
                Order::Tell(told) => {
                    tell(step, me, told);
                    if let Told::Returned { answer: Answer::Acquired, .. } = told {
                        self.acquired(step, me);
                    }
                }
            }
        }
        let process = &self.process;
        self.sent.retain(|&call, &mut wait| {
            let awaited = process.awaits(wait);
            if !awaited {
                step.give_up_on(me, call);
            }
            awaited
        });
        for task in self.process.take_spawned() {
            self.spawn(task, None, None);
        }
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

/// The handle of a client in one of its lives.
fn lock(process: &Arc<Process>, plan: &Plan, client: Client, life: u32) -> Lock {
    let config =
        LockConfig::new(LOCK_ID, &options(plan, client)).expect("the plan is a valid setting");
    let (store, clock) = (HandleStore(process.clone()), HandleClock(process.clone()));
    Lock::from_config(store, clock, config, Tokens::of_owner(TokenId::owner(client, life)))
}

fn tell<C: DecisionSource, W: Observer>(step: &mut Step<'_, C, W>, client: Client, told: Told) {
    let event = match told {
        Told::Asked { ask, by } => Event::Asked { client, ask, by: step.truth(client, by) },
        Told::Returned { ask, answer, token } => Event::Returned { client, ask, answer, token },
        Told::Held { token, fence, until } => {
            Event::Held { client, token, fence, until: step.truth(client, until) }
        }
        Told::Ended { token, end } => Event::Ended { client, token, end },
        Told::Acted { token, fence } => {
            if step.core.plan.scenario.acts {
                step.emit(Event::Acted { client, token });
                step.write(client, Write::Lock { token, fence }, true);
            }
            return;
        }
    };
    step.emit(event);
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
