//! A case as a value of proptest: drawn by the generator, shrunk by leaving out steps, then words.

use proptest::{
    strategy::{NewTree, Strategy, ValueTree},
    test_runner::TestRunner,
};

use crate::{chance::Chance, generate::Generator, step::Step};

/// Cases of up to so many steps.
#[derive(Clone, Debug)]
pub(crate) struct Cases {
    pub(crate) generator: Generator,
    pub(crate) longest: usize,
}

/// A case that is being shrunk. Tries to leave out half of it, then quarters and so on to single
/// steps, over and over while that helps; then single words.
#[derive(Debug)]
pub(crate) struct Shrinking {
    steps: Vec<Step>,
    before: Option<Vec<Step>>,
    at: Place,
}

#[derive(Clone, Copy, Debug)]
enum Place {
    /// `shorter`: something could be left out since `from` was 0.
    Steps {
        from: usize,
        length: usize,
        shorter: bool,
    },
    Words {
        step: usize,
        word: usize,
    },
}

impl Strategy for Cases {
    type Tree = Shrinking;
    type Value = Vec<Step>;

    fn new_tree(&self, runner: &mut TestRunner) -> NewTree<Self> {
        let length = 1 + runner.rng().below(self.longest);
        let steps = self.generator.steps(length, runner.rng());
        Ok(Shrinking::new(steps))
    }
}

impl Shrinking {
    fn new(steps: Vec<Step>) -> Self {
        let at = Place::Steps { from: 0, length: steps.len().div_ceil(2), shorter: false };
        Self { steps, before: None, at }
    }

    /// Makes the case smaller at the present place; `false` if there is no smaller one left.
    fn advance(&mut self) -> bool {
        loop {
            let tried = match self.at {
                Place::Steps { from, length, .. } => self.leave_out(from, length),
                Place::Words { step, word } => match self.steps.get(step) {
                    None => return false,
                    Some(found) => leave_out_word(found, word).map(|smaller| {
                        let mut steps = self.steps.clone();
                        steps[step] = smaller;
                        steps
                    }),
                },
            };
            if let Some(smaller) = tried {
                self.before = Some(std::mem::replace(&mut self.steps, smaller));
                return true;
            }
            self.next_place();
        }
    }

    fn leave_out(&self, from: usize, length: usize) -> Option<Vec<Step>> {
        let rest = self.steps.get(from + 1..)?;
        let rest = rest.get(length - 1..).unwrap_or_default();
        Some(self.steps[..from].iter().chain(rest).cloned().collect())
    }

    /// Once the present place gives nothing more.
    fn next_place(&mut self) {
        self.at = match self.at {
            Place::Steps { from, length, shorter } if from < self.steps.len() => {
                Place::Steps { from: from + length, length, shorter }
            }
            Place::Steps { length, shorter, .. } if length > 1 || shorter => {
                Place::Steps { from: 0, length: length.div_ceil(2).max(1), shorter: false }
            }
            Place::Steps { .. } => Place::Words { step: 0, word: 1 },
            Place::Words { step, word } => match self.steps.get(step) {
                Some(Step::Command { words, .. }) if word < words.len() => {
                    Place::Words { step, word: word + 1 }
                }
                _ => Place::Words { step: step + 1, word: 1 },
            },
        };
    }
}

impl ValueTree for Shrinking {
    type Value = Vec<Step>;

    fn current(&self) -> Self::Value {
        self.steps.clone()
    }

    /// The present case still fails: go on from it.
    fn simplify(&mut self) -> bool {
        if self.before.is_some()
            && let Place::Steps { shorter, .. } = &mut self.at
        {
            *shorter = true;
        }
        self.advance()
    }

    /// The present case does not fail any more: what was left out was needed.
    fn complicate(&mut self) -> bool {
        let Some(before) = self.before.take() else { return false };
        self.steps = before;
        self.next_place();
        self.advance()
    }
}

fn leave_out_word(step: &Step, word: usize) -> Option<Step> {
    let Step::Command { session, words } = step else { return None };
    let mut words = words.clone();
    (word < words.len()).then(|| words.remove(word))?;
    Some(Step::Command { session: *session, words })
}

#[test]
fn a_case_shrinks_to_what_is_needed() {
    let needed = |steps: &[Step]| {
        let has = |line: &str| steps.contains(&Step::command(0, line));
        has("SET a") && (has("GET a b") || has("GET a"))
    };
    let mut steps: Vec<_> =
        (0..40).map(|number| Step::command(1, &format!("PING {number}"))).collect();
    steps.insert(5, Step::command(0, "SET a"));
    steps.insert(30, Step::command(0, "GET a b"));
    let mut tree = Shrinking::new(steps);
    let mut least = tree.current();
    let mut more = tree.simplify();
    while more {
        more = if needed(&tree.current()) {
            least = tree.current();
            tree.simplify()
        } else {
            tree.complicate()
        };
    }
    assert_eq!(least, [Step::command(0, "SET a"), Step::command(0, "GET a")]);
}
