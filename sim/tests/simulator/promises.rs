//! What must hold under any mix of faults does: not one at a time, as in a campaign, but all at
//! once, by seeds and by decisions that no seed would make.

use leasehold_sim::{
    catalog::{Subject, Workload},
    decide::{Address, DecisionKind, Decisions},
    faults::{Fault, FaultSet},
    guarantees::Guarantee,
    systems::{Plan, Run},
};
use proptest::{collection::btree_map, prelude::*, sample::select};
use rayon::prelude::*;

/// How many schedules of each mix are drawn from a seed.
const SCHEDULES: u32 = 600;

/// All that can befall messages and clients, while the server does as it says. A server without
/// memory does not: what it refuses leaves no trace, so that a copy of it may be applied later.
const NETWORK_AND_CLIENTS: [Fault; 11] = [
    Fault::Latency,
    Fault::RequestLoss,
    Fault::ReplyLoss,
    Fault::Duplicate,
    Fault::Hang,
    Fault::Partition,
    Fault::ClientCrash,
    Fault::ClientPause,
    Fault::Cancellation,
    Fault::ClientClock,
    Fault::Resend,
];

/// Everything but [`Guarantee::Exclusion`], which no lease can promise to a client that pauses.
const LOCK: [Guarantee; 9] = [
    Guarantee::FencedExclusion,
    Guarantee::FenceOrder,
    Guarantee::Ownership,
    Guarantee::TruthfulOutcome,
    Guarantee::NoZombie,
    Guarantee::TimelyLoss,
    Guarantee::OrphanBound,
    Guarantee::Liveness,
    Guarantee::Idempotence,
];

/// What is left when acknowledged writes may be lost, which is said of [`Guarantee::NoZombie`]
/// and [`Guarantee::TruthfulOutcome`] too.
const LOCK_FAILED_OVER: [Guarantee; 7] = [
    Guarantee::FencedExclusion,
    Guarantee::FenceOrder,
    Guarantee::Ownership,
    Guarantee::TimelyLoss,
    Guarantee::OrphanBound,
    Guarantee::Liveness,
    Guarantee::Idempotence,
];

const DEBOUNCE: [Guarantee; 7] = [
    Guarantee::DebounceFires,
    Guarantee::DebounceSingleRun,
    Guarantee::DebounceLatestArgs,
    Guarantee::DebounceQuiet,
    Guarantee::DebounceMaxWait,
    Guarantee::DebounceExpiry,
    Guarantee::DebounceTruth,
];

/// A subject at work under many faults at once, and what it promises there.
struct Mix {
    plan: Plan,
    promised: &'static [Guarantee],
}

fn lock() -> Mix {
    Mix { plan: plan(Subject::Lock, Workload::Lock, &[]), promised: &LOCK }
}

fn lock_handle() -> Mix {
    Mix { plan: plan(Subject::LockHandle, Workload::Lock, &[]), promised: &LOCK }
}

fn lock_replicated() -> Mix {
    let plan = plan(Subject::LockReplicated, Workload::Lock, &[Fault::Failover]);
    Mix { plan, promised: &LOCK_FAILED_OVER }
}

fn lock_acked() -> Mix {
    let plan = plan(Subject::LockAcked, Workload::Lock, &[Fault::Failover]);
    Mix { plan, promised: &LOCK_FAILED_OVER }
}

fn lock_acked_handle() -> Mix {
    let plan = plan(Subject::LockAckedHandle, Workload::Lock, &[Fault::Failover]);
    Mix { plan, promised: &LOCK_FAILED_OVER }
}

/// What waiting for a majority of the copies is for, if no client stands still.
fn acked_exclusion(subject: Subject) -> Mix {
    let mut faults: FaultSet = NETWORK_AND_CLIENTS.into_iter().collect();
    faults = faults.with(Fault::Failover);
    faults = faults.iter().filter(|&fault| fault != Fault::ClientPause).collect();
    let plan = subject.plan(Workload::Lock, faults);
    Mix { plan, promised: &[Guarantee::Exclusion] }
}

fn quorum() -> Mix {
    Mix { plan: plan(Subject::Quorum, Workload::Lock, &[]), promised: &LOCK }
}

fn quorum_handle() -> Mix {
    Mix { plan: plan(Subject::QuorumHandle, Workload::Lock, &[]), promised: &LOCK }
}

fn debounce() -> Mix {
    Mix { plan: plan(Subject::Debounce, Workload::Debounce, &[]), promised: &DEBOUNCE }
}

fn debounce_handle() -> Mix {
    Mix { plan: plan(Subject::DebounceHandle, Workload::Debounce, &[]), promised: &DEBOUNCE }
}

fn plan(subject: Subject, workload: Workload, more: &[Fault]) -> Plan {
    let faults = NETWORK_AND_CLIENTS.iter().chain(more);
    subject.plan(workload, faults.fold(FaultSet::NONE, |faults, &fault| faults.with(fault)))
}

impl Mix {
    /// What was broken that is promised.
    fn broken(&self, run: &Run) -> Option<String> {
        let broken = |&guarantee: &Guarantee| {
            let violation = run.violation(guarantee)?;
            Some(format!("{}: {}", guarantee.name(), violation.text))
        };
        self.promised.iter().find_map(broken)
    }

