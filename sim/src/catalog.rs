//! The names that everybody uses: what is examined, what is promised, and where in the matrix.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::decide::Fault;

/// An algorithm, on the servers that it runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// Our lock on one Redis.
    Lock,
    /// Our lock on a Redis with a replica that takes over.
    LockReplicated,
    /// Our debounce, on a Redis with a replica that takes over.
    Debounce,
    /// The lock and the debounce of `@upstash/lock` as they are, on a Redis with a replica.
    Upstream,
    /// Our lock on a majority of three or four independent Redis servers.
    Quorum,
    /// Our lock on a Redis with two replicas, of which one has every lease: the one that takes over
    /// has the most.
    LockAcked,
    /// The same where any replica may take over.
    LockAckedAny,
    /// Our lean lock on one Redis, beside a client of the full one.
    LockLean,
    /// Our lock as it ships, by its handles, on one Redis.
    LockHandle,
    /// Our debounce as it ships, by its handle, on a Redis with a replica that takes over.
    DebounceHandle,
    /// Our lock as it ships, by its handles, on a quorum of three or four servers.
    QuorumHandle,
    /// Our lock as it ships, by its handles, on a Redis with two replicas, of which one has every
    /// lease: the one that takes over has the most.
    LockAckedHandle,
}

/// What the clients of a run do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Workload {
    /// They contend for one lock.
    Lock,
    /// They call one debounced function.
    Debounce,
}

impl Subject {
    /// Every subject, in the order of the reports.
    pub const ALL: &[Self] = &[
        Self::Lock,
        Self::LockHandle,
        Self::LockLean,
        Self::LockReplicated,
        Self::LockAcked,
        Self::LockAckedAny,
        Self::LockAckedHandle,
        Self::Quorum,
        Self::QuorumHandle,
        Self::Debounce,
        Self::DebounceHandle,
        Self::Upstream,
    ];

    /// Its name on the command line and in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Lock => "lock",
            Self::LockReplicated => "lock-replicated",
            Self::Debounce => "debounce",
            Self::Upstream => "upstream",
            Self::Quorum => "quorum",
            Self::LockAcked => "lock-acked",
            Self::LockAckedAny => "lock-acked-any",
            Self::LockHandle => "lock-handle",
            Self::DebounceHandle => "debounce-handle",
            Self::QuorumHandle => "quorum-handle",
            Self::LockAckedHandle => "lock-acked-handle",
            Self::LockLean => "lock-lean",
        }
    }

    /// What it is, in a few words.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Lock => "our lock on one Redis",
            Self::LockHandle => "our lock as it ships, by its handles, on one Redis",
            Self::LockReplicated => "our lock on a Redis with a replica that takes over",
            Self::LockLean => "our lean lock on one Redis, beside a client of the full one",
            Self::Debounce => "our debounce on a Redis with a replica that takes over",
            Self::DebounceHandle => "our debounce by its handle, on a Redis with a replica",
            Self::LockAcked => "our lock, once one of two replicas has it; the fuller takes over",
            Self::LockAckedAny => "our lock, once one of two replicas has it; either takes over",
            Self::LockAckedHandle => "our lock by its handles, once one of two replicas has it",
            Self::Quorum => "our lock on a majority of three or four independent Redis servers",
            Self::QuorumHandle => "our lock by its handles, on a majority of three or four servers",
            Self::Upstream => "the algorithms of @upstash/lock, on a Redis with a replica",
        }
    }

    /// Whether its clients run the futures of handles, which takes longer than to run machines, and
    /// cannot be searched.
    #[must_use]
    pub fn runs_handles(self) -> bool {
        matches!(
            self,
            Self::LockHandle | Self::DebounceHandle | Self::LockAckedHandle | Self::QuorumHandle
        )
    }

    /// How many schedules of it are run where `schedules` of a machine are.
    #[must_use]
    pub(crate) fn share_of(self, schedules: u64) -> u64 {
        if self.runs_handles() { schedules.div_ceil(2) } else { schedules }
    }

    /// What its clients can do.
    #[must_use]
    pub fn workloads(self) -> &'static [Workload] {
        match self {
            Self::Lock
            | Self::LockAcked
            | Self::LockAckedAny
            | Self::LockAckedHandle
            | Self::LockHandle
            | Self::LockLean
            | Self::LockReplicated
            | Self::Quorum
            | Self::QuorumHandle => &[Workload::Lock],
            Self::Debounce | Self::DebounceHandle => &[Workload::Debounce],
            Self::Upstream => &[Workload::Lock, Workload::Debounce],
        }
    }
}

