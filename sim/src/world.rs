//! The simulated cluster as a value.
//!
//! One server (with or without a replica) or several, some clients, a resource that checks fences, and the
//! messages between them. It steps from event to event in simulated time; what is left to chance is
//! asked of a [`DecisionSource`], and what happens is told to a [`Observer`]. Nothing else goes in or out, so
//! the same choices give the same history, in any process and on any day.

mod client;
mod clocks;
mod copies;
mod fingerprint;
#[cfg(test)]
mod idle;
mod message;
mod network;
mod queue;
mod scale;
mod server;
mod settings;
mod subscriptions;
mod system;
mod ties;
mod transit;

pub use client::{Alarm, Host, Link};
pub use clocks::ClientClock;
pub use message::{Body, Message, Response};
pub(crate) use network::{FURTHER, NOTIFICATION};
pub(crate) use queue::{Queue, What};
pub use scale::Scale;
pub(crate) use server::SERVERS;
pub use server::Server;
pub use settings::{Plan, Promotion, Settings, Topology};
pub use system::{Answered, Cancelled, Disturbed, Fate, Faults, Program, Silence, System, Wait};
use ties::Tied;
pub use transit::{ELSEWHERE, Leg, Parcel, Transit};

use crate::{
    decide::{Address, DecisionKind, DecisionSource, Fault, FaultSet},
    history::{Client, Event},
};

/// How long after one client the next one starts, by its own clock: not all at once, so that a run
/// without any chance is a story with an order.
const STAGGER: u64 = 7_000;

/// Someone who is told everything that happens.
pub trait Observer {
    /// `event` happened at true time `at`, in microseconds from the start.
    fn observe(&mut self, at: u64, event: &Event);

    /// Whether [`Observer::transit`] is of any use: what takes time to find out is left out otherwise.
    #[inline]
    fn wants_transits(&self) -> bool {
        false
    }

    /// What becomes of a message at true time `at`, and what it says. A checker is told none of this.
    #[inline]
    fn transit(&mut self, _at: u64, _transit: Transit, _words: &dyn Fn() -> String) {}
}

impl Observer for () {
    fn observe(&mut self, _at: u64, _event: &Event) {}
}

/// A simulated cluster.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct World<S: System> {
    programs: Vec<S::Program>,
    core: Core<S>,
}

/// All of the world but the programs that run in it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Core<S: System> {
    pub(crate) plan: Plan<S>,
    pub(crate) now: u64,
    pub(crate) healed: bool,
    pub(crate) queue: Queue<S>,
    pub(crate) hosts: Vec<Host>,
    /// When each client is woken, in true time, [`u64::MAX`] for never. Kept side by side, since
    /// every step looks through all of them.
    pub(crate) alarms: Vec<[u64; 2]>,
    pub(crate) servers: Vec<Server>,
    /// What the programs share, and what an observer was told last.
    pub(crate) shared: S::Shared,
    /// The greatest fence that the protected resource has seen.
    pub(crate) resource_fence: u64,
    /// When each server last applied a request.
    pub(crate) applied_at: [u64; SERVERS],
    pub(crate) messages: u64,
    pub(crate) effects: [u32; Fault::ALL.len()],
    /// Faults that were drawn for this run, and may occur beside those of its plan.
    pub(crate) drawn: FaultSet,
}

/// What a step may use.
#[derive(Debug)]
pub struct Step<'a, S: System, C, W> {
    pub(crate) core: &'a mut Core<S>,
    pub(crate) source: &'a mut C,
    pub(crate) observer: &'a mut W,
}

impl<S: System> World<S> {
    /// The cluster of `plan`, at its start.
    #[must_use]
    pub fn new(plan: Plan<S>) -> Self {
        let Settings { clients, faults_end, end, .. } = plan.settings;
        debug_assert!((1..=8).contains(&clients), "a world has 1 to 8 clients, not {clients}");
        debug_assert!(faults_end <= end, "faults end at {faults_end}, the run at {end}");
        let programs = (0..clients).map(|client| S::program(&plan, client)).collect();
        Self { programs, core: Core::new(plan) }
    }

    /// The servers.
    pub(crate) fn servers(&self) -> &[Server] {
        &self.core.servers
    }

    /// The true time.
    pub(crate) fn now(&self) -> u64 {
        self.core.now
    }

    /// Runs to the end.
    pub fn run<C: DecisionSource, W: Observer>(&mut self, source: &mut C, observer: &mut W) {
        self.begin(source, observer);
        while self.step(source, observer) {}
    }

    /// Sets the clocks and the first alarms. Once, before the first [`World::step`].
    pub fn begin<C: DecisionSource, W: Observer>(&mut self, source: &mut C, observer: &mut W) {
        debug_assert!(self.core.now == 0 && self.core.messages == 0, "a world begins once");
        let mut step = Step { core: &mut self.core, source, observer };
        step.begin();
        for client in 0..self.programs.len() as Client {
            let start = step.local(client).plus_micros(STAGGER * u64::from(client));
            step.set_alarm(client, Alarm::Work, start);
        }
    }