    /// Maps with faults everywhere, with workloads of every kind. A choice too great for its address
    /// is taken as its greatest.
    fn decisions(&self) -> impl Strategy<Value = Decisions> + use<> {
        let faults = self.plan.settings.faults;
        let injects = |kind: &DecisionKind| {
            let fault = Fault::ALL.iter().find(|fault| fault.kind() == *kind);
            fault.is_none_or(|&fault| faults.contains(fault))
        };
        let kinds: Vec<DecisionKind> = DecisionKind::ALL.into_iter().filter(injects).collect();
        let clients = self.plan.settings.clients;
        // A client's writes travel on a wire of their own.
        let actors: Vec<u8> =
            (0..clients).chain((0..clients).map(|client| client | 0x80)).collect();
        // Nearly all that matters happens in the first steps of a client.
        let occurrence = prop_oneof![0..8u32, 0..30u32, 0..100u32];
        let address = (select(kinds), select(actors), occurrence)
            .prop_map(|(kind, actor, occurrence)| Address { kind, actor, occurrence });
        btree_map(address, 1..16u32, 0..60)
    }

    fn holds_in_seeded_storms(&self) {
        (0..u64::from(crate::effort::effort(SCHEDULES))).into_par_iter().for_each(|schedule| {
            let run = Run::seeded(self.plan.clone(), 1, schedule);
            assert_eq!(self.broken(&run), None, "in schedule {schedule}");
        });
    }
}

#[test]
fn the_lock_keeps_its_promises_in_a_storm_of_all_network_and_client_faults() {
    lock().holds_in_seeded_storms();
}

#[test]
fn the_handles_keep_their_promises_in_a_storm_of_all_network_and_client_faults() {
    lock_handle().holds_in_seeded_storms();
}

#[test]
fn the_replicated_lock_keeps_its_promises_in_a_storm_with_failovers() {
    lock_replicated().holds_in_seeded_storms();
}

#[test]
fn the_acknowledged_lock_keeps_its_promises_in_a_storm_with_failovers() {
    lock_acked().holds_in_seeded_storms();
}

#[test]
fn the_acknowledged_lock_excludes_in_a_storm_with_failovers() {
    acked_exclusion(Subject::LockAcked).holds_in_seeded_storms();
}

#[test]
fn the_acknowledged_handles_keep_their_promises_in_a_storm_with_failovers() {
    lock_acked_handle().holds_in_seeded_storms();
}

#[test]
fn the_acknowledged_handles_exclude_in_a_storm_with_failovers() {
    acked_exclusion(Subject::LockAckedHandle).holds_in_seeded_storms();
}

#[test]
fn the_quorum_keeps_its_promises_in_a_storm_of_all_network_and_client_faults() {
    quorum().holds_in_seeded_storms();
}

#[test]
fn the_debounce_keeps_its_promises_in_a_storm_of_all_network_and_client_faults() {
    debounce().holds_in_seeded_storms();
}

#[test]
fn the_handles_over_a_quorum_keep_their_promises_in_a_storm_of_all_network_and_client_faults() {
    quorum_handle().holds_in_seeded_storms();
}

#[test]
fn the_handle_of_a_debounce_keeps_its_promises_in_a_storm_of_all_network_and_client_faults() {
    debounce_handle().holds_in_seeded_storms();
}

/// The storms above are storms: nearly every fault of the mix takes effect in many of their schedules.
#[test]
fn many_faults_bite_in_one_storm() {
    let mixes = [
        lock(),
        lock_handle(),
        lock_replicated(),
        lock_acked(),
        lock_acked_handle(),
        quorum(),
        quorum_handle(),
        debounce(),
        debounce_handle(),
    ];
    for Mix { plan, .. } in mixes {
        let most = (0..100)
            .map(|schedule| {
                let run = Run::seeded(plan.clone(), 1, schedule);
                Fault::ALL.iter().filter(|&&fault| run.effects(fault) > 0).count()
            })
            .max();
        assert!(most >= Some(8), "at most {most:?} faults at once, {:?}", plan.scenario.subject);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: crate::effort::effort(SCHEDULES), failure_persistence: None, ..Default::default() })]

    #[test]
    fn the_lock_keeps_its_promises_whatever_is_decided(decisions in lock().decisions()) {
        let mix = lock();
        prop_assert_eq!(mix.broken(&Run::replayed(mix.plan.clone(), &decisions)), None);
    }

    #[test]
    fn the_replicated_lock_keeps_its_promises_whatever_is_decided(
        decisions in lock_replicated().decisions(),
    ) {
        let mix = lock_replicated();
        prop_assert_eq!(mix.broken(&Run::replayed(mix.plan.clone(), &decisions)), None);
    }

    #[test]
    fn the_debounce_keeps_its_promises_whatever_is_decided(decisions in debounce().decisions()) {
        let mix = debounce();
        prop_assert_eq!(mix.broken(&Run::replayed(mix.plan.clone(), &decisions)), None);
    }
}
