//! Planted bugs: faulty algorithms, each of which a named checker must find.
//!
//! This is how the simulator shows that it can see. Each is a small rewriting, outside of the
//! machines of `leasehold_core`: of the scripts that the server runs (`scripts.rs`) or of what it
//! looks at (`replica.rs`), of what a machine is told and says (`lock.rs`, `quorum.rs`,
//! `debounce.rs`), or of what leaves a client (`client.rs`). Two are a setting that is left out. Most
//! of them were shipped by somebody; the table says by whom.

mod client;
mod debounce;
mod lock;
mod planted;
mod quorum;
mod replica;
mod scripts;

pub(crate) use client::Sender;
pub(crate) use debounce::PlantedDebounce;
pub(crate) use lock::PlantedLock;
pub(crate) use quorum::PlantedQuorum;

use leasehold_core::{Command, Reply, StoreError};

use crate::{
    catalog::{Guarantee, Subject},
    decide::Fault,
};
use leasehold_fake_redis::{Redis, Replica};

/// Applies `command` as a faulty server does, if `mutant` makes it one for it.
pub(crate) fn serve(
    mutant: Mutant,
    redis: &mut Redis,
    replica: Option<&Replica>,
    wall_us: u64,
    command: &Command,
) -> Option<Result<Reply, StoreError>> {
    replica::decide_on_replica(mutant, redis, replica, wall_us, command);
    scripts::serve(mutant, redis, wall_us, command)
}

macro_rules! mutants {
    ($($variant:ident $number:literal $id:literal $subject:ident $guarantee:ident $fault:tt
        $within:literal $origin:literal $violates:literal $what:literal;)*) => {
        /// A planted bug.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Mutant {
            $(#[doc = $what] $variant,)*
        }

        impl Mutant {
            /// Every planted bug, in the order of its number.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// Its number in the catalogue of known bugs, from 1 to 54; 0 for the canary, and from
            /// 55 on for those that were found since.
            #[must_use]
            pub fn number(self) -> u8 {
                match self { $(Self::$variant => $number),* }
            }

            /// Its name on the command line and in reports.
            #[must_use]
            pub fn id(self) -> &'static str {
                match self { $(Self::$variant => $id),* }
            }

            /// Whom it is planted in.
            #[must_use]
            pub fn subject(self) -> Subject {
                match self { $(Self::$variant => Subject::$subject),* }
            }

            /// The guarantee whose checker must find it.
            #[must_use]
            pub fn guarantee(self) -> Guarantee {
                match self { $(Self::$variant => Guarantee::$guarantee),* }
            }

            /// The fault under which it is found, if it takes one.
            #[must_use]
            pub fn fault(self) -> Option<Fault> {
                match self { $(Self::$variant => mutants!(@fault $fault)),* }
            }

            /// Within how many schedules it must be found.
            #[must_use]
            pub fn within(self) -> u64 {
                match self { $(Self::$variant => $within),* }
            }

            /// Where it was shipped.
            #[must_use]
            pub fn origin(self) -> &'static str {
                match self { $(Self::$variant => $origin),* }
            }

            /// What it violates, in the words of the catalogue: see `sim/README.md`.
            #[must_use]
            pub fn violates(self) -> &'static str {
                match self { $(Self::$variant => $violates),* }
            }

            /// What is wrong, as a sentence.
            #[must_use]
            pub fn what(self) -> &'static str {
                match self { $(Self::$variant => $what),* }
            }
        }
    };
    (@fault none) => { None };
    (@fault $fault:ident) => { Some(Fault::$fault) };
}

