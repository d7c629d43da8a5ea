//! What is searched, as it is written in `sim/cli/models.toml`.

use std::{collections::BTreeMap, fmt};

use serde::Deserialize;

use super::open_choices::OpenChoices;
use crate::{
    catalog::{CellName, Guarantee, Subject},
    decide::{DecisionKind, Fault, FaultSet},
    schedule::Schedule,
    systems::Plan,
    words::counted,
    world::Scale,
};

/// How often something may be decided other than the calmest, and as what.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Allowed {
    /// How often in one run.
    pub times: u8,
    /// Which choices, by number from 1; all if none is named. For those that stand for a length of
    /// time, a few that make a difference are enough: shorter and longer than a time-out or a lease.
    #[serde(default)]
    pub choices: Vec<u32>,
}

/// A small cluster, and all that may be decided in it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Written")]
pub struct Bounds {
    /// The algorithm.
    pub subject: Subject,
    /// The promises that are judged, all of one workload.
    pub guarantees: Vec<Guarantee>,
    /// The cluster.
    pub scale: Scale,
    /// How many decisions in one run may be other than the calmest.
    pub decisions: u32,
    /// Which.
    pub allowed: BTreeMap<DecisionKind, Allowed>,
}

/// Why bounds make no sense.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BoundsError {
    /// No subject, guarantee, fault or part of the workload has this name.
    UnknownName(String),
    /// There are no guarantees, or the subject has not to do with all of them.
    Guarantees,
    /// The subject is made of futures, which can be neither copied nor compared.
    Futures,
    /// The cluster has no client or more than eight, not three or, of a quorum, four servers, or ends
    /// before its faults do.
    Scale,
    /// A choice of 0 is the calmest, which needs no allowance.
    CalmChoice,
    /// A pair of faults stands for each two of them, of which a campaign draws one.
    Pair,
}

impl fmt::Display for BoundsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownName(name) => write!(
                f,
                "nothing is called {name:?}: `leasehold check --help` lists subjects, guarantees \
                 and faults; parts of the workload are idle, behaviour, jitter and order"
            ),
            Self::Guarantees => {
                f.write_str("name guarantees that the subject has to do with, all of one workload")
            }
            Self::Futures => f.write_str(
                "the clients of lock-handle, lock-acked-handle, quorum-handle and debounce-handle \
                 run futures, which cannot be searched: explore lock, lock-acked, quorum and \
                 debounce, the machines that they drive",
            ),
            Self::Scale => f.write_str(
                "clients must be 1 to 8, servers 3 or, of a quorum, 4, and faults-end-ms at most end-ms",
            ),
            Self::CalmChoice => f.write_str("choices are numbered from 1: 0 is always allowed"),
            Self::Pair => f.write_str(
                "network-pair is drawn for each schedule of a campaign: allow two faults themselves",
            ),
        }
    }
}

impl std::error::Error for BoundsError {}

/// Bounds in words.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Written {
    subject: String,
    guarantees: Vec<String>,
    clients: u8,
    #[serde(default = "three")]
    servers: u8,
    #[serde(default = "without_end")]
    calls: u32,
    faults_end_ms: u32,
    end_ms: u32,
    decisions: u32,
    #[serde(default)]
    faults: BTreeMap<String, Allowed>,
    #[serde(default)]
    workload: BTreeMap<String, Allowed>,
}

fn three() -> u8 {
    3
}

fn without_end() -> u32 {
    u32::MAX
}

/// The decisions that are no faults, by name: what the clients do, and when.
pub const WORKLOAD: [(&str, DecisionKind); 4] = [
    ("idle", DecisionKind::Idle),
    ("jitter", DecisionKind::Jitter),
    ("order", DecisionKind::Order),
    ("behaviour", DecisionKind::Behaviour),
];

impl TryFrom<Written> for Bounds {
    type Error = BoundsError;

