//! The simulated cluster as a value.
//!
//! One server (with or without a replica) or several, some clients, a resource that checks fences, and the
//! messages between them. It steps from event to event in simulated time; what is left to chance is
//! asked of a [`Chance`], and what happens is told to a [`Watch`]. Nothing else goes in or out, so
//! the same choices give the same history, in any process and on any day.

mod client;
mod clocks;
mod copies;
mod hints;
mod imprint;
mod key;
mod message;
mod network;
mod plan;
mod queue;
mod scale;
mod server;
mod ties;

pub(crate) use client::{Alarm, Host};
pub(crate) use clocks::ClientClock;
use key::Majority;
pub(crate) use message::{Body, Message, Request, Response};
pub(crate) use network::FURTHER;
pub use plan::{Plan, Promotion, Topology};
pub(crate) use queue::{Queue, What};
pub use scale::Scale;
pub(crate) use server::{SERVERS, Server};
use ties::Tied;

use crate::{
    cluster::Guest,
    decide::{Chance, Kind, Site},
    faults::Fault,
    history::{Client, DebounceEvent, Event, TokenId},
    subjects::{Program, upstream::UpstreamLock},
};

/// Someone who is told everything that happens.
pub trait Watch {
    /// `event` happened at true time `at`, in microseconds from the start.
    fn see(&mut self, at: u64, event: &Event);
}

impl Watch for () {
    fn see(&mut self, _at: u64, _event: &Event) {}
}

/// A simulated cluster.
///
/// ```
/// use leasehold_sim::{decide::Seeded, faults::FaultSet, subjects::{Subject, Workload}, world::World};
///
/// let mut world = World::new(Subject::Lock.plan(Workload::Lock, FaultSet::NONE));
/// world.run(&mut Seeded::new(1, 0), &mut ());
/// assert!(world.messages() > 0);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct World {
    programs: Vec<Program>,
    core: Core,
}

/// All of the world but the programs that run in it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Core {
    pub(crate) plan: Plan,
    pub(crate) now: u64,
    pub(crate) healed: bool,
    pub(crate) queue: Queue,
    pub(crate) hosts: Vec<Host>,
    /// When each client is woken, in true time, [`u64::MAX`] for never. Kept side by side, since
    /// every step looks through all of them.
    pub(crate) alarms: Vec<[u64; 2]>,
    pub(crate) servers: Vec<Server>,
    /// What a majority of them has, if there are several.
    pub(crate) majority: Majority,
    /// The lock objects of upstream's processes, each shared by two clients.
    pub(crate) upstream_locks: Vec<UpstreamLock>,
    /// The greatest fence that the protected resource has seen.
    pub(crate) resource_fence: u64,
    /// When each server last applied a request.
    pub(crate) applied_at: [u64; SERVERS],
    pub(crate) messages: u64,
    pub(crate) grants: u64,
    pub(crate) bites: [u32; Fault::ALL.len()],
}

/// What a step may use.
pub(crate) struct Step<'a, C, W> {
    pub(crate) core: &'a mut Core,
    pub(crate) chance: &'a mut C,
    pub(crate) watch: &'a mut W,
}

impl World {
    /// The cluster of `plan`, at its start.
    #[must_use]
    pub fn new(plan: Plan) -> Self {
        let programs = (0..plan.clients).map(|client| Program::new(&plan, client)).collect();
        Self { programs, core: Core::new(plan) }
    }

    /// A cluster whose programs are the processes of a [`crate::cluster`].
    pub(crate) fn of_guests(plan: Plan) -> Self {
        let programs = (0..plan.clients).map(|_| Program::Guest(Guest)).collect();
        Self { programs, core: Core::new(plan) }
    }

    /// The true time.
    pub(crate) fn now(&self) -> u64 {
        self.core.now
    }

    /// Runs to the end.
    pub fn run<C: Chance, W: Watch>(&mut self, chance: &mut C, watch: &mut W) {
        self.begin(chance, watch);
        while self.step(chance, watch) {}
    }

