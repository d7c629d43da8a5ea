//! What is run for each subject: the world that it lives in, and what its clients do there.

use leasehold_fake_redis::Engine;

use super::{Plan, Scenario};
use crate::{
    catalog::{CellName, Subject, Workload},
    decide::{Fault, FaultSet},
    world::{Promotion, Scale, Settings, Topology},
};

impl Subject {
    /// Whether `fault` can hit it at all.
    #[must_use]
    pub fn can_suffer(self, fault: Fault) -> bool {
        fault != Fault::Failover
            || matches!(self.topology(), Topology::Acknowledged(_) | Topology::Replicated)
    }

    fn topology(self) -> Topology {
        match self {
            Self::Lock | Self::LockHandle | Self::LockLean => Topology::Single,
            Self::LockAcked | Self::LockAckedHandle => {
                Topology::Acknowledged(Promotion::MostAdvanced)
            }
            Self::LockAckedAny => Topology::Acknowledged(Promotion::Any),
            Self::Quorum | Self::QuorumHandle => Topology::Independent,
            Self::Debounce | Self::DebounceHandle | Self::LockReplicated | Self::Upstream => {
                Topology::Replicated
            }
        }
    }

    /// A small cluster in which these faults may occur: three clients, three seconds of faults,
    /// then five in which everything has healed.
    #[must_use]
    pub fn plan(self, workload: Workload, faults: FaultSet) -> Plan {
        let mut plan = Plan {
            settings: Settings::new(self.topology(), faults),
            scenario: scenario(self, workload),
        };
        if self.runs_handles() && workload == Workload::Lock {
            (plan.scenario.waits, plan.scenario.behaviours) = (1_500_000, 9);
        }
        if matches!(self, Self::Quorum | Self::QuorumHandle) {
            // The fourth votes in every other schedule.
            plan.settings.servers = 4;
        }
        if workload == Workload::Debounce {
            let Plan { settings, scenario } = &mut plan;
            settings.end = 8_500_000;
            (scenario.call_timeout, scenario.behaviours) = (200_000, 3);
            (scenario.idle, scenario.idle_step) = (120_000, 40_000);
            if self == Self::Upstream {
                // No two of its calls come within a millisecond, where any order is as good.
                (settings.jitter_choices, scenario.idle_choices) = (1, 6);
            } else {
                // Three that call and one that sweeps.
                (settings.clients, scenario.leaves) = (4, true);
                (scenario.idle, scenario.idle_step, scenario.idle_choices) = (20_000, 20_000, 16);
            }
        }
        if self == Self::Debounce {
            plan.scenario.behaviours = 4;
        }
        if self == Self::DebounceHandle {
            plan.scenario.behaviours = 10;
        }
        if self == Self::LockLean {
            // The lock is free for longer, so that what comes late may take it.
            (plan.scenario.idle_step, plan.scenario.idle_choices) = (40_000, 24);
        }
        plan
    }
}

impl CellName {
    /// The plan of the runs that are about this cell.
    #[must_use]
    pub fn plan(self) -> Plan {
        let faults = self.fault.map_or(FaultSet::NONE, FaultSet::only);
        self.subject.plan(self.guarantee.workload(), faults)
    }
}

impl Scale {
    /// `plan` in this size.
    #[must_use]
    pub(crate) fn of_plan(self, plan: Plan) -> Plan {
        let Plan { settings, scenario } = plan;
        // Whether there is a fourth to vote would be one decision more in each search.
        let servers = settings.servers.min(self.servers);
        let scenario = Scenario { calls: self.calls, voters: Some(servers), ..scenario };
        let settings = Settings { servers, ..settings };
        Plan { settings: self.applied(settings), scenario }
    }
}

/// The workload by which the simulator's speed is measured: one server, eight clients that contend
/// for one key, 60 seconds, no faults. Leases of 1 s are held for 50 ms; whoever does not get one
/// tries again after 100 ms, and idles for up to 100 ms after it had one. Messages take 1 to 20 ms
/// each way, to the microsecond.
#[must_use]
pub fn speed_plan() -> Plan {
    let Plan { settings, scenario } = Subject::Lock.plan(Workload::Lock, FaultSet::NONE);
    let settings = Settings {
        clients: 8,
        faults_end: 60_000_000,
        end: 60_000_000,
        latency: 1_000,
        jitter_step: 1,
        jitter_choices: 19_001,
        ties: false,
        ..settings
    };
    let scenario = Scenario {
        lease: 1_000_000,
        attempts: u32::MAX,
        delay: 100_000,
        delay_jitter: false,
        hold: 50_000,
        idle: 0,
        idle_step: 1,
        idle_choices: 100_001,
        behaviours: 1,
        acts: false,
        ..scenario
    };
    Plan { settings, scenario }
}

fn scenario(subject: Subject, workload: Workload) -> Scenario {
    Scenario {
        subject,
        workload,
        acknowledgements: 1,
        engine: Engine::Native,
        lease: 1_000_000,
        attempts: 3,
        voters: None,
        waits: 0,
        delay: 100_000,
        delay_jitter: true,
        call_timeout: 300_000,
        node_timeout: 100_000,
        hold: 150_000,
        run_lease: 800_000,
        idle: 150_000,
        idle_step: 10_000,
        idle_choices: 12,
        leaves: false,
        cancels: false,
        behaviours: 4,
        calls: u32::MAX,
        acts: true,
        mutant: None,
    }
}
