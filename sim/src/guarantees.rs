//! What is promised: one claim a file, each judged from the history alone.
//!
//! A checker never reads a machine, a server or a decision, so it can judge any history, also one
//! of an algorithm that it has never heard of.

mod calls;
mod shared_history;

#[cfg(test)]
mod stories;

use std::hash::{Hash, Hasher};

use shared_history::SharedHistory;

use crate::{catalog::for_each_guarantee, history::Event};

pub use crate::catalog::Guarantee;

/// What a checker found: the claim does not hold, since…
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// When, in true microseconds.
    pub at: u64,
    /// What happened, as a sentence.
    pub text: String,
}

/// Judges one claim. Its field `exercised` says whether the situation that the claim is about occurred
/// at all.
pub(crate) trait Checker: Clone + Default + Hash {
    // What a checker hashes is all that its later verdicts depend on: exploration merges states
    // that are told apart by nothing else.

    /// Looks at the next event. `shared` has seen it already.
    fn observe(&mut self, at: u64, event: &Event, shared: &SharedHistory) -> Result<(), String>;
}

macro_rules! guarantees {
    ($($variant:ident $module:ident $name:literal $workload:ident $claim:literal;)*) => {
        $(mod $module;)*

        /// All checkers at work on one history.
        #[derive(Clone, Debug, Default)]
        pub struct CheckerSet {
            shared: SharedHistory,
            violations: [Option<Violation>; Guarantee::ALL.len()],
            $($module: $module::$variant,)*
        }

        impl CheckerSet {
            /// Observes the next event.
            #[inline]
            pub fn observe(&mut self, at: u64, event: &Event) {
                self.shared.enter(event);
                $(
                    if let Err(text) = self.$module.observe(at, event, &self.shared) {
                        self.report(Guarantee::$variant, at, text);
                    }
                )*
            }

            /// Feeds to `hasher` all that later verdicts on `guarantees` depend on.
            pub(crate) fn fingerprint(&self, guarantees: &[Guarantee], hasher: &mut impl Hasher) {
                self.shared.hash(hasher);
                for guarantee in guarantees {
                    match guarantee { $(Guarantee::$variant => self.$module.hash(hasher)),* }
                }
            }

            /// Whether the history was one that `guarantee` is about.
            #[must_use]
            pub fn exercised(&self, guarantee: Guarantee) -> bool {
                match guarantee { $(Guarantee::$variant => self.$module.exercised),* }
            }
        }
    };
}

for_each_guarantee!(guarantees);

impl CheckerSet {
    /// What was found against `guarantee` first.
    #[must_use]
    pub fn violation(&self, guarantee: Guarantee) -> Option<&Violation> {
        self.violations[guarantee as usize].as_ref()
    }

    #[cold]
    fn report(&mut self, guarantee: Guarantee, at: u64, text: String) {
        self.violations[guarantee as usize].get_or_insert(Violation { at, text });
    }
}

/// The number of clients that a history may have.
pub(crate) const CLIENTS: usize = 8;

/// How much later than a deadline an alarm may be seen to ring, for rounding: 10 µs.
pub(crate) const SLACK: u64 = 10;
