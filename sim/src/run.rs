//! One schedule from start to end, judged.

use std::{
    fmt,
    hash::{Hash, Hasher},
};

use rustc_hash::FxHasher;

use crate::{
    decide::{Chance, Decisions, Fault, Recording, Replay, Seeded},
    guarantees::{Court, Guarantee, Violation},
    history::Event,
    world::{Plan, System, Watch, World},
};

/// Hashes the trace and hears it in court.
#[derive(Default)]
pub struct Judge {
    court: Court,
    hasher: FxHasher,
    grants: u64,
}

impl fmt::Debug for Judge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Judge").field("court", &self.court).finish_non_exhaustive()
    }
}

impl Watch for Judge {
    #[inline]
    fn see(&mut self, at: u64, event: &Event) {
        at.hash(&mut self.hasher);
        event.hash(&mut self.hasher);
        self.court.hear(at, event);
        self.grants += u64::from(matches!(event, Event::Granted { .. }));
    }
}

impl Watch for Court {
    #[inline]
    fn see(&mut self, at: u64, event: &Event) {
        self.hear(at, event);
    }
}

/// Keeps everything that happened, with its true time in microseconds.
#[derive(Clone, Debug, Default)]
pub struct Log {
    /// The events, in order.
    pub events: Vec<(u64, Event)>,
}

impl Watch for Log {
    fn see(&mut self, at: u64, event: &Event) {
        self.events.push((at, *event));
    }
}

/// What became of one schedule.
#[derive(Debug)]
pub struct Run<S: System> {
    judge: Judge,
    world: World<S>,
}

impl<S: System> Run<S> {
    /// Runs `plan` with the choices of `chance`.
    pub fn of(plan: Plan<S>, chance: &mut impl Chance) -> Self {
        let mut judge = Judge::default();
        let mut world = World::new(plan);
        world.run(chance, &mut judge);
        Self { judge, world }
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
        self.judge.hasher.finish()
    }

    /// What was found against `guarantee` first.
    #[must_use]
    pub fn violation(&self, guarantee: Guarantee) -> Option<&Violation> {
        self.judge.court.violation(guarantee)
    }

    /// Whether the run was one that `guarantee` is about.
    #[must_use]
    pub fn exercised(&self, guarantee: Guarantee) -> bool {
        self.judge.court.exercised(guarantee)
    }

    /// How many times the lock was granted.
    #[must_use]
    pub fn grants(&self) -> u64 {
        self.judge.grants
    }

    /// How often `fault` changed what would have happened.
    #[must_use]
    pub fn bites(&self, fault: Fault) -> u32 {
        self.world.bites(fault)
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
