//! A machine with a bug around it.

use std::ops::Deref;

use leasehold_core::{Action, Event, Instant, Machine};

/// A machine whose steps a bug rewrites, if there is one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Planted<M, B> {
    machine: M,
    pub(super) bug: Option<Box<B>>,
}

/// What rewrites the steps of a machine.
pub(crate) trait Bug<M: Machine> {
    /// What `machine` is told of `event`, and what it is heard to say.
    fn step(
        &mut self,
        machine: &mut M,
        now: Instant,
        event: Event<M::Request>,
    ) -> Action<M::Outcome>;
}

impl<M, B> Planted<M, B> {
    pub(super) fn around(machine: M, bug: Option<B>) -> Self {
        Self { machine, bug: bug.map(Box::new) }
    }
}

impl<M, B> Deref for Planted<M, B> {
    type Target = M;

    fn deref(&self) -> &M {
        &self.machine
    }
}

impl<M: Machine, B: Bug<M>> Machine for Planted<M, B> {
    type Outcome = M::Outcome;
    type Request = M::Request;

    fn step(&mut self, now: Instant, event: Event<M::Request>) -> Action<M::Outcome> {
        match &mut self.bug {
            None => self.machine.step(now, event),
            Some(bug) => bug.step(&mut self.machine, now, event),
        }
    }
}
