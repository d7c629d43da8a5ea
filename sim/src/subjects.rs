//! The algorithms under test, as programs that run on simulated clients.

mod ballot;
pub(crate) mod debounce;
mod driver;
pub(crate) mod lock;
pub(crate) mod upstream;

use debounce::DebounceProgram;
use lock::LockProgram;
use upstream::{UpstreamDebounceProgram, UpstreamLockProgram};

use crate::{
    cluster::Guest,
    decide::Chance,
    faults::{Fault, FaultSet},
    history::Client,
    world::{Alarm, Plan, Promotion, Response, Step, Topology, Watch},
};
use leasehold_fake_redis::Engine;

/// The id of the lock for which the clients contend.
pub const LOCK_ID: &str = "job";

/// An algorithm, on the servers that it runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// Our lock on one Redis.
    Lock,
    /// Our lock on a Redis with a replica that takes over.
    LockReplicated,
    /// Our debounce, on a Redis with a replica that takes over.
    Debounce,
    /// The lock and the debounce of `@upstash/lock` as they are, on a Redis with a replica.
    Upstream,
    /// Our lock on a majority of three independent Redis servers.
    Quorum,
    /// Our lock on a Redis with two replicas, of which one has every lease: the one that takes over
    /// has the most.
    LockAcked,
    /// The same where any replica may take over.
    LockAckedAny,
}

/// What the clients of a run do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Workload {
    /// They contend for one lock.
    Lock,
    /// They call one debounced function.
    Debounce,
}

impl Subject {
    /// Every subject, in the order of the reports.
    pub const ALL: &[Self] = &[
        Self::Lock,
        Self::LockReplicated,
        Self::LockAcked,
        Self::LockAckedAny,
        Self::Quorum,
        Self::Debounce,
        Self::Upstream,
    ];

    /// Its name on the command line and in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Lock => "lock",
            Self::LockReplicated => "lock-replicated",
            Self::Debounce => "debounce",
            Self::Upstream => "upstream",
            Self::Quorum => "quorum",
            Self::LockAcked => "lock-acked",
            Self::LockAckedAny => "lock-acked-any",
        }
    }

    /// What it is, in a few words.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Lock => "our lock on one Redis",
            Self::LockReplicated => "our lock on a Redis with a replica that takes over",
            Self::Debounce => "our debounce on a Redis with a replica that takes over",
            Self::LockAcked => {
                "our lock on a Redis with two replicas, once one has the lease; the one with the \
                 most takes over"
            }
            Self::LockAckedAny => {
                "our lock on a Redis with two replicas, once one has the lease; any takes over"
            }
            Self::Quorum => "our lock on a majority of three independent Redis servers",
            Self::Upstream => "the algorithms of @upstash/lock, on a Redis with a replica",
        }
    }

    /// What its clients can do.
    #[must_use]
    pub fn workloads(self) -> &'static [Workload] {
        match self {
            Self::Lock
            | Self::LockAcked
            | Self::LockAckedAny
            | Self::LockReplicated
            | Self::Quorum => &[Workload::Lock],
            Self::Debounce => &[Workload::Debounce],
            Self::Upstream => &[Workload::Lock, Workload::Debounce],
        }
    }

    /// Whether `fault` can strike it at all.
    #[must_use]
    pub fn can_suffer(self, fault: Fault) -> bool {
        fault != Fault::Failover
            || matches!(self.topology(), Topology::Acknowledged(_) | Topology::Replicated)
    }

    fn topology(self) -> Topology {
        match self {
            Self::Lock => Topology::Single,
            Self::LockAcked => Topology::Acknowledged(Promotion::MostAdvanced),
            Self::LockAckedAny => Topology::Acknowledged(Promotion::Any),
            Self::Quorum => Topology::Independent,
            Self::Debounce | Self::LockReplicated | Self::Upstream => Topology::Replicated,
        }
    }

    /// A small cluster in which these faults may strike: three clients, three seconds of faults,
    /// then five in which everything has healed.
    #[must_use]
    pub fn plan(self, workload: Workload, faults: FaultSet) -> Plan {
        let plan = self.lock_plan(workload, faults);
        match workload {
            Workload::Lock => plan,
            // Three that call and one that sweeps.
            Workload::Debounce => Plan {
                end: 8_500_000,
                call_timeout: 200_000,
                styles: 3,
                ..if self == Self::Upstream {
                    // No two of its calls come within a millisecond, where any order is as good.
                    let jitter_choices = 1;
                    Plan {
                        jitter_choices,
                        idle: 120_000,
                        idle_step: 40_000,
                        idle_choices: 6,
                        ..plan
                    }
                } else {
                    let clients = 4;
                    Plan { clients, idle: 120_000, idle_step: 40_000, idle_choices: 16, ..plan }
                }
            },
        }
    }

    fn lock_plan(self, workload: Workload, faults: FaultSet) -> Plan {
        Plan {
            subject: self,
            workload,
            clients: 3,
            topology: self.topology(),
            servers: 3,
            absence: 0,
            acknowledgements: 1,
            faults,
            engine: Engine::Native,
            faults_end: 3_000_000,
            end: 8_000_000,
            latency: 1_000,
            jitter_step: 1_000,
            jitter_choices: 4,
            lease: 1_000_000,
            attempts: 3,
            waits: 0,
            delay: 100_000,
            delay_jitter: true,
            call_timeout: 300_000,
            node_timeout: 100_000,
            hold: 150_000,
            idle: 150_000,
            idle_step: 10_000,
            idle_choices: 12,
            leaves: false,
            cancels: false,
            styles: 4,
            calls: u32::MAX,
            ties: true,
            acts: true,
            reads_wall_clock: false,
            mutant: None,
        }
    }
}