mutants! {
    Canary 0 "canary" Lock Exclusion none 3 "nobody, one hopes" "M1"
        "Whoever asks for the lock gets it.";
    BareDelete 1 "bare-delete" Lock Ownership ClientPause 200 "ShedLock#2583" "M2, M1"
        "A release deletes the key, whoever's token is there.";
    TwoTripRelease 2 "two-trip-release" Lock Ownership ClientPause 1000 "common; YiiRedis#18" "M2, M1"
        "A release compares in one round trip and deletes in the next.";
    ExpireAfterwards 3 "expire-afterwards" Lock OrphanBound ClientCrash 200 "ShedLock#65" "M7"
        "The key is set by one command and made to expire by the next.";
    LostReplyIsBusy 4 "lost-reply-is-busy" Lock TruthfulOutcome ReplyLoss 200 "@upstash/lock; go-redis#2985" "M3, M7"
        "A lost reply counts as busy, and the token is forgotten.";
    LostReplyIsUnsent 5 "lost-reply-is-unsent" Lock TruthfulOutcome ReplyLoss 200 "node-redlock" "M3, M8"
        "After a lost reply a fresh token is tried, to which the own key looks foreign.";
    NoMark 6 "no-mark" Lock NoZombie Duplicate 2000 "@upstash/lock" "M4"
        "A late copy of an acquire is applied although its token was given up.";
    DeadlineFromReply 7 "deadline-from-reply" Lock Exclusion Latency 3000 "common; a proposal for node-redlock" "M1"
        "A lease counts from when the reply came, not from before the request was sent.";
    NoValidityCheck 8 "no-validity-check" Lock TruthfulOutcome ClientPause 2000 "node-redlock#296; @upstash/lock" "M1"
        "A lease is handed out although it is over when the reply comes.";
    WallClock 9 "wall-clock" Lock Exclusion ClientClock 1000 "node-redlock" "M1, M6"
        "A lease is timed by the wall clock, which is set back.";
    NoDrift 10 "no-drift" Lock Exclusion ClientClock 2000 "early Redlocks" "M1"
        "Nothing is taken off a lease for clocks that run at different rates.";
    LossOnReplyOnly 11 "loss-on-reply-only" Lock TimelyLoss Hang 200 "node-redlock" "M6"
        "A holder learns of a loss when a renewal fails, not at its deadline.";
    RenewalGivesUp 12 "renewal-gives-up" Lock TimelyLoss RequestLoss 200 "redisson#775; ShedLock" "M1, M6"
        "Renewal stops after one error, and nobody is told.";
    FailedExtendReleases 13 "failed-extend-releases" Lock Exclusion ReplyLoss 1000 "rslock; redsync#151" "M1"
        "An extension whose reply is lost releases the lock, which its holder still believes to have.";
    AdditiveExtend 14 "additive-extend" Lock Idempotence Duplicate 200 "@upstash/lock; redbeat#127" "M11, M7"
        "An extension adds to what is left, so that a copy adds again.";
    ExtendInSeconds 15 "extend-in-seconds" Lock Idempotence none 50 "@upstash/lock" "M1, M11"
        "An extension is rounded down to whole seconds.";
    NoPositiveCheck 16 "no-positive-check" Lock Exclusion none 200 "redis-py#4279; @upstash/lock" "M3, M1"
        "An extension by nothing is passed on, which deletes the key and is answered with yes.";
    ExtendRecreates 17 "extend-recreates" Lock Idempotence Duplicate 2000 "redsync" "M1, M5"
        "An extension creates the key again if it is missing.";
    SharedToken 18 "shared-token" Lock TruthfulOutcome none 50 "@upstash/lock; redsync" "M2, M3"
        "Two tasks share a handle that remembers one token: that of who asked last.";
    CountedReentry 19 "counted-reentry" Lock TruthfulOutcome ReplyLoss 200 "redisson#7367" "M8"
        "An acquire that is sent again counts as a second one, so one release does not free.";
    FixedOwner 20 "fixed-owner" Lock Exclusion Duplicate 4000 "etcd#22082" "M2"
        "An owner has one token for ever, so that an old release frees the next lease.";
    HeartbeatRearms 21 "heartbeat-rearms" Lock NoZombie Latency 500 "dynamodb-lock-client#1" "M4, M7"
        "A renewal under way when the lock is released sets the timer of the next one.";
    CancelledCleanUp 22 "cancelled-clean-up" Lock TruthfulOutcome Hang 200 "redsync; rslock" "M7, M3"
        "What cleans up after a call that ran out of time is cancelled with it.";
    ReachedMajority 23 "reached-majority" Quorum Exclusion Partition 1000 "redlock-py#6" "M1"
        "A majority of the servers that were reached is enough.";
    EvenVote 24 "even-vote" Quorum Liveness none 500 "node-redlock" "M8"
        "Two servers vote, and a caller waits until more than half are for it or against it.";
    KeptMinority 25 "kept-minority" Quorum Liveness none 500 "node-redlock" "M8"
        "What a minority granted is kept when the majority said no.";
    ErrorAborts 26 "error-aborts" Quorum TruthfulOutcome RequestLoss 500 "redlock-rs" "M8, M7"
        "One server's error ends an acquire, and what the others granted is left behind.";
    ValidityUnderflows 27 "validity-underflows" Lock Exclusion Latency 500 "redlock-rs; rslock" "M1"
        "What is left of a lease that is over already wraps around to an age.";
    RestartWithoutDelay 28 "restart-without-delay" Quorum Exclusion Restart 1000 "Redlock, run without its delay" "M1"
        "A server that lost its votes takes part again at once.";
    OneAcknowledgement 29 "one-acknowledgement" LockAckedAny Exclusion Failover 1000 "Redisson" "M1"
        "One of two replicas has the lease, and the other one takes over.";
    CountedFences 30 "counted-fences" LockReplicated FenceOrder Failover 500 "Redisson" "M5"
        "Fences are counted, and the count is lost in a failover.";
    HintsOnly 31 "hints-only" Lock Liveness none 2000 "redisson#1763" "M8"
        "A waiter does not look again once it is told of releases, and nothing but one wakes it.";
    PrefixCompare 37 "prefix-compare" Lock Ownership none 50 "bsm/redislock" "M2"
        "Owners are compared by prefix: job takes over what job-2 holds.";
    OwnLeaseTakeover 38 "own-lease-takeover" Lock Exclusion none 200 "kubernetes#114872" "M1"
        "Whether another's lease is over is judged by the length of one's own.";
    LastCallerFires 39 "last-caller-fires" Debounce DebounceFires ClientCrash 200 "@upstash/lock" "B1"
        "Only the newest caller runs what waits; the others leave, and nobody takes over.";
    UnnamedCall 40 "unnamed-call" Debounce DebounceFires Duplicate 200 "@upstash/lock" "B1"
        "A copy of a call counts as another call, so that none is the newest.";
    TicketWithoutEpoch 41 "ticket-without-epoch" Debounce DebounceTruth Failover 1000 "@upstash/lock" "B2, B7"
        "Calls are counted, and a count that was lost in a failover is given out again.";
    ReplicaDecides 42 "replica-decides" Debounce DebounceQuiet none 1000 "@upstash/lock" "B2, B3, B4"
        "Whether a run is due is read from a replica, which has not seen the last call.";
    VisibleBeforeArmed 43 "visible-before-armed" Debounce DebounceFires ClientCrash 500 "Inngest" "B1"
        "A call is recorded by one command and made due by the next.";
    LateCopyOverwrites 44 "late-copy-overwrites" Debounce DebounceFires Duplicate 2000 "inngest#4800" "B3"
        "What an older call sends late overwrites the arguments of a newer one.";
    CallersClock 45 "callers-clock" Debounce DebounceQuiet ClientClock 500 "Inngest; docket" "B3, B4, B5"
        "A call is due by the wall clock of its caller.";
    ClampPastMaxWait 46 "clamp-past-max-wait" Debounce DebounceMaxWait Cancellation 4000 "inngest#3554" "B5"
        "Every call puts the run off by a second at least, also past the longest wait.";
    CallDuringRunIsDropped 47 "call-during-run-is-dropped" Debounce DebounceFires none 500 "BullMQ; runed#139" "B3, B1"
        "A call that comes during a run is taken for one that the run covers.";
    UnownedClear 48 "unowned-clear" Debounce DebounceSingleRun none 500 "Trigger.dev; bullmq#3232" "B2, B3"
        "The end of a run deletes the record, whatever has come since.";
    EveryWaiterTakesOver 49 "every-waiter-takes-over" Debounce DebounceSingleRun ClientCrash 1000 "Trigger.dev" "B2"
        "Everybody who waits for a run that vanished starts it over.";
    FirstArguments 50 "first-arguments" Debounce DebounceFires none 50 "docket; Trigger.dev" "B3"
        "The arguments of the first call are kept.";
    SettledBeforeRun 51 "settled-before-run" Debounce DebounceFires ClientCrash 500 "at most once, as a shortcut" "B1"
        "A run is settled when it begins, so that its crash loses the calls.";
    NoFence 52 "no-fence" Debounce DebounceLatestArgs ClientPause 4000 "@upstash/lock" "B3"
        "A run writes without a fence, so that one that was overtaken overwrites.";
    FirstCallerBounds 53 "first-caller-bounds" Debounce DebounceMaxWait none 500 "a plausible slip" "B5"
        "Only the call that begins a burst heeds the longest wait, and later ones put the run off.";
    SilentCancel 54 "silent-cancel" Debounce DebounceTruth none 200 "perfect-debounce" "B7, M8"
        "A call that was cancelled never returns.";
    ReusedToken 55 "reused-token" Lock Exclusion Hang 1000 "a first version of this lock; proposed in node-redlock#369" "M1"
        "A second try has the token of the first, and counts its lease from the second.";
    BusyIsSpent 56 "busy-is-spent" Lock TruthfulOutcome Resend 1000 "a first version of this lock" "M3, M8"
        "A try that was told busy is sent again, finds its own mark, and ends the whole call.";
    MarkBeforeFree 57 "mark-before-free" Lock OrphanBound OutOfMemory 1000 "a first version of this lock" "M7, M8"
        "A release notes that it was one before it frees, so that a full server refuses all of it.";
    ForgetfulRelease 58 "forgetful-release" Lock TruthfulOutcome Resend 500 "@upstash/lock" "M3, M11"
        "A release that is sent again finds nothing, and says that the lock was not its own.";
    UnfencedWrite 59 "unfenced-write" Lock FencedExclusion ClientPause 1000 "@upstash/lock; redsync" "M5"
        "A holder shows no fence to what it writes to.";
    NoTimeOut 60 "no-time-out" Lock Liveness Hang 500 "redlock-py" "M8"
        "A call waits for its reply however long it takes.";
    SecuredFromReply 61 "secured-from-reply" LockAcked Exclusion Latency 2000 "a plausible slip" "M1"
        "A renewal counts from when the replicas had it, not from before it was sent.";
    BoundFromLast 62 "bound-from-last" Debounce DebounceMaxWait none 2000 "a plausible slip" "B5"
        "The longest wait is counted from the last call, so that it never comes.";
    ImmortalMemo 63 "immortal-memo" Debounce DebounceExpiry none 50 "@upstash/lock; bullmq#4311" "B6"
        "What is remembered of a call has no time to live.";
    WaitFromFirst 64 "wait-from-first" Debounce DebounceQuiet none 500 "a throttle that is called a debounce" "B4"
        "The wait is counted from the first call, so that later ones put nothing off.";
    ForgottenDoubt 65 "forgotten-doubt" Lock TruthfulOutcome NetworkPair 10000 "a plausible slip" "M3"
        "A release whose reply was lost and that was not sent again says that it never was.";
    LeanBareDelete 66 "lean-bare-delete" LockLean Ownership ClientPause 200 "ShedLock#2583" "M2, M1"
        "A lean release deletes the key, whoever's token is there.";
    LeanBareExtend 67 "lean-bare-extend" LockLean Ownership Duplicate 1000 "a plausible slip" "M2"
        "A lean lease is extended whoever's token is there.";
    ClientsFence 68 "clients-fence" LockLean FenceOrder none 100 "a plausible slip" "M5"
        "A lean lock's fence is the time of whoever takes it, and clocks differ.";
    LostWakeUp 71 "lost-wake-up" LockHandle Liveness none 500 "a plausible slip" "M8"
        "Whoever gives a lock up does not wake the next one of its process.";
    UnreturnedLease 72 "unreturned-lease" LockHandle Liveness none 500 "a plausible slip" "M7, M8"
        "A waiter that is dropped while it is served does not give back what it is granted.";
    OutlivingRenewal 73 "outliving-renewal" LockHandle Liveness none 500 "a plausible slip" "M7, M8"
        "The renewals of a lease go on after it was dropped.";
    UnsentRelease 74 "unsent-release" LockHandle Liveness none 500 "a plausible slip" "M7, M8"
        "The release that nobody waits for, that of a dropped lease, is never sent.";
    UnreturnedRun 75 "unreturned-run" DebounceHandle DebounceMaxWait none 1000 "a plausible slip" "B5"
        "A run whose callback was dropped or panicked is given back neither in the background nor by the next call.";
    FailureSettles 76 "failure-settles" DebounceHandle DebounceFires none 500 "a plausible slip" "B1"
        "A run whose callback failed is told to the server as one that went well.";
    OwnArguments 77 "own-arguments" DebounceHandle DebounceFires none 500 "a plausible slip" "B3"
        "A callback is given the arguments of the call that it was given with, not the latest.";
    OneSleeper 78 "one-sleeper" DebounceHandle DebounceTruth none 500 "a plausible slip" "B7, M8"
        "Of the calls of a process that sleep, only the one that began to last is woken.";
    CountedTwice 79 "counted-twice" QuorumHandle Exclusion none 1000 "a plausible slip" "M1"
        "An answer counts for another server, too, that was asked the same and has not answered.";
    LateGrantKept 80 "late-grant-kept" QuorumHandle Liveness none 500 "a plausible slip" "M7, M8"
        "Servers that had not answered when a quorum refused are not told to give back what they grant.";
    OtherVoters 81 "other-voters" QuorumHandle Exclusion none 1000 "a plausible slip" "M1"
        "Each process makes its quorum of other three of the four servers.";
    UnmatchedReply 90 "unmatched-reply" LockHandle TruthfulOutcome Latency 500 "redis-py#2624" "M3"
        "A reply on a shared connection is taken for that to the oldest request that is still awaited.";
    UnreleasedToken 91 "unreleased-token" LockHandle TruthfulOutcome none 200 "a plausible slip" "M3, M7"
        "What was taken under a token that the caller brought along is not released.";
    EndlessRenewals 92 "endless-renewals" LockHandle Liveness none 200 "a plausible slip" "M8"
        "A lease is renewed for as long as the work takes, however few renewals are allowed.";
    HalfIsMajority 93 "half-is-majority" Quorum Exclusion Partition 1000 "a plausible slip" "M1"
        "Half of an even number of servers is taken for a majority.";
    RenewalForExtension 94 "renewal-for-extension" LockHandle Exclusion RequestLoss 1000 "a plausible slip" "M1"
        "An extension that overlaps a renewal takes the renewal's answer for its own.";
    UnconfirmedRenewal 95 "unconfirmed-renewal" LockAckedHandle Exclusion Failover 1000 "a plausible slip" "M1"
        "A renewal counts as soon as the server has it, whatever its replicas have.";
    OverdueLease 96 "overdue-lease" LockAckedHandle TruthfulOutcome ClientPause 1000 "a plausible slip" "M1, M3"
        "Whether a lease is over is asked before replicas are awaited, and not again once they have it.";
    UnclampedRun 97 "unclamped-run" Debounce DebounceMaxWait ServerClock 2000 "a plausible slip" "B5"
        "A run that was left behind holds all others up for as long as the server's clock was set back.";
    LeftToNextCall 98 "left-to-next-call" LockHandle Liveness none 500 "a plausible slip" "M7, M8"
        "What a dropped acquire is granted is not given back before the next call of its handle.";
    RunLeftToNextCall 99 "run-left-to-next-call" DebounceHandle DebounceMaxWait none 1000 "a plausible slip" "B5"
        "A run whose callback was dropped is not given back before the next call of its handle.";
}

impl Mutant {
    /// The planted bug with this name, or with this number.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let is_meant = |mutant: &&Self| mutant.id() == name || mutant.number().to_string() == name;
        Self::ALL.iter().find(is_meant).copied()
    }
}