    /// Takes the next event, and says whether there are more.
    pub fn step<C: DecisionSource, W: Observer>(
        &mut self,
        source: &mut C,
        observer: &mut W,
    ) -> bool {
        let mut step = Step { core: &mut self.core, source, observer };
        let more = step.next(&mut self.programs);
        if !more {
            S::finish(&mut step);
            step.emit(Event::Finished);
        }
        more
    }

    /// How many requests and replies were delivered.
    #[must_use]
    pub fn messages(&self) -> u64 {
        self.core.messages
    }

    /// How often `fault` changed what would have happened; if it stands for several, that of those
    /// drawn which did so the least often.
    #[must_use]
    pub fn effects(&self, fault: Fault) -> u32 {
        let effects = |fault: Fault| self.core.effects[fault as usize];
        if fault.is_single() {
            effects(fault)
        } else {
            self.core.drawn.iter().map(effects).min().unwrap_or(0)
        }
    }
}

impl<S: System> Core<S> {
    fn new(plan: Plan<S>) -> Self {
        let clients = plan.settings.clients;
        Self {
            now: 0,
            healed: false,
            queue: Queue::default(),
            hosts: (0..clients).map(|_| Host::default()).collect(),
            alarms: vec![[u64::MAX; 2]; usize::from(clients)],
            servers: Server::all(&plan.settings),
            shared: S::shared(&plan),
            resource_fence: 0,
            applied_at: [u64::MAX; SERVERS],
            messages: 0,
            effects: [0; Fault::ALL.len()],
            drawn: FaultSet::NONE,
            plan,
        }
    }
}

