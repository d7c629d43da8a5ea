//! The search: layer by layer, by the number of decisions.
//!
//! The nodes of a layer are followed in pieces. Within a piece, threads see what was known before
//! it and nothing of each other, and what they find is entered in order, so that the outcome does
//! not depend on them. The branches of the last layer are followed at once, since no other comes
//! from them: they are by far the most, and need not be kept.

use std::time::Instant;

use rayon::prelude::*;

use super::{
    Bounds, Cut, Explored, Limits, Taken, decisions,
    fingerprint::{Imprint, Known},
    node::{Node, Setting, State},
};
use crate::{
    campaign::Progress,
    catalog::Guarantee,
    decide::{Fault, FaultSet},
};

/// How many nodes are followed between two looks at the clock.
const PIECE: usize = 32;

/// About how many bytes a state takes that is kept for later.
const STATE_BYTES: u64 = 10_000;

/// About how many bytes a fingerprint takes in a table.
const IMPRINT_BYTES: u64 = 48;

pub(super) struct Search<'a> {
    bounds: &'a Bounds,
    limits: &'a Limits,
    setting: Setting<'a>,
    deadline: Option<Instant>,
    /// States with fewer decisions than a run may have.
    known: Known,
    /// States with as many. Whoever reaches one with fewer must go on from it.
    spent: Known,
    outcome: Explored,
    best: Option<Found>,
}

/// A way to break a guarantee.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Found {
    decisions: usize,
    at: u64,
    taken: Taken,
    guarantee: Guarantee,
}

/// What following one node brought.
#[derive(Default)]
struct Followed {
    steps: u64,
    merged: u64,
    depth: u32,
    known: Known,
    spent: Known,
    children: Vec<Node>,
    found: Option<Found>,
    exercised: u64,
    took_effect: FaultSet,
}

impl<'a> Search<'a> {
    pub(super) fn new(bounds: &'a Bounds, limits: &'a Limits) -> Self {
        let setting = Setting {
            plan: bounds.plan(),
            guarantees: &bounds.guarantees,
            open_choices: bounds.open_choices(),
            decisions: bounds.most_decisions(),
        };
        let outcome = Explored {
            steps: 0,
            states: 0,
            merged: 0,
            depth: 0,
            complete: None,
            cut: None,
            counterexample: None,
            exercised: Vec::new(),
            took_effect: FaultSet::NONE,
        };
        Self {
            bounds,
            limits,
            setting,
            deadline: limits.time.map(|time| Instant::now() + time),
            known: Known::default(),
            spent: Known::default(),
            outcome,
            best: None,
        }
    }

    pub(super) fn run(mut self, progress: &dyn Progress) -> Explored {
        self.search(progress)
    }

    /// As [`Search::run`], and all that was reached.
    #[cfg(test)]
    pub(super) fn run_and_keep(mut self) -> (Explored, Self) {
        (self.search(&()), self)
    }

    #[cfg(test)]
    pub(super) fn has_reached(&self, fingerprint: Imprint) -> bool {
        self.known.contains(&fingerprint) || self.spent.contains(&fingerprint)
    }

    #[cfg(test)]
    pub(super) fn fingerprint(&self, state: &State, spent: &super::node::Spent) -> Imprint {
        self.setting.fingerprint(state, spent)
    }

    fn search(&mut self, progress: &dyn Progress) -> Explored {
        let mut layer = vec![Node::root(self.setting.plan.clone())];
        let mut exercised = 0;
        for number in 0..=self.setting.decisions {
            // The last layer is followed with the one before.
            let last = number + 1 >= self.setting.decisions;
            layer = self.follow_layer(layer, progress, &mut exercised);
            if self.outcome.cut.is_some() {
                break;
            }
            self.outcome.complete = Some(if last { self.setting.decisions } else { number });
            if last || self.best.is_some() || layer.is_empty() {
                if self.best.is_none() {
                    self.outcome.complete = Some(self.setting.decisions);
                }
                break;
            }
        }
        self.conclude(exercised)
    }

    fn follow_layer(
        &mut self,
        layer: Vec<Node>,
        progress: &dyn Progress,
        exercised: &mut u64,
    ) -> Vec<Node> {
        progress.expect(layer.len() as u64);
        let mut next = Vec::new();
        let mut nodes = layer.into_iter();
        loop {
            let piece: Vec<Node> = nodes.by_ref().take(PIECE).collect();
            if piece.is_empty() {
                return next;
            }
            self.outcome.cut = self.cut(progress);
            if self.outcome.cut.is_some() {
                return next;
            }
            let followed: Vec<Followed> = piece
                .into_par_iter()
                .map(|node| {
                    let followed = self.follow(node);
                    progress.done();
                    followed
                })
                .collect();
            for followed in followed {
                *exercised |= followed.exercised;
                self.enter(followed, &mut next);
            }
        }
    }

