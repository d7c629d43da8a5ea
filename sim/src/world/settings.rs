//! The size of a world, and what its clients talk to.

use super::System;
use crate::decide::FaultSet;

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

/// All about a run that is not left to chance: the world, and what its clients do in it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Plan<S: System> {
    /// The world.
    pub settings: Settings,
    /// What the clients do in it.
    pub scenario: S,
}

/// What a world is like. Times are in microseconds.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Settings {
    /// How many clients there are, at most 8.
    pub clients: u8,
    /// What they talk to.
    pub topology: Topology,
    /// How many servers there are of those that know nothing of each other, at most 5.
    pub servers: u8,
    /// How long a server that lost its data stays away.
    pub absence: u64,
    /// Which faults may occur.
    pub faults: FaultSet,
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
    /// Whether it is left to chance which of several events comes first that are due at the same
    /// instant. Otherwise what was sent first comes first.
    pub ties: bool,
    /// A planted bug: clients read the wall clock, which jumps, instead of the monotonic one.
    pub reads_wall_clock: bool,
}

impl Settings {
    /// A small cluster in which these faults may occur: three clients, three seconds of faults,
    /// then five in which everything has healed.
    #[must_use]
    pub fn new(topology: Topology, faults: FaultSet) -> Self {
        Self {
            clients: 3,
            topology,
            servers: 3,
            absence: 0,
            faults,
            faults_end: 3_000_000,
            end: 8_000_000,
            latency: 1_000,
            jitter_step: 1_000,
            jitter_choices: 4,
            ties: true,
            reads_wall_clock: false,
        }
    }
}