impl<S: System, C: DecisionSource, W: Observer> Step<'_, S, C, W> {
    fn begin(&mut self) {
        let Settings { faults_end, end, clients, .. } = self.core.plan.settings;
        self.core.queue.push(faults_end, What::Heal);
        self.core.queue.push(end, What::End);
        for client in 0..clients {
            S::Faults::starting(self, client);
        }
    }

    /// Takes the next event, and says whether there are more.
    fn next(&mut self, programs: &mut [S::Program]) -> bool {
        if let Some(tied) = self.break_tie() {
            return self.take(programs, tied);
        }
        let (due, client, alarm) = self.next_alarm();
        if self.core.queue.next_due() <= due {
            let (at, what) = self.core.queue.pop();
            debug_assert!(at >= self.core.now, "time runs forward");
            self.core.now = at;
            return self.happen(programs, what);
        }
        self.ring(programs, due, client, alarm)
    }

    fn ring(
        &mut self,
        programs: &mut [S::Program],
        due: u64,
        client: Client,
        alarm: Alarm,
    ) -> bool {
        debug_assert!(due >= self.core.now, "an alarm of {client} rings in the past");
        debug_assert!(due < u64::MAX, "an alarm of {client} rings that was never set");
        self.core.now = due;
        self.core.alarms[usize::from(client)][alarm as usize] = u64::MAX;
        if self.may_run(programs, client, Deferred::Alarm(alarm)) {
            programs[usize::from(client)].alarm(self, client, alarm);
        }
        true
    }

    /// Takes one of several events that are due at once.
    fn take(&mut self, programs: &mut [S::Program], tied: Tied) -> bool {
        match tied {
            Tied::Queued(place) => {
                let (at, what) = self.core.queue.take(place);
                debug_assert!(at >= self.core.now, "time runs forward");
                self.core.now = at;
                self.happen(programs, what)
            }
            Tied::Alarm(client, alarm) => {
                let due = self.core.alarms[usize::from(client)][alarm as usize];
                self.ring(programs, due, client, alarm)
            }
        }
    }

    /// The earliest alarm of any client; the least client wins a tie.
    #[inline]
    fn next_alarm(&self) -> (u64, Client, Alarm) {
        let mut best = (u64::MAX, 0, Alarm::Machine);
        for (client, &[machine, work]) in self.core.alarms.iter().enumerate() {
            if machine < best.0 {
                best = (machine, client as Client, Alarm::Machine);
            }
            if work < best.0 {
                best = (work, client as Client, Alarm::Work);
            }
        }
        best
    }

    fn happen(&mut self, programs: &mut [S::Program], what: What<S>) -> bool {
        match what {
            What::Request(message) => self.arrive(message),
            What::Reply(message) => {
                let (client, call, node) = (message.client, message.call, message.node);
                let index = usize::from(client);
                if !programs[index].awaits(&self.core.hosts[index], client, call) {
                    if message.body != Body::Response(Response::Broken) {
                        self.transit(Transit::Unheard(message.parcel()));
                    }
                } else if let Some(message) = self.may_receive(programs, message) {
                    self.transit(Transit::Arrived(message.parcel()));
                    let response = self.received(*message);
                    programs[index].reply(self, client, Answered { call, node }, response);
                }
            }
            What::Write { client, write } => {
                let leg = Leg::Write;
                self.transit(Transit::Arrived(Parcel { leg, client, node: 0, call: 0, copy: 0 }));
                S::written(self, client, write);
            }
            What::Cancel { client, awaiting } => {
                if self.core.hosts[usize::from(client)].awaits_number == awaiting {
                    programs[usize::from(client)].cancel(self, client, false);
                }
            }
            What::Waited(message) => self.waited(message),
            What::Hint { client, subscription } => {
                if self.receives_notification(client, subscription) {
                    programs[usize::from(client)].notified(self, client, subscription);
                }
            }
            What::Heal => self.heal(),
            What::End => return false,
        }
        true
    }

    fn heal(&mut self) {
        debug_assert!(!self.core.healed, "a world heals once");
        self.core.healed = true;
        S::Faults::healing(self);
        self.emit(Event::Healed);
    }

    /// The true time, in microseconds from the start.
    #[inline]
    #[must_use]
    pub fn now(&self) -> u64 {
        self.core.now
    }

    /// What the world is like.
    #[inline]
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.core.plan.settings
    }

    /// What the clients do in it.
    #[inline]
    #[must_use]
    pub fn scenario(&self) -> &S {
        &self.core.plan.scenario
    }

    /// Whether there are no more faults.
    #[inline]
    #[must_use]
    pub fn is_healed(&self) -> bool {
        self.core.healed
    }

    /// A decision that belongs to the workload.
    #[inline]
    pub fn choose(&mut self, kind: DecisionKind, actor: u8, occurrence: u32, options: u32) -> u32 {
        debug_assert!(options > 0, "a choice of nothing at {kind:?} of {actor}");
        let choice = self.source.choose(Address { kind, actor, occurrence }, options);
        debug_assert!(choice < options, "{choice} of {options} at {kind:?} of {actor}");
        choice
    }

    /// A decision whether `fault` is injected: 0 if it is switched off, or if everything has healed.
    #[inline]
    pub fn injects(&mut self, fault: Fault, actor: u8, occurrence: u32, options: u32) -> u32 {
        if !self.may_occur(fault) || self.core.healed {
            return 0;
        }
        self.choose(fault.kind(), actor, occurrence, options)
    }

    /// Whether `fault` may occur in this run: by its plan, or since it was drawn.
    #[inline]
    pub(crate) fn may_occur(&self, fault: Fault) -> bool {
        self.core.plan.settings.faults.contains(fault) || self.core.drawn.contains(fault)
    }

    /// How long a decision of `fault` lasts that stands for `micros` by its number.
    #[inline]
    pub fn lasts(&mut self, fault: Fault, actor: u8, occurrence: u32, micros: u64) -> u64 {
        self.source.length(Address { kind: fault.kind(), actor, occurrence }, micros)
    }

    /// Tells that `fault` is injected, until a true time.
    pub fn injected(&mut self, fault: Fault, client: Option<Client>, choice: u32, until: u64) {
        self.emit(Event::Injected { fault, client, choice, until });
    }

    /// Counts and tells that `fault` changed what would have happened.
    pub fn took_effect(&mut self, fault: Fault, client: Option<Client>, call: u32) {
        debug_assert!(self.may_occur(fault), "{fault:?} took effect, although it is switched off");
        self.core.effects[fault as usize] += 1;
        self.emit(Event::TookEffect { fault, client, call });
    }

    /// Tells an observer what happens now.
    #[inline]
    pub fn emit(&mut self, event: Event) {
        self.observer.observe(self.core.now, &event);
    }

    /// Tells what becomes of a message.
    #[inline]
    pub(crate) fn transit(&mut self, transit: Transit) {
        self.observer.transit(self.core.now, transit, &String::new);
    }

    /// Whether the protected resource takes a write with this fence.
    pub fn accepts(&mut self, fence: u64) -> bool {
        let accepted = fence >= self.core.resource_fence;
        self.core.resource_fence = self.core.resource_fence.max(fence);
        accepted
    }
}

/// What a client was about to do when it was stopped.
#[derive(Clone, Copy, Debug)]
pub enum Deferred {
    /// To hear an alarm.
    Alarm(Alarm),
    /// To receive a message.
    Message,
}

impl<S: System, C: DecisionSource, W: Observer> Step<'_, S, C, W> {
    /// Whether `client` can take its next step now: not while it is paused, and not if it crashes
    /// at this very point.
    fn may_run(&mut self, programs: &mut [S::Program], client: Client, what: Deferred) -> bool {
        let index = usize::from(client);
        self.core.hosts[index].steps += 1;
        !S::Faults::stepping(self, &mut programs[index], client, what)
    }

    /// As [`Step::may_run`], for a message, which waits outside if the client is paused.
    fn may_receive(
        &mut self,
        programs: &mut [S::Program],
        message: Box<Message<S>>,
    ) -> Option<Box<Message<S>>> {
        let client = message.client;
        if self.may_run(programs, client, Deferred::Message) {
            return Some(message);
        }
        let until = self.core.hosts[usize::from(client)].paused_until;
        if until > self.core.now {
            self.core.queue.push(until, What::Reply(message));
        }
        None
    }
}