    fn try_from(written: Written) -> Result<Self, BoundsError> {
        let subjects = Subject::ALL.iter().map(|subject| (subject.name(), *subject));
        let guarantees = |name: &String| {
            named(Guarantee::ALL.iter().map(|guarantee| (guarantee.name(), *guarantee)), name)
        };
        let mut allowed = BTreeMap::new();
        let mut faults = FaultSet::NONE;
        for (name, allowance) in written.faults {
            let fault = named(Fault::ALL.iter().map(|fault| (fault.name(), *fault)), &name)?;
            faults = faults.with(fault);
            allowed.insert(fault.kind(), allowance);
        }
        for (name, allowance) in written.workload {
            allowed.insert(named(WORKLOAD.into_iter(), &name)?, allowance);
        }
        let bounds = Self {
            subject: named(subjects, &written.subject)?,
            guarantees: written.guarantees.iter().map(guarantees).collect::<Result<_, _>>()?,
            scale: Scale {
                clients: written.clients,
                calls: written.calls,
                faults_end_ms: written.faults_end_ms,
                end_ms: written.end_ms,
                faults,
                servers: written.servers,
            },
            decisions: written.decisions,
            allowed,
        };
        bounds.checked()
    }
}

fn named<T>(
    mut known: impl Iterator<Item = (&'static str, T)>,
    name: &str,
) -> Result<T, BoundsError> {
    let found = known.find(|(known, _)| *known == name).map(|(_, item)| item);
    found.ok_or_else(|| BoundsError::UnknownName(name.into()))
}

impl Bounds {
    /// These bounds, if they make sense.
    ///
    /// # Errors
    ///
    /// What is wrong with them.
    pub fn checked(self) -> Result<Self, BoundsError> {
        let workload = self.guarantees.first().map(|guarantee| guarantee.workload());
        let workload = workload.ok_or(BoundsError::Guarantees)?;
        if !self.subject.workloads().contains(&workload)
            || self.guarantees.iter().any(|guarantee| guarantee.workload() != workload)
        {
            return Err(BoundsError::Guarantees);
        }
        if self.subject.runs_handles() {
            return Err(BoundsError::Futures);
        }
        let is_quorum = self.subject == Subject::Quorum;
        if !self.scale.is_possible() || (self.scale.servers != 3 && !is_quorum) {
            return Err(BoundsError::Scale);
        }
        if self.allowed.values().any(|allowed| allowed.choices.contains(&0)) {
            return Err(BoundsError::CalmChoice);
        }
        if !self.scale.faults.iter().all(Fault::is_single) {
            return Err(BoundsError::Pair);
        }
        Ok(self)
    }

    /// The cell that a schedule which breaks `guarantee` is about.
    pub(super) fn cell(&self, guarantee: Guarantee) -> CellName {
        let mut faults = self.scale.faults.iter();
        let fault = match (faults.next(), faults.next()) {
            (Some(fault), None) => Some(fault),
            _ => None,
        };
        CellName { subject: self.subject, guarantee, fault }
    }

    /// A schedule within these bounds.
    pub(super) fn schedule(
        &self,
        guarantee: Guarantee,
        decisions: crate::decide::Decisions,
    ) -> Schedule {
        Schedule { cell: self.cell(guarantee), scale: Some(self.scale), decisions }
    }

    /// How many decisions a run can have at the most.
    #[must_use]
    pub fn most_decisions(&self) -> u32 {
        let most = self.allowed.values().map(|allowed| u32::from(allowed.times)).sum();
        self.decisions.min(most)
    }

    /// The plan of its runs.
    #[must_use]
    pub fn plan(&self) -> Plan {
        let workload = self.guarantees[0].workload();
        self.scale.of_plan(self.subject.plan(workload, self.scale.faults))
    }

    pub(super) fn open_choices(&self) -> [OpenChoices; DecisionKind::ALL.len()] {
        DecisionKind::ALL.map(|kind| match self.allowed.get(&kind) {
            Some(allowed) if allowed.times > 0 => OpenChoices::of(allowed.times, &allowed.choices),
            _ => OpenChoices::CLOSED,
        })
    }
}

impl fmt::Display for Bounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let most = counted(self.most_decisions() as usize, "decision");
        write!(f, "{}; at most {most}", self.scale)?;
        for (index, (&kind, allowed)) in self.allowed.iter().enumerate() {
            let name = crate::story::kind_name(kind);
            let times = counted(allowed.times.into(), "time");
            write!(f, "{} {name} {times}", if index == 0 { ":" } else { "," })?;
            if !allowed.choices.is_empty() {
                let choices: Vec<_> = allowed.choices.iter().map(u32::to_string).collect();
                write!(f, " (choice {})", choices.join(" or "))?;
            }
        }
        Ok(())
    }
}
