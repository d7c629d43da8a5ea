//! What is promised: one claim a file, each judged from the history alone.
//!
//! A checker never reads a machine, a server or a decision, so it can judge any history, also one
//! of an algorithm that it has never heard of.

mod calls;
mod debounce_expiry;
mod debounce_fires;
mod debounce_latest_args;
mod debounce_max_wait;
mod debounce_quiet;
mod debounce_single_run;
mod debounce_truth;
mod exclusion;
mod fence_order;
mod fenced_exclusion;
mod idempotence;
mod ledger;
mod liveness;
mod no_zombie;
mod orphan_bound;
mod ownership;
mod timely_loss;
mod truthful_outcome;

#[cfg(test)]
mod stories;

use std::hash::{Hash, Hasher};

use ledger::Ledger;

use crate::{history::Event, subjects::Workload};

/// What a checker found: the claim does not hold, since…
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// When, in true microseconds.
    pub at: u64,
    /// What happened, as a sentence.
    pub text: String,
}

/// Judges one claim.
pub(crate) trait Checker: Clone + Default + Hash {
    // What a checker hashes is all that its later verdicts depend on: exploration merges states
    // that are told apart by nothing else.

    /// Looks at the next event. `ledger` has seen it already.
    fn observe(&mut self, at: u64, event: &Event, ledger: &Ledger) -> Result<(), String>;

    /// Whether the situation that the claim is about occurred at all.
    fn exercised(&self) -> bool;
}

macro_rules! guarantees {
    ($($variant:ident $module:ident $name:literal $workload:ident $claim:literal;)*) => {
        /// A promise.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Guarantee {
            $(#[doc = $claim] $variant,)*
        }

        impl Guarantee {
            /// Every guarantee, in the order of the reports.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// Its name on the command line and in reports.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }

            /// The exact claim, as a sentence.
            #[must_use]
            pub fn claim(self) -> &'static str {
                match self { $(Self::$variant => $claim),* }
            }

            /// What clients must do for it to be judged.
            #[must_use]
            pub fn workload(self) -> Workload {
                match self { $(Self::$variant => Workload::$workload),* }
            }
        }

        /// All checkers at work on one history.
        #[derive(Clone, Debug, Default)]
        pub struct Court {
            ledger: Ledger,
            violations: [Option<Violation>; Guarantee::ALL.len()],
            $($module: $module::$variant,)*
        }

        impl Court {
            /// Hears the next event.
            #[inline]
            pub fn hear(&mut self, at: u64, event: &Event) {
                self.ledger.enter(event);
                $(
                    if let Err(text) = self.$module.observe(at, event, &self.ledger) {
                        self.convict(Guarantee::$variant, at, text);
                    }
                )*
            }

            /// Feeds to `hasher` all that later verdicts on `guarantees` depend on.
            pub(crate) fn imprint(&self, guarantees: &[Guarantee], hasher: &mut impl Hasher) {
                self.ledger.hash(hasher);
                for guarantee in guarantees {
                    match guarantee { $(Guarantee::$variant => self.$module.hash(hasher)),* }
                }
            }

            /// Whether the history was one that `guarantee` is about.
            #[must_use]
            pub fn exercised(&self, guarantee: Guarantee) -> bool {
                match guarantee { $(Guarantee::$variant => self.$module.exercised()),* }
            }
        }
    };
}

guarantees! {
    Exclusion exclusion "exclusion" Lock
        "No client acts under the lock while another client's later grant is alive, nor believes in a lease for longer than it was given.";
    FencedExclusion fenced_exclusion "fenced-exclusion" Lock
        "A resource that checks fences never accepts an older holder's write after a newer one's.";
    FenceOrder fence_order "fence-order" Lock
        "Each grant has a greater fence than every grant before it.";
    Ownership ownership "ownership" Lock
        "No command changes a key that is under another grant's token.";
    TruthfulOutcome truthful_outcome "truthful-outcome" Lock
        "What a call returns is true: a lock that is said not to be held is not and will not be.";
    NoZombie no_zombie "no-zombie" Lock
        "A token that was given up never comes back.";
    TimelyLoss timely_loss "timely-loss" Lock
        "A holder is told that its lease is over no later than its own deadline.";
    OrphanBound orphan_bound "orphan-bound" Lock
        "No key outlives the longest lease that was asked for it, nor a release that a server answered.";
    Liveness liveness "liveness" Lock
        "Every call ends by its deadline, and once faults are over, those who ask are served.";
    Idempotence idempotence "idempotence" Lock
        "However often it is applied, an extension gives no more than it asks for, and a release frees once.";
    DebounceFires debounce_fires "debounce-fires" Debounce
        "A call that counts is run, or a newer one is, while one participant or sweeper lives.";
    DebounceSingleRun debounce_single_run "debounce-single-run" Debounce
        "No two valid runs overlap, and what was run and noted is not run again.";
    DebounceLatestArgs debounce_latest_args "debounce-latest-args" Debounce
        "What takes effect last are the newest arguments, and never older after newer ones.";
    DebounceQuiet debounce_quiet "debounce-quiet" Debounce
        "No run begins before the wait has passed since the last call, unless the longest wait has.";
    DebounceMaxWait debounce_max_wait "debounce-max-wait" Debounce
        "A run begins soon after the longest wait since the first call, however many calls come.";
    DebounceExpiry debounce_expiry "debounce-expiry" Debounce
        "Every key expires.";
    DebounceTruth debounce_truth "debounce-truth" Debounce
        "Every call returns, and truly: one that is said to be run or superseded has been.";
}

impl Court {
    /// What was found against `guarantee` first.
    #[must_use]
    pub fn violation(&self, guarantee: Guarantee) -> Option<&Violation> {
        self.violations[guarantee as usize].as_ref()
    }

    #[cold]
    fn convict(&mut self, guarantee: Guarantee, at: u64, text: String) {
        self.violations[guarantee as usize].get_or_insert(Violation { at, text });
    }
}

/// The number of clients that a history may have.
pub(crate) const CLIENTS: usize = 8;

/// How much later than a deadline an alarm may be seen to ring, for rounding: 10 µs.
pub(crate) const SLACK: u64 = 10;