    /// Sets the clocks and the first alarms. Once, before the first [`World::step`].
    pub fn begin<C: Chance, W: Watch>(&mut self, chance: &mut C, watch: &mut W) {
        let mut step = Step { core: &mut self.core, chance, watch };
        step.begin();
        for client in 0..self.programs.len() {
            Program::boot(&mut step, client as Client);
        }
    }

    /// Takes the next event, and says whether there are more.
    pub fn step<C: Chance, W: Watch>(&mut self, chance: &mut C, watch: &mut W) -> bool {
        let mut step = Step { core: &mut self.core, chance, watch };
        let more = step.next(&mut self.programs);
        if !more {
            step.count_immortal_keys();
            step.tell(Event::Finished);
        }
        more
    }

    /// How many requests and replies were delivered.
    #[must_use]
    pub fn messages(&self) -> u64 {
        self.core.messages
    }

    /// How many times the lock was granted.
    #[must_use]
    pub fn grants(&self) -> u64 {
        self.core.grants
    }

    /// How often `fault` changed what would have happened.
    #[must_use]
    pub fn bites(&self, fault: Fault) -> u32 {
        self.core.bites[fault as usize]
    }
}

impl Core {
    fn new(plan: Plan) -> Self {
        let hosts = (0..plan.clients).map(|_| Host::default()).collect();
        let alarms = vec![[u64::MAX; 2]; usize::from(plan.clients)];
        let servers = Server::all(&plan);
        let upstream_lock = UpstreamLock { token: None, lease_ms: plan.lease / 1_000 };
        let upstream_locks = vec![upstream_lock; usize::from(plan.clients).div_ceil(2)];
        Self {
            now: 0,
            healed: false,
            queue: Queue::default(),
            hosts,
            alarms,
            servers,
            majority: Majority::default(),
            upstream_locks,
            resource_fence: 0,
            applied_at: [u64::MAX; SERVERS],
            messages: 0,
            grants: 0,
            bites: [0; Fault::ALL.len()],
            plan,
        }
    }
}