/// Hands the table of guarantees to another macro: `Variant module "name" Workload "claim";`. A
/// guarantee is a line here and a file in `guarantees`.
macro_rules! for_each_guarantee {
    ($callback:ident) => {
        $callback! {
            Exclusion exclusion "exclusion" Lock
                "No client acts under the lock while another client's later grant is alive, nor believes in a lease for longer than it was given.";
            FencedExclusion fenced_exclusion "fenced-exclusion" Lock
                "A resource that checks fences never accepts an older holder's write after a newer one's.";
            FenceOrder fence_order "fence-order" Lock
                "Each grant has a greater fence than every grant before it.";
            Ownership ownership "ownership" Lock
                "No command changes a key that is under another grant's token.";
            TruthfulOutcome truthful_outcome "truthful-outcome" Lock
                "What a call returns is true: whoever is told that it has the lock was granted it and has time left, whoever is told that it has not has it not and will not by that call, and a release that freed is not said to have found nothing.";
            NoZombie no_zombie "no-zombie" Lock
                "Once a release is answered, its token never comes back.";
            TimelyLoss timely_loss "timely-loss" Lock
                "A holder is told that its lease is over no later than its own deadline, or as soon as it goes on if it stands still then.";
            OrphanBound orphan_bound "orphan-bound" Lock
                "No key outlives the longest lease that was asked for it, nor a release that a server answered, be it with a refusal.";
            Liveness liveness "liveness" Lock
                "Every call ends by its deadline, pauses of its process aside, and once faults are long over, those who ask are served, and do not wait long for a lock that nobody holds.";
            Idempotence idempotence "idempotence" Lock
                "However often it is applied, an extension gives no more than it asks for, shortens, creates and removes nothing, and a release frees a grant once, unless a failover brings it back.";
            DebounceFires debounce_fires "debounce-fires" Debounce
                "A call that counts takes effect, or a newer one does, unless it is cancelled, while one participant or sweeper lives.";
            DebounceSingleRun debounce_single_run "debounce-single-run" Debounce
                "No two valid runs overlap, and what was run and noted is not run again.";
            DebounceLatestArgs debounce_latest_args "debounce-latest-args" Debounce
                "No arguments take effect after those of a newer call.";
            DebounceQuiet debounce_quiet "debounce-quiet" Debounce
                "No run of new calls begins before the wait has passed since the last of them that was not cancelled, unless the longest wait has passed since the first, what waits was flushed, or it is that of a first call which is due at once.";
            DebounceMaxWait debounce_max_wait "debounce-max-wait" Debounce
                "However many calls come, a run begins soon after the longest wait since the first, once the run before is over and no fault is at work, unless they are cancelled; a jump of the server's clock begins both anew.";
            DebounceExpiry debounce_expiry "debounce-expiry" Debounce
                "Every key expires.";
            DebounceTruth debounce_truth "debounce-truth" Debounce
                "Every call returns, and truly: one that is said to be run, superseded or cancelled has been, and one that is said not to count does not.";
        }
    };
}

macro_rules! names {
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
    };
}

for_each_guarantee!(names);

pub(crate) use for_each_guarantee;

/// The place of a cell in the matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CellName {
    /// The algorithm.
    pub subject: Subject,
    /// The promise.
    pub guarantee: Guarantee,
    /// What went wrong, if anything.
    pub fault: Option<Fault>,
}

impl fmt::Display for CellName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fault = self.fault.map_or("none", Fault::name);
        write!(f, "{} × {} × {fault}", self.subject.name(), self.guarantee.name())
    }
}

/// How long no further call of the debounced function may come before it is run, in microseconds.
pub(crate) const DEBOUNCE_WAIT: u64 = 300_000;

/// How long after the first call of a burst it is run at the latest.
pub(crate) const DEBOUNCE_MAX_WAIT: u64 = 1_000_000;

/// What is known of a cell, or what is claimed of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// No schedule broke it.
    Holds,
    /// A schedule broke it.
    Broken,
    /// No schedule was about it: the fault never took effect, or the situation never occurred.
    NotExercised,
}

impl Verdict {
    /// Its name in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::Broken => "broken",
            Self::NotExercised => "not-exercised",
        }
    }
}

impl Verdict {
    /// Whether this is no surprise where `claim` is claimed.
    #[must_use]
    pub fn is_as_claimed(self, claim: Self) -> bool {
        self == claim || (self, claim) == (Self::Holds, Self::NotExercised)
    }
}