    fn cut(&self, progress: &dyn Progress) -> Option<Cut> {
        if progress.is_interrupted() {
            return Some(Cut::Interrupted);
        }
        if self.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            return Some(Cut::Time);
        }
        self.limits.states.is_some_and(|most| self.outcome.states >= most).then_some(Cut::States)
    }

    /// Enters what one node brought.
    fn enter(&mut self, followed: Followed, next: &mut Vec<Node>) {
        let outcome = &mut self.outcome;
        outcome.steps += followed.steps;
        outcome.merged += followed.merged;
        outcome.depth = outcome.depth.max(followed.depth);
        outcome.took_effect =
            outcome.took_effect.iter().chain(followed.took_effect.iter()).collect();
        let most = self.limits.memory / 2 / IMPRINT_BYTES;
        for fingerprint in followed.known {
            let elsewhere = self.spent.remove(&fingerprint);
            outcome.states += u64::from(enter(&mut self.known, fingerprint, most) && !elsewhere);
        }
        for fingerprint in followed.spent {
            let elsewhere = self.known.contains(&fingerprint);
            outcome.states += u64::from(!elsewhere && enter(&mut self.spent, fingerprint, most));
        }
        let room = self.limits.memory / 2 / STATE_BYTES;
        for mut child in followed.children {
            if next.len() as u64 >= room {
                child.state = None;
            }
            next.push(child);
        }
        if let Some(found) = followed.found
            && self.best.as_ref().is_none_or(|best| found < *best)
        {
            self.best = Some(found);
        }
    }

    /// Follows a node to the end of its calm run, and all that branches off into the last layer.
    fn follow(&self, mut node: Node) -> Followed {
        let mut followed = Followed::default();
        let state = node.revive(&self.setting.plan);
        let mut branches = self.walk(node, state, &mut followed);
        if branches.first().is_some_and(|branch| self.is_last(branch)) {
            for mut branch in branches.drain(..) {
                let state = branch.revive(&self.setting.plan);
                self.walk(branch, state, &mut followed);
            }
        }
        followed.children = branches;
        followed
    }

    /// Whether nothing may be decided after the node.
    fn is_last(&self, node: &Node) -> bool {
        node.taken.len() as u32 >= self.setting.decisions
    }

    /// Goes on calmly from a node until the run is over, a guarantee breaks or a state is known;
    /// what branches off.
    fn walk(&self, mut node: Node, mut state: Box<State>, followed: &mut Followed) -> Vec<Node> {
        let last = self.is_last(&node);
        let (mut branches, mut open) = (Vec::new(), Vec::new());
        loop {
            let before = (!last).then(|| state.clone());
            let more = self.setting.step(&node, &mut state, &mut open);
            followed.steps += 1;
            if let Some(before) = before {
                for (place, &(address, options)) in open.iter().enumerate().skip(node.script.len())
                {
                    let choices_open = &self.setting.open_choices[address.kind as usize];
                    if node.spent[address.kind as usize] < choices_open.times {
                        let branch = |choice| node.child(&before, place, address, choice);
                        branches.extend(choices_open.choices(options).map(branch));
                    }
                }
            }
            node.events += 1;
            node.script.clear();
            if let Some((guarantee, at)) = state.broken(self.setting.guarantees) {
                followed.note(Found {
                    decisions: node.taken.len(),
                    at,
                    taken: node.taken,
                    guarantee,
                });
                break;
            }
            let merged = !open.is_empty() && self.is_known(&node, &state, last, followed);
            followed.merged += u64::from(merged);
            if merged || !more {
                break;
            }
        }
        followed.depth = followed.depth.max(node.events);
        followed.look(&state, self.setting.guarantees);
        branches
    }

    /// Whether the state was reached before, with at least as much left to decide. It is now.
    fn is_known(&self, node: &Node, state: &State, last: bool, followed: &mut Followed) -> bool {
        let fingerprint = self.setting.fingerprint(state, &node.spent);
        let table = if last { &mut followed.spent } else { &mut followed.known };
        if !self.limits.merging {
            table.insert(fingerprint);
            return false;
        }
        let fresh = table.insert(fingerprint);
        !fresh || self.is_known_from_before(fingerprint, last, followed)
    }

    fn is_known_from_before(&self, fingerprint: Imprint, last: bool, followed: &Followed) -> bool {
        self.known.contains(&fingerprint)
            || (last
                && (followed.known.contains(&fingerprint) || self.spent.contains(&fingerprint)))
    }

    fn conclude(&self, exercised: u64) -> Explored {
        let mut outcome = self.outcome.clone();
        let wanted = self.bounds.guarantees.iter().copied();
        outcome.exercised = wanted.filter(|&wanted| exercised >> wanted as u8 & 1 == 1).collect();
        outcome.counterexample = self
            .best
            .as_ref()
            .map(|found| self.bounds.schedule(found.guarantee, decisions(&found.taken)));
        outcome
    }
}

/// Enters a state, and says whether it is new. One for which there is no room always is.
fn enter(table: &mut Known, fingerprint: Imprint, most: u64) -> bool {
    table.len() as u64 >= most || table.insert(fingerprint)
}

impl Followed {
    fn note(&mut self, found: Found) {
        if self.found.as_ref().is_none_or(|best| found < *best) {
            self.found = Some(found);
        }
    }

    /// Looks at what a run that is over was about.
    fn look(&mut self, state: &State, guarantees: &[Guarantee]) {
        for &guarantee in guarantees {
            self.exercised |= u64::from(state.checkers.exercised(guarantee)) << guarantee as u8;
        }
        let took_effect = |fault: &Fault| state.world.effects(*fault) > 0;
        self.took_effect =
            self.took_effect.iter().chain(Fault::ALL.iter().copied().filter(took_effect)).collect();
    }
}
