//! One schedule from start to end, judged.

use std::{
    fmt,
    hash::{Hash, Hasher},
};

use rustc_hash::FxHasher;

use crate::{
    catalog::Guarantee,
    decide::{DecisionSource, Decisions, Fault, Recording, Replay, Seeded},
    guarantees::{CheckerSet, Violation},
    history::Event,
    world::{Observer, Plan, System, World},
};

/// Hashes the trace and lets the checkers observe it.
#[derive(Default)]
pub struct TraceObserver {
    checkers: CheckerSet,
    hasher: FxHasher,
    grants: u64,
}

impl fmt::Debug for TraceObserver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TraceObserver").field("checkers", &self.checkers).finish_non_exhaustive()
    }
}

impl Observer for TraceObserver {
    #[inline]
    fn observe(&mut self, at: u64, event: &Event) {
        at.hash(&mut self.hasher);
        event.hash(&mut self.hasher);
        self.checkers.observe(at, event);
        self.grants += u64::from(matches!(event, Event::Granted { .. }));
    }
}

impl Observer for CheckerSet {
    #[inline]
    fn observe(&mut self, at: u64, event: &Event) {
        self.observe(at, event);
    }
}

/// Keeps everything that happened, with its true time in microseconds.
#[derive(Clone, Debug, Default)]
pub struct Log {
    /// The events, in order.
    pub events: Vec<(u64, Event)>,
}

impl Observer for Log {
    fn observe(&mut self, at: u64, event: &Event) {
        self.events.push((at, *event));
    }
}

/// What became of one schedule.
#[derive(Debug)]
pub struct Run<S: System> {
    observer: TraceObserver,
    world: World<S>,
}

impl<S: System> Run<S> {
    /// Runs `plan` with the choices of `chance`.
    pub fn of(plan: Plan<S>, source: &mut impl DecisionSource) -> Self {
        let mut observer = TraceObserver::default();
        let mut world = World::new(plan);
        world.run(source, &mut observer);
        Self { observer, world }
    }

    /// Runs schedule number `schedule` of the campaign `seed`.
    #[must_use]
    pub fn seeded(plan: Plan<S>, seed: u64, schedule: u64) -> Self {
        Self::of(plan, &mut Seeded::new(seed, schedule))
    }

    /// Runs `decisions`; whatever they do not name is calm.
    #[must_use]
    pub fn replayed(plan: Plan<S>, decisions: &Decisions) -> Self {
        Self::of(plan, &mut Replay::of(decisions))
    }

    /// A number that two runs share only if they were the same, event by event.
    #[must_use]
    pub fn trace_hash(&self) -> u64 {
        self.observer.hasher.finish()
    }

    /// What was found against `guarantee` first.
    #[must_use]
    pub fn violation(&self, guarantee: Guarantee) -> Option<&Violation> {
        self.observer.checkers.violation(guarantee)
    }

    /// Whether the run was one that `guarantee` is about.
    #[must_use]
    pub fn exercised(&self, guarantee: Guarantee) -> bool {
        self.observer.checkers.exercised(guarantee)
    }

    /// How many times the lock was granted.
    #[must_use]
    pub fn grants(&self) -> u64 {
        self.observer.grants
    }

    /// How often `fault` changed what would have happened.
    #[must_use]
    pub fn effects(&self, fault: Fault) -> u32 {
        self.world.effects(fault)
    }

    /// The world as it is at the end.
    #[must_use]
    pub fn world(&self) -> &World<S> {
        &self.world
    }
}

/// The choices that schedule number `schedule` of the campaign `seed` makes.
#[must_use]
pub fn decisions_of<S: System>(plan: Plan<S>, seed: u64, schedule: u64) -> Decisions {
    let mut recording = Recording::of(Seeded::new(seed, schedule));
    World::new(plan).run(&mut recording, &mut ());
    recording.into_decisions()
}

/// Everything that happens in the run of `decisions`.
#[must_use]
pub fn log_of<S: System>(plan: Plan<S>, decisions: &Decisions) -> Log {
    let mut log = Log::default();
    World::new(plan).run(&mut Replay::of(decisions), &mut log);
    log
}
