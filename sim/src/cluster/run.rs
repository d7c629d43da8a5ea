//! One run of a cluster, judged.

use std::{
    collections::BTreeSet,
    hash::{Hash, Hasher},
    panic::{AssertUnwindSafe, catch_unwind},
};

use rustc_hash::FxHasher;

use super::{
    Breach, Cluster, Setup,
    check::{Check, Stored},
    quiet::quietly,
    runtime::{Installed, Runtime, with},
    users::World,
};
use crate::{
    decide::{DecisionSource, Decisions, Fault, Recording},
    history::Event,
    story::record::{Chosen, Record, Recorder},
    words::client,
    world::{Observer, Transit},
};

/// What is looked at beside the invariants.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Looks {
    /// Whether the story is told.
    pub(super) story: bool,
    /// Whether polls are watched for waiting.
    pub(super) waiting: bool,
}

/// What became of a run.
#[derive(Debug)]
pub(super) struct Ran {
    pub(super) breach: Option<Breach>,
    /// When it was over, in true microseconds.
    pub(super) at: u64,
    pub(super) decisions: Decisions,
    /// Which of the situations occurred.
    pub(super) occurred: Vec<bool>,
    pub(super) effects: Vec<u32>,
    pub(super) trace: u64,
    pub(super) waited: BTreeSet<u64>,
    pub(super) story: Vec<(u64, String)>,
    /// All that was seen, if the story is told.
    pub(super) record: Record,
    /// How many processes there are.
    pub(super) processes: usize,
}

/// Runs `cluster` with the choices of `chance`.
pub(super) fn run(cluster: &Cluster, source: impl DecisionSource, looks: Looks) -> Ran {
    let mut setup = Setup::default();
    (cluster.build)(&mut setup);
    let count = setup.processes.len();
    let mut world = World::new(cluster.plan(count));
    let processes = std::mem::take(&mut setup.processes);
    let installed = Installed::new(Runtime::new(processes, looks.story, looks.waiting));
    let chosen = Chosen::default();
    let mut source = Recording::of(chosen.noting(source));
    let recorder = looks.story.then(|| Recorder::plain(chosen));
    let mut observer = ClusterObserver { recorder, ..ClusterObserver::default() };
    let mut trial = Trial::of(&setup);
    let driving = || trial.drive(&mut world, &mut source, &mut observer);
    let breach = match quietly(|| catch_unwind(AssertUnwindSafe(driving))) {
        Ok(breach) => breach,
        Err(message) => Some(Breach::Panicked(message)),
    };
    observer.note_marks();
    let (trace, switches, story) = with(|runtime| {
        runtime.trace((world.now(), &breach));
        (runtime.trace_hash(), runtime.switches.take(), runtime.story.take())
    });
    drop(installed);
    (trace, observer.hasher.finish()).hash(&mut observer.hasher);
    Ran {
        breach,
        at: world.now(),
        decisions: source.into_decisions(),
        occurred: trial.occurred,
        effects: Fault::ALL.iter().map(|&fault| world.effects(fault)).collect(),
        trace: observer.hasher.finish(),
        waited: switches.map(super::blocking::Switches::into_waited).unwrap_or_default(),
        story: story.unwrap_or_default(),
        record: observer.recorder.map(|it| it.into_record(world.now())).unwrap_or_default(),
        processes: count,
    }
}

/// Steps the world and looks at the invariants after each step.
struct Trial<'a> {
    setup: &'a Setup,
    occurred: Vec<bool>,
    come: Vec<bool>,
}

impl<'a> Trial<'a> {
    fn of(setup: &'a Setup) -> Self {
        let occurred = vec![false; setup.sometimes.len()];
        let come = vec![false; setup.eventually.len()];
        Self { setup, occurred, come }
    }

    fn drive(
        &mut self,
        world: &mut World,
        source: &mut impl DecisionSource,
        observer: &mut ClusterObserver,
    ) -> Option<Breach> {
        world.begin(source, observer);
        loop {
            let more = world.step(source, observer);
            with(|runtime| {
                for server in (0..).zip(world.servers()) {
                    runtime.look_at(server, world.now(), None);
                }
            });
            let stored = Stored { servers: world.servers(), now: world.now() };
            if let Some(check) = self.setup.always.iter().find(|check| !check.holds(&stored)) {
                return Some(Breach::Always(check.name.clone()));
            }
            note(&self.setup.sometimes, &mut self.occurred, &stored);
            if observer.healed {
                note(&self.setup.eventually, &mut self.come, &stored);
            }
            if !more {
                return woken_from_outside().or_else(|| self.missing()).or_else(stuck);
            }
        }
    }

    fn missing(&self) -> Option<Breach> {
        let checks = self.setup.eventually.iter().zip(&self.come);
        let missing = checks.into_iter().find(|(_, come)| !**come);
        missing.map(|(check, _)| Breach::Eventually(check.name.clone()))
    }
}

/// Notes what holds now and did not before.
fn note(checks: &[Check], held: &mut [bool], stored: &Stored<'_>) {
    for (check, held) in checks.iter().zip(held) {
        *held = *held || check.holds(stored);
    }
}

fn woken_from_outside() -> Option<Breach> {
    let woken = names(|place| place.ready.woken_from_outside());
    (!woken.is_empty()).then_some(Breach::WokenFromOutside(woken))
}

fn stuck() -> Option<Breach> {
    let stuck = names(|place| !place.service && place.waits_in_vain());
    (!stuck.is_empty()).then_some(Breach::Stuck(stuck))
}

fn names(which: impl Fn(&super::runtime::Place) -> bool) -> String {
    let found = with(|runtime| {
        let places = (0..).zip(&runtime.places).filter(|(_, place)| which(place));
        places.map(|(number, _)| client(number).to_string()).collect::<Vec<_>>()
    });
    found.join(", ")
}

/// Hashes what happens, and tells the faults.
#[derive(Default)]
struct ClusterObserver {
    hasher: FxHasher,
    healed: bool,
    recorder: Option<Recorder>,
}

impl ClusterObserver {
    /// Writes down what the world did not see up to here.
    fn note_marks(&mut self) {
        let Some(recorder) = &mut self.recorder else { return };
        let marks = with(|runtime| std::mem::take(&mut runtime.marks));
        marks.into_iter().for_each(|(at, seen)| recorder.push(at, seen));
    }
}

impl Observer for ClusterObserver {
    fn observe(&mut self, at: u64, event: &Event) {
        (at, event).hash(&mut self.hasher);
        self.note_marks();
        if let Some(recorder) = &mut self.recorder {
            recorder.observe(at, event);
        }
        self.healed = self.healed || matches!(event, Event::Healed);
        with(|runtime| {
            runtime.advance(at);
            match *event {
                Event::Injected { fault, client: whom, choice, .. } => {
                    let who = whom.map_or(String::new(), |whom| client(whom).to_string());
                    runtime.note(|| format!("* {}", fault.injection(&who, choice)));
                }
                Event::TookEffect { fault, client: whom, call } => {
                    let who = whom.map_or(String::new(), |whom| client(whom).to_string());
                    if let Some(text) = fault.effect(&who, call) {
                        runtime.note(|| format!("* {text}"));
                    }
                }
                Event::Healed => runtime.note(|| "  from here on, there are no more faults".into()),
                _ => {}
            }
        });
    }

    fn wants_transits(&self) -> bool {
        self.recorder.is_some()
    }

    fn transit(&mut self, at: u64, transit: Transit, words: &dyn Fn() -> String) {
        self.note_marks();
        if let Some(recorder) = &mut self.recorder {
            recorder.transit(at, transit, words);
        }
    }
}
