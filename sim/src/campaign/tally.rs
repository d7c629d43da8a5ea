//! What many schedules of one row said.

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use super::{REMEMBERED, Settings, states::StateSample};
use crate::{
    catalog::{Guarantee, Subject, Workload},
    decide::Fault,
    systems::Run,
};
/// A subject at work under a fault.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    pub(super) subject: Subject,
    pub(super) workload: Workload,
    pub(super) fault: Option<Fault>,
}

pub(super) fn rows(settings: &Settings) -> Vec<Row> {
    let mut rows = Vec::new();
    for &subject in &settings.subjects {
        for &workload in subject.workloads() {
            let wanted =
                settings.guarantees.iter().any(|guarantee| guarantee.workload() == workload);
            for &fault in settings.faults.iter().filter(|_| wanted) {
                if fault.is_none_or(|fault| subject.can_suffer(fault)) {
                    rows.push(Row { subject, workload, fault });
                }
            }
        }
    }
    rows
}

/// What the schedules of one row said.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    /// All schedules.
    pub(super) run: u64,
    /// Those in which the fault took effect.
    pub(super) schedules: u64,
    pub(super) effects: u64,
    pub(super) exercised: [u64; Guarantee::ALL.len()],
    pub(super) broken: [u64; Guarantee::ALL.len()],
    /// The first schedules in which each guarantee broke.
    pub(super) first: [Vec<u64>; Guarantee::ALL.len()],
    /// The states in which a sample of them was, with the thousand of schedules that was there
    /// first.
    situations: FxHashMap<u64, u64>,
}

impl Tally {
    pub(super) fn add(&mut self, more: Self) {
        for (situation, thousand) in more.situations {
            self.enter(situation, thousand);
        }
        self.run += more.run;
        self.schedules += more.schedules;
        self.effects += more.effects;
        for guarantee in 0..Guarantee::ALL.len() {
            self.exercised[guarantee] += more.exercised[guarantee];
            self.broken[guarantee] += more.broken[guarantee];
            let room = REMEMBERED - self.first[guarantee].len();
            self.first[guarantee].extend(more.first[guarantee].iter().take(room));
        }
    }

    pub(super) fn count(&mut self, row: Row, schedule: u64, run: &Run) {
        self.run += 1;
        let effects = row.fault.map_or(1, |fault| run.effects(fault));
        if effects == 0 {
            return;
        }
        self.schedules += 1;
        self.effects += u64::from(effects) * u64::from(row.fault.is_some());
        for &guarantee in Guarantee::ALL {
            let index = guarantee as usize;
            self.exercised[index] += u64::from(run.exercised(guarantee));
            if run.violation(guarantee).is_some() {
                self.broken[index] += 1;
                if self.first[index].len() < REMEMBERED {
                    self.first[index].push(schedule);
                }
            }
        }
    }

    /// Notes the states in which a schedule was.
    pub(super) fn sample_states(&mut self, schedule: u64, situations: StateSample) {
        for situation in situations.into_seen() {
            self.enter(situation, schedule / 1_000);
        }
    }

    fn enter(&mut self, situation: u64, thousand: u64) {
        let first = self.situations.entry(situation).or_insert(thousand);
        *first = thousand.min(*first);
    }
}

/// In how many states a sample of the schedules was: how much there may be left to see.
///
/// A state is here what an onlooker could say at one moment without a clock: who waits for what, who
/// believes to hold the lock, whose token is under the key, and what just happened.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateCoverage {
    /// Different states, summed over the subjects and faults.
    pub seen: u64,
    /// How many of them were new in the first thousand schedules of each subject under each fault,
    /// in the second and so on.
    pub new_per_thousand: Vec<u64>,
}

impl StateCoverage {
    pub(super) fn of(tallies: &[Tally]) -> Self {
        let mut new_per_thousand = Vec::new();
        for &thousand in tallies.iter().flat_map(|tally| tally.situations.values()) {
            let place = thousand as usize;
            if new_per_thousand.len() <= place {
                new_per_thousand.resize(place + 1, 0);
            }
            new_per_thousand[place] += 1;
        }
        Self { seen: new_per_thousand.iter().sum(), new_per_thousand }
    }

    /// Adds the states of other subjects.
    pub fn add(&mut self, more: &Self) {
        self.seen += more.seen;
        let places = self.new_per_thousand.len().max(more.new_per_thousand.len());
        self.new_per_thousand.resize(places, 0);
        for (sum, more) in self.new_per_thousand.iter_mut().zip(&more.new_per_thousand) {
            *sum += more;
        }
    }
}
