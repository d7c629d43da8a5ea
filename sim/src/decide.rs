//! Every chance in the simulated world is a decision, and every decision has an address.
//!
//! The world asks [`DecisionSource::choose`] and never draws anything itself, so one world serves many
//! drivers: a seed, a recorded map, the shrinker. Choice **0 is always the calmest**: no fault, the
//! least delay. Addresses name the kind, the actor and that actor's own count, not a position on a
//! tape: removing one decision does not shift the others, and that is why shrinking works.

mod bytes;
mod fault_set;
mod kind;
mod length;
mod replay;
mod scheduler;
mod seed;
mod shrink;
pub(crate) mod token;

use std::collections::BTreeMap;

pub use bytes::Bytes;
pub use fault_set::FaultSet;
pub(crate) use kind::for_each_fault;
pub use kind::{DecisionKind, Fault};
pub use length::{Lengthened, threshold};
pub use replay::Replay;
pub use scheduler::Scheduler;
pub use seed::{Rates, Seeded};
pub use shrink::{Shrunk, shrink};

/// The address of a decision: "the latency of client 2's 7th request".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    /// What is decided.
    pub kind: DecisionKind,
    /// For whom.
    pub actor: u8,
    /// Which of that actor's, counted from its first.
    pub occurrence: u32,
}

/// A source of choices.
pub trait DecisionSource {
    /// One of `0..options`, where 0 is the calmest. `options` is at least 1.
    fn choose(&mut self, address: Address, options: u32) -> u32;

    /// Which of several events comes first that are due at the same instant: one of
    /// `0..actors.len()`, given whose they are. 0 is the one that would come first anyway.
    fn order(&mut self, address: Address, actors: &[u8]) -> u32 {
        self.choose(address, actors.len() as u32)
    }

    /// How long what was chosen at `site` lasts, in microseconds, which is `micros` by its number.
    /// Only a counterfactual answers otherwise.
    fn length(&mut self, _site: Address, micros: u64) -> u64 {
        micros
    }
}

impl<C: DecisionSource + ?Sized> DecisionSource for &mut C {
    fn choose(&mut self, address: Address, options: u32) -> u32 {
        (**self).choose(address, options)
    }

    fn order(&mut self, address: Address, actors: &[u8]) -> u32 {
        (**self).order(address, actors)
    }

    fn length(&mut self, address: Address, micros: u64) -> u64 {
        (**self).length(address, micros)
    }
}

/// The choices that were not the calmest, by address: all there is to know about a run.
pub type Decisions = BTreeMap<Address, u32>;

/// Writes down what another source chose.
#[derive(Clone, Debug)]
pub struct Recording<C> {
    inner: C,
    decisions: Decisions,
}

impl<C> Recording<C> {
    /// Records the choices of `inner`.
    pub fn of(inner: C) -> Self {
        Self { inner, decisions: Decisions::new() }
    }

    /// What was chosen.
    pub fn into_decisions(self) -> Decisions {
        self.decisions
    }

    fn note(&mut self, address: Address, choice: u32) -> u32 {
        if choice != 0 {
            self.decisions.insert(address, choice);
        }
        choice
    }
}

impl<C: DecisionSource> DecisionSource for Recording<C> {
    fn choose(&mut self, address: Address, options: u32) -> u32 {
        let choice = self.inner.choose(address, options);
        self.note(address, choice)
    }

    fn length(&mut self, address: Address, micros: u64) -> u64 {
        self.inner.length(address, micros)
    }

    fn order(&mut self, address: Address, actors: &[u8]) -> u32 {
        let choice = self.inner.order(address, actors);
        self.note(address, choice)
    }
}