/// A client's program. There are few, and none is moved once it is there.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Program {
    Lock(LockProgram),
    Debounce(DebounceProgram),
    UpstreamLock(UpstreamLockProgram),
    UpstreamDebounce(UpstreamDebounceProgram),
    /// A process of a [`crate::cluster`].
    Guest(Guest),
}

impl Program {
    pub(crate) fn new(plan: &Plan, client: Client) -> Self {
        match (plan.subject, plan.workload) {
            (Subject::Upstream, Workload::Lock) => {
                Self::UpstreamLock(UpstreamLockProgram::new(plan, client))
            }
            (Subject::Upstream, Workload::Debounce) => {
                Self::UpstreamDebounce(UpstreamDebounceProgram::new())
            }
            (_, Workload::Lock) => Self::Lock(LockProgram::new(plan, client, 0)),
            (_, Workload::Debounce) => Self::Debounce(DebounceProgram::new(plan, client, 0)),
        }
    }
}

/// Hands a call to whichever program it is.
macro_rules! each_program {
    ($self:ident, $program:ident => $call:expr, $guest:ident => $guest_call:expr) => {
        match $self {
            Self::Lock($program) => $call,
            Self::Debounce($program) => $call,
            Self::UpstreamLock($program) => $call,
            Self::UpstreamDebounce($program) => $call,
            Self::Guest($guest) => $guest_call,
        }
    };
}

impl Program {
    /// Sets the alarm for the first step: not all at once, so that a run without any chance is a
    /// story with an order.
    pub(crate) fn boot<C: Chance, W: Watch>(step: &mut Step<'_, C, W>, me: Client) {
        let start = step.local(me).plus_micros(7_000 * u64::from(me));
        step.set_alarm(me, Alarm::Work, start);
    }

    pub(crate) fn alarm<C: Chance, W: Watch>(
        &mut self,
        step: &mut Step<'_, C, W>,
        me: Client,
        alarm: Alarm,
    ) {
        each_program!(self, program => program.alarm(step, me, alarm), guest => guest.alarm(step, me));
    }

    pub(crate) fn reply<C: Chance, W: Watch>(
        &mut self,
        step: &mut Step<'_, C, W>,
        me: Client,
        node: u8,
        response: Response,
    ) {
        each_program!(
            self,
            program => program.reply(step, me, node, response),
            _guest => unreachable!("its replies have numbers")
        );
    }

    /// The caller vanishes from what it awaits; with `handle`, it drops the lock too.
    pub(crate) fn cancel<C: Chance, W: Watch>(
        &mut self,
        step: &mut Step<'_, C, W>,
        me: Client,
        handle: bool,
    ) {
        each_program!(self, program => program.cancel(step, me, handle), guest => guest.cancel(step, me));
    }

    /// The lock was released for which it sleeps.
    pub(crate) fn hinted<C: Chance, W: Watch>(&mut self, step: &mut Step<'_, C, W>, me: Client) {
        if let Self::Lock(program) = self {
            program.hinted(step, me);
        }
    }

    /// The process died; a new one boots at its next alarm.
    pub(crate) fn reborn<C: Chance, W: Watch>(
        &mut self,
        step: &mut Step<'_, C, W>,
        me: Client,
        life: u32,
    ) {
        each_program!(self, program => program.reborn(step, me, life), guest => guest.reborn(me, life));
    }

    /// Whether a crash would interrupt anything.
    pub(crate) fn is_busy(&self, me: Client) -> bool {
        each_program!(self, program => program.is_busy(), guest => guest.is_busy(me))
    }

    /// Whether the process may crash at all.
    pub(crate) fn may_crash(&self) -> bool {
        match self {
            Self::Debounce(program) => program.may_crash(),
            Self::Guest(_) | Self::Lock(_) | Self::UpstreamDebounce(_) | Self::UpstreamLock(_) => {
                true
            }
        }
    }
}
