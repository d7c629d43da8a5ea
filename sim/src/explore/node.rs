//! A place in the search: a state, and what is decided in its next event.

use std::hash::Hash;

use super::{
    Taken, decisions,
    fingerprint::{Imprint, Imprinter},
    open_choices::{OpenChoicesByKind, Scripted},
};
use crate::{
    catalog::Guarantee,
    decide::{Address, DecisionKind, DecisionSource, Replay},
    guarantees::CheckerSet,
    systems::{Plan, World},
};

/// A world and its judges, between two events.
#[derive(Clone)]
pub(super) struct State {
    pub(super) world: World,
    pub(super) checkers: CheckerSet,
    begun: bool,
}

impl State {
    pub(super) fn new(plan: Plan) -> Self {
        Self { world: World::new(plan), checkers: CheckerSet::default(), begun: false }
    }

    /// Takes the next event, and says whether there are more. The start is an event, too.
    #[inline]
    pub(super) fn step(&mut self, source: &mut impl DecisionSource) -> bool {
        if self.begun {
            return self.world.step(source, &mut self.checkers);
        }
        self.begun = true;
        self.world.begin(source, &mut self.checkers);
        true
    }

    /// The guarantee that is broken, if any of these is.
    pub(super) fn broken(&self, guarantees: &[Guarantee]) -> Option<(Guarantee, u64)> {
        guarantees.iter().find_map(|&guarantee| {
            self.checkers.violation(guarantee).map(|violation| (guarantee, violation.at))
        })
    }
}

/// How often each kind was decided other than the calmest.
pub(super) type Spent = [u8; DecisionKind::ALL.len()];

/// A branch of the search that is still to be followed.
pub(super) struct Node {
    /// The state before the event, unless there was no room for it.
    pub(super) state: Option<Box<State>>,
    /// How many events come before.
    pub(super) events: u32,
    /// What is decided in that event.
    pub(super) script: Vec<u32>,
    /// All that was decided so far, with that.
    pub(super) taken: Taken,
    pub(super) spent: Spent,
}

impl Node {
    pub(super) fn root(plan: Plan) -> Self {
        Self {
            state: Some(Box::new(State::new(plan))),
            events: 0,
            script: Vec::new(),
            taken: Taken::new(),
            spent: Spent::default(),
        }
    }

    /// The branch that takes `choice` at the open decision number `place` of the event before
    /// which `state` is.
    pub(super) fn child(&self, state: &State, place: usize, address: Address, choice: u32) -> Self {
        let mut script = self.script.clone();
        script.resize(place, 0);
        script.push(choice);
        let (mut taken, mut spent) = (self.taken.clone(), self.spent);
        taken.push((address, choice));
        spent[address.kind as usize] += 1;
        Self { state: Some(Box::new(state.clone())), events: self.events, script, taken, spent }
    }

    /// Its state, run anew if it was not kept.
    pub(super) fn revive(&mut self, plan: &Plan) -> Box<State> {
        self.state.take().unwrap_or_else(|| {
            let (mut state, decisions) = (State::new(plan.clone()), decisions(&self.taken));
            for _ in 0..self.events {
                state.step(&mut Replay::of(&decisions));
            }
            Box::new(state)
        })
    }
}

/// What all nodes of a search have in common.
pub(super) struct Setting<'a> {
    pub(super) plan: Plan,
    pub(super) guarantees: &'a [Guarantee],
    pub(super) open_choices: OpenChoicesByKind,
    /// How many decisions a run may have.
    pub(super) decisions: u32,
}

impl Setting<'_> {
    /// Takes the node's next event, and says whether there are more. `open` is what was open in it.
    pub(super) fn step(
        &self,
        node: &Node,
        state: &mut State,
        open: &mut Vec<(Address, u32)>,
    ) -> bool {
        open.clear();
        state.step(&mut Scripted { open_choices: &self.open_choices, script: &node.script, open })
    }

    /// The fingerprint of a state: of the world, of what the checkers remember, and of what may still be
    /// decided. How many decisions were made in all is left out, since the search goes by it: what
    /// is reached first has the most left.
    pub(super) fn fingerprint(&self, state: &State, spent: &Spent) -> Imprint {
        let mut imprinter = Imprinter::new();
        state.world.fingerprint(&mut imprinter);
        state.checkers.fingerprint(self.guarantees, &mut imprinter);
        for (choices_open, spent) in self.open_choices.iter().zip(spent) {
            if u32::from(choices_open.times) < self.decisions {
                spent.hash(&mut imprinter);
            }
        }
        imprinter.fingerprint()
    }
}
