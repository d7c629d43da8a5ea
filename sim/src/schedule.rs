//! A schedule as a word that fits on a command line.

use std::fmt;

use crate::{
    catalog::{CellName, Guarantee, Subject},
    decide::{
        Decisions, Fault, FaultSet,
        token::{TokenError, open, push_decisions, push_number, seal, take_decisions, take_number},
    },
    systems::Plan,
    world::Scale,
};

/// What every such word begins with.
const PREFIX: &str = "lh1_";

/// What the word of a run of a `Cluster` begins with.
const OF_A_CLUSTER: &str = "lc1_";

/// Changes with the simulated world: a word from another one would tell another story.
const WORLD: u8 = 2;

/// As [`WORLD`], for a word that names the size of its cluster.
const SCALED: u8 = WORLD | 0x80;

/// As [`SCALED`], of a cluster in which four servers vote.
const OF_FOUR: u8 = WORLD | 0xc0;

/// One schedule of one cell.
///
/// ```
/// use leasehold_sim::{catalog::CellName, decide::Decisions, schedule::Schedule};
/// use leasehold_sim::{catalog::Subject, guarantees::Guarantee};
///
/// let cell = CellName { subject: Subject::Lock, guarantee: Guarantee::Exclusion, fault: None };
/// let schedule = Schedule::of(cell, Decisions::new());
/// let word = schedule.to_string();
/// assert_eq!(word.parse::<Schedule>()?, schedule);
/// # Ok::<(), leasehold_sim::schedule::ScheduleError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// Which cell it is about.
    pub cell: CellName,
    /// The size of the cluster, if it is not that of a campaign.
    pub scale: Option<Scale>,
    /// The decisions that are not the calmest.
    pub decisions: Decisions,
}

impl Schedule {
    /// One of a campaign.
    #[must_use]
    pub fn of(cell: CellName, decisions: Decisions) -> Self {
        Self { cell, scale: None, decisions }
    }

    /// The plan of its run.
    #[must_use]
    pub fn plan(&self) -> Plan {
        match self.scale {
            None => self.cell.plan(),
            Some(scale) => scale.of_plan(self.cell.plan()),
        }
    }
}

/// Why a word is not a schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ScheduleError {
    /// It does not look like one at all.
    NotASchedule,
    /// It is the word of a run of a `Cluster`, whose code is elsewhere.
    OfACluster,
    /// It was damaged or cut off on the way.
    Damaged,
    /// It was made by a version whose world is another one.
    OtherVersion,
}

impl fmt::Display for ScheduleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotASchedule => {
                "this is not a schedule: copy the whole word that `leasehold check` prints after \
                 `leasehold replay`, which begins with lh1_"
            }
            Self::OfACluster => {
                "this is the word of a run of your own code in a `Cluster`: in the test that has \
                 it, write `.replay(\"lc1_…\")` in place of `.check(…)`, and run the test"
            }
            Self::Damaged => "this schedule is damaged or cut off: copy the whole word again",
            Self::OtherVersion => {
                "this schedule is of another version of leasehold: replay it with that version, or \
                 find it again with `leasehold check`"
            }
        })
    }
}

impl std::error::Error for ScheduleError {}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let CellName { subject, guarantee, fault } = self.cell;
        let fault = fault.map_or(0, |fault| fault as u8 + 1);
        let world = match self.scale {
            None => WORLD,
            Some(Scale { servers: 3, .. }) => SCALED,
            Some(_) => OF_FOUR,
        };
        let mut bytes = vec![world, subject as u8, guarantee as u8, fault];
        if let Some(scale) = self.scale {
            let Scale { clients, calls, faults_end_ms, end_ms, faults, servers: _ } = scale;
            for number in [clients.into(), calls, faults_end_ms, end_ms, faults.bits()] {
                push_number(&mut bytes, number);
            }
        }
        push_decisions(&mut bytes, &self.decisions);
        f.write_str(&seal(PREFIX, bytes))
    }
}

impl std::str::FromStr for Schedule {
    type Err = ScheduleError;