impl<C: Chance, W: Watch> Step<'_, C, W> {
    fn begin(&mut self) {
        self.core.queue.push(self.core.plan.faults_end, What::Heal);
        self.core.queue.push(self.core.plan.end, What::End);
        for client in 0..self.core.plan.clients {
            self.skew_clock(client);
        }
    }

    /// Takes the next event, and says whether there are more.
    fn next(&mut self, programs: &mut [Program]) -> bool {
        if let Some(tied) = self.break_tie() {
            return self.take(programs, tied);
        }
        let (due, client, alarm) = self.next_alarm();
        if self.core.queue.next_due() <= due {
            let (at, what) = self.core.queue.pop();
            self.core.now = at;
            return self.happen(programs, what);
        }
        self.ring(programs, due, client, alarm)
    }

    fn ring(&mut self, programs: &mut [Program], due: u64, client: Client, alarm: Alarm) -> bool {
        self.core.now = due;
        self.core.alarms[usize::from(client)][alarm as usize] = u64::MAX;
        if self.may_run(programs, client, Deferred::Alarm(alarm)) {
            programs[usize::from(client)].alarm(self, client, alarm);
        }
        true
    }

    /// Takes one of several events that are due at once.
    fn take(&mut self, programs: &mut [Program], tied: Tied) -> bool {
        match tied {
            Tied::Queued(place) => {
                let (at, what) = self.core.queue.take(place);
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

    fn happen(&mut self, programs: &mut [Program], what: What) -> bool {
        match what {
            What::Request(message) => self.arrive(message),
            What::Reply(message) => {
                let client = message.client;
                if let Program::Guest(guest) = programs[usize::from(client)] {
                    self.answer_guest(programs, guest, message);
                    return true;
                }
                if !self.core.hosts[usize::from(client)].awaits(message.call) {
                    return true;
                }
                if let Some(message) = self.may_receive(programs, message) {
                    let node = message.node;
                    let response = self.received(*message);
                    programs[usize::from(client)].reply(self, client, node, response);
                }
            }
            What::Write { client, token, fence } => self.write_arrives(client, token, fence),
            What::WriteDebounced { client, call, fence } => {
                let accepted = self.accepts(fence);
                let event = DebounceEvent::Wrote { client, call, fence, accepted };
                self.tell(Event::Debounce(event));
            }
            What::Cancel { client, awaiting } => {
                if self.core.hosts[usize::from(client)].awaits_number == awaiting {
                    programs[usize::from(client)].cancel(self, client, false);
                }
            }
            What::Waited(message) => self.waited(message),
            What::Hint { client } => {
                if self.keep_hint(client) {
                    programs[usize::from(client)].hinted(self, client);
                }
            }
            What::Heal => self.heal(),
            What::End => return false,
        }
        true
    }

    /// A reply comes for a process that may await several.
    fn answer_guest(&mut self, programs: &mut [Program], guest: Guest, message: Box<Message>) {
        let (client, call) = (message.client, message.call);
        if guest.awaits(client, call)
            && let Some(message) = self.may_receive(programs, message)
        {
            let response = self.received(*message);
            guest.reply(self, client, call, response);
        }
    }

    fn heal(&mut self) {
        self.core.healed = true;
        self.heal_server_clocks();
        self.tell(Event::Healed);
    }

    /// A decision that belongs to the workload.
    #[inline]
    pub(crate) fn choose(&mut self, kind: Kind, actor: u8, occurrence: u32, options: u32) -> u32 {
        self.chance.choose(Site { kind, actor, occurrence }, options)
    }

    /// A decision whether `fault` strikes: 0 if it is switched off, or if everything has healed.
    #[inline]
    pub(crate) fn strikes(
        &mut self,
        fault: Fault,
        actor: u8,
        occurrence: u32,
        options: u32,
    ) -> u32 {
        if !self.core.plan.faults.contains(fault) || self.core.healed {
            return 0;
        }
        self.choose(fault.kind(), actor, occurrence, options)
    }

    /// How long a decision of `fault` lasts that stands for `micros` by its number.
    #[inline]
    pub(crate) fn lasts(&mut self, fault: Fault, actor: u8, occurrence: u32, micros: u64) -> u64 {
        self.chance.length(Site { kind: fault.kind(), actor, occurrence }, micros)
    }

    pub(crate) fn struck(&mut self, fault: Fault, client: Option<Client>, choice: u32, until: u64) {
        self.tell(Event::Struck { fault, client, choice, until });
    }

    pub(crate) fn bit(&mut self, fault: Fault, client: Option<Client>, call: u32) {
        self.core.bites[fault as usize] += 1;
        self.tell(Event::Bit { fault, client, call });
    }

    #[inline]
    pub(crate) fn tell(&mut self, event: Event) {
        self.watch.see(self.core.now, &event);
    }

    /// Whether the protected resource takes a write with this fence.
    fn accepts(&mut self, fence: u64) -> bool {
        let accepted = fence >= self.core.resource_fence;
        self.core.resource_fence = self.core.resource_fence.max(fence);
        accepted
    }

    fn write_arrives(&mut self, client: Client, token: TokenId, fence: u64) {
        let accepted = self.accepts(fence);
        self.tell(Event::Wrote { client, token, fence, accepted });
    }
}

/// What a client was about to do when it was stopped.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Deferred {
    Alarm(Alarm),
    Message,
}

impl<C: Chance, W: Watch> Step<'_, C, W> {
    /// Whether `client` can take its next step now: not while it is paused, and not if it crashes
    /// at this very point.
    fn may_run(&mut self, programs: &mut [Program], client: Client, what: Deferred) -> bool {
        let index = usize::from(client);
        self.core.hosts[index].steps += 1;
        self.jump_wall_clock(client);
        if self.paused(client, what) {
            return false;
        }
        !self.crashes(&mut programs[index], client)
    }

    /// As [`Step::may_run`], for a message, which waits outside if the client is paused.
    fn may_receive(
        &mut self,
        programs: &mut [Program],
        message: Box<Message>,
    ) -> Option<Box<Message>> {
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
