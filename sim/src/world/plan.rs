//! The size of a world and the habits of those who live in it.

use crate::{
    faults::FaultSet,
    mutants::Mutant,
    redis::Engine,
    subjects::{Subject, Workload},
};

/// What the clients talk to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Topology {
    /// One server.
    Single,
    /// One server whose writes reach a replica later, which takes over when it fails.
    Replicated,
    /// One server with two replicas that acknowledge writes, one of which takes over when it fails.
    Acknowledged(Promotion),
    /// Some servers, three unless said otherwise, that know nothing of each other, whose clocks
    /// differ by a few milliseconds.
    Independent,
}

/// Which of several replicas takes over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Promotion {
    /// The one that has the most.
    MostAdvanced,
    /// Any.
    Any,
}

/// Everything about a run that is not left to chance. Times are in microseconds.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Plan {
    /// Which algorithm the clients run.
    pub subject: Subject,
    /// What the clients do with it.
    pub workload: Workload,
    /// How many clients there are, at most 8.
    pub clients: u8,
    /// What they talk to.
    pub topology: Topology,
    /// How many servers there are of those that know nothing of each other, at most 3.
    pub servers: u8,
    /// How long a server that lost its data stays away.
    pub absence: u64,
    /// How many of the replicas that acknowledge writes must have a lease.
    pub acknowledgements: u32,
    /// Which faults may strike.
    pub faults: FaultSet,
    /// Whether the server runs the Lua scripts themselves or their native twins.
    pub engine: Engine,
    /// When the last fault is over.
    pub faults_end: u64,
    /// When the run is over.
    pub end: u64,
    /// The least time on the wire, each way.
    pub latency: u64,
    /// The ordinary spread: up to `jitter_choices - 1` times `jitter_step` more.
    pub jitter_step: u64,
    /// How many ordinary latencies there are.
    pub jitter_choices: u32,
    /// How long a lease is.
    pub lease: u64,
    /// How often an acquire tries.
    pub attempts: u32,
    /// How long an acquire waits for hints of releases instead, 0 if it does not.
    pub waits: u64,
    /// How long it waits between two tries.
    pub delay: u64,
    /// Whether that is spread.
    pub delay_jitter: bool,
    /// How long a client waits for a reply.
    pub call_timeout: u64,
    /// How long it waits for one of several servers, before that counts as silent.
    pub node_timeout: u64,
    /// How long a client works with the lock.
    pub hold: u64,
    /// How long a client idles at least.
    pub idle: u64,
    /// The spread: up to `idle_choices - 1` times `idle_step` more.
    pub idle_step: u64,
    /// How many ordinary idle times there are.
    pub idle_choices: u32,
    /// Whether the callers of a debounced function but the first go away once a newer call supersedes
    /// their own.
    pub leaves: bool,
    /// Whether the sweeper of a debounced function cancels what waits, every other time.
    pub cancels: bool,
    /// How many things a client may do with the lock: see [`crate::subjects`].
    pub styles: u32,
    /// How many times a client calls, [`u32::MAX`] for as long as there is time.
    pub calls: u32,
    /// Whether it is left to chance which of several events comes first that are due at the same
    /// instant. Otherwise what was sent first comes first.
    pub ties: bool,
    /// Whether holders write to a protected resource.
    pub acts: bool,
    /// A planted bug: clients read the wall clock, which jumps, instead of the monotonic one.
    pub reads_wall_clock: bool,
    /// A planted bug.
    pub mutant: Option<Mutant>,
}

impl Plan {
    /// The workload by which the simulator's speed is measured: one server, eight clients that
    /// contend for one key, 60 seconds, no faults. Leases of 1 s are held for 50 ms; whoever does
    /// not get one tries again after 100 ms, and idles for up to 100 ms after it had one. Messages
    /// take 1 to 20 ms each way, to the microsecond.
    #[must_use]
    pub fn speed() -> Self {
        Self {
            clients: 8,
            faults_end: 60_000_000,
            end: 60_000_000,
            latency: 1_000,
            jitter_step: 1,
            jitter_choices: 19_001,
            lease: 1_000_000,
            attempts: u32::MAX,
            delay: 100_000,
            delay_jitter: false,
            hold: 50_000,
            idle: 0,
            idle_step: 1,
            idle_choices: 100_001,
            styles: 1,
            ties: false,
            acts: false,
            ..Subject::Lock.plan(Workload::Lock, FaultSet::NONE)
        }
    }
}