    fn from_str(word: &str) -> Result<Self, ScheduleError> {
        let bytes = open(PREFIX, word).map_err(|error| match error {
            TokenError::NotAToken if word.starts_with(OF_A_CLUSTER) => ScheduleError::OfACluster,
            TokenError::NotAToken => ScheduleError::NotASchedule,
            TokenError::Damaged => ScheduleError::Damaged,
        })?;
        match &bytes[..] {
            [world @ (WORLD | SCALED | OF_FOUR), rest @ ..] => {
                let servers = match *world {
                    WORLD => None,
                    SCALED => Some(3),
                    _ => Some(4),
                };
                parse(rest, servers).ok_or(ScheduleError::OtherVersion)
            }
            _ => Err(ScheduleError::OtherVersion),
        }
    }
}

/// With so many servers that vote, if the word names the size of its cluster.
fn parse(bytes: &[u8], servers: Option<u8>) -> Option<Schedule> {
    let (&[subject, guarantee, fault], mut rest) = bytes.split_first_chunk::<3>()?;
    let cell = CellName {
        subject: *Subject::ALL.iter().find(|known| **known as u8 == subject)?,
        guarantee: *Guarantee::ALL.get(usize::from(guarantee))?,
        fault: match fault.checked_sub(1) {
            None => None,
            Some(number) => Some(*Fault::ALL.get(usize::from(number))?),
        },
    };
    let scale = match servers {
        Some(servers) => Some(take_scale(&mut rest, servers)?),
        None => None,
    };
    let decisions = take_decisions(rest)?;
    Some(Schedule { cell, scale, decisions })
}

fn take_scale(bytes: &mut &[u8], servers: u8) -> Option<Scale> {
    let scale = Scale {
        clients: u8::try_from(take_number(bytes)?).ok()?,
        calls: take_number(bytes)?,
        faults_end_ms: take_number(bytes)?,
        end_ms: take_number(bytes)?,
        faults: FaultSet::from_bits(take_number(bytes)?)?,
        servers,
    };
    scale.is_possible().then_some(scale)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::decide::{Address, DecisionKind};

    fn schedules() -> impl Strategy<Value = Schedule> {
        let address = (0..DecisionKind::ALL.len(), any::<u8>(), any::<u32>());
        let decisions = proptest::collection::btree_map(address, 1u32.., 0..20);
        let faults = proptest::option::of(0..Fault::ALL.len());
        let scale = (1..=8u8, 3..=4u8, any::<u32>(), any::<u16>(), any::<u16>()).prop_map(
            |(clients, servers, calls, faults_end, more)| Scale {
                clients,
                servers,
                calls,
                faults_end_ms: faults_end.into(),
                end_ms: u32::from(faults_end) + u32::from(more),
                faults: Fault::ALL
                    .iter()
                    .copied()
                    .filter(|fault| calls >> *fault as u8 & 1 == 1)
                    .collect(),
            },
        );
        let scale = proptest::option::of(scale);
        (0..Subject::ALL.len(), 0..Guarantee::ALL.len(), faults, scale, decisions).prop_map(
            |(subject, guarantee, fault, scale, decisions)| Schedule {
                scale,
                cell: CellName {
                    subject: Subject::ALL[subject],
                    guarantee: Guarantee::ALL[guarantee],
                    fault: fault.map(|fault| Fault::ALL[fault]),
                },
                decisions: decisions
                    .into_iter()
                    .map(|((kind, actor, occurrence), choice)| {
                        (Address { kind: DecisionKind::ALL[kind], actor, occurrence }, choice)
                    })
                    .collect(),
            },
        )
    }

    proptest! {
        #[test]
        fn a_schedule_survives_the_command_line(schedule in schedules()) {
            prop_assert_eq!(schedule.to_string().parse(), Ok(schedule));
        }

        #[test]
        fn a_damaged_word_is_refused(schedule in schedules(), place in any::<prop::sample::Index>()) {
            let word = schedule.to_string();
            let cut = PREFIX.len() + place.index(word.len() - PREFIX.len());
            prop_assert_eq!(word[..cut].parse::<Schedule>(), Err(ScheduleError::Damaged));
        }
    }

    #[test]
    fn another_word_is_refused() {
        assert_eq!("hello".parse::<Schedule>(), Err(ScheduleError::NotASchedule));
        let word = seal(PREFIX, vec![WORLD + 1, 0, 0, 0]);
        assert_eq!(word.parse::<Schedule>(), Err(ScheduleError::OtherVersion));
    }
}
