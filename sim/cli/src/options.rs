//! The values that options take.

use std::{num::NonZeroUsize, str::FromStr, time::Duration};

use clap::builder::{PossibleValuesParser, TypedValueParser};

use super::Failure;
use leasehold_sim::{
    catalog::Subject,
    decide::DecisionKind,
    explore::{Allowed, WORKLOAD},
    faults::Fault,
    guarantees::Guarantee,
};

/// Takes the name of a subject.
pub(super) fn subject() -> impl TypedValueParser<Value = Subject> {
    one_of(Subject::ALL.iter().map(|&subject| (subject.name(), subject)).collect())
}

/// Takes the name of a guarantee.
pub(super) fn guarantee() -> impl TypedValueParser<Value = Guarantee> {
    one_of(Guarantee::ALL.iter().map(|&guarantee| (guarantee.name(), guarantee)).collect())
}

/// The long help of an option that takes subjects.
pub(super) fn about_subjects() -> String {
    let subjects = Subject::ALL.iter().map(|subject| (subject.name(), subject.title()));
    listed("Only these subjects (repeat it, or separate them by commas):", subjects)
}

/// The long help of an option that takes guarantees.
pub(super) fn about_guarantees() -> String {
    let guarantees = Guarantee::ALL.iter().map(|guarantee| (guarantee.name(), guarantee.claim()));
    listed("Only these guarantees (repeat it, or separate them by commas):", guarantees)
}

/// The long help of an option that takes faults.
pub(super) fn about_faults() -> String {
    let faults = Fault::ALL.iter().map(|fault| (fault.name(), fault.cause()));
    let faults = std::iter::once(("none", "Nothing goes wrong.")).chain(faults);
    listed("Only these faults (repeat it, or separate them by commas):", faults)
}

fn listed(head: &str, names: impl Iterator<Item = (&'static str, &'static str)>) -> String {
    names.fold(head.to_owned(), |text, (name, what)| text + "\n  " + name + ": " + what)
}

/// A fault, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Disturbance(pub(super) Option<Fault>);

impl Disturbance {
    /// Every column of the matrix.
    pub(super) fn all() -> Vec<Self> {
        let faults = Fault::ALL.iter().map(|&fault| Self(Some(fault)));
        std::iter::once(Self(None)).chain(faults).collect()
    }
}

/// Takes the name of a fault, or `none`.
pub(super) fn disturbance() -> impl TypedValueParser<Value = Disturbance> {
    let all = Disturbance::all().into_iter();
    one_of(
        all.map(|Disturbance(fault)| (fault.map_or("none", Fault::name), Disturbance(fault)))
            .collect(),
    )
}

/// Takes one of these names, and suggests the nearest for any other.
fn one_of<T: Copy + Send + Sync + 'static>(
    known: Vec<(&'static str, T)>,
) -> impl TypedValueParser<Value = T> {
    let names: Vec<&'static str> = known.iter().map(|(name, _)| *name).collect();
    PossibleValuesParser::new(names).try_map(move |name| {
        let found = known.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| *value).ok_or("not a known name")
    })
}

/// Those of `all` that are wanted, in their own order; all if nothing is said.
pub(super) fn wanted<T: Copy + PartialEq>(all: &[T], chosen: &[T]) -> Vec<T> {
    let keep = |item: &&T| chosen.is_empty() || chosen.contains(item);
    all.iter().filter(keep).copied().collect()
}

/// A part of a campaign: number `number`, from 1, of `of`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shard {
    pub(super) number: u64,
    pub(super) of: u64,
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let form = "write K/N: this is part K, from 1, of N parts, as in 2/8";
        let (number, of) = text.split_once('/').ok_or(form)?;
        let number = number.parse().map_err(|_| form)?;
        let of = of.parse().map_err(|_| form)?;
        match number {
            _ if of == 0 => Err("there must be at least one part, as in 1/1".into()),
            1.. if number <= of => Ok(Self { number, of }),
            _ => Err(format!("part {number} of {of} does not exist: parts are 1 to {of}")),
        }
    }
}

/// How often something may be decided other than the calmest, and as what: `NAME:TIMES:CHOICES`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Allowance {
    name: String,
    pub(super) kind: DecisionKind,
    pub(super) allowed: Allowed,
}

impl Allowance {
    /// The fault that it is about, if it is about one.
    pub(super) fn fault(&self) -> Option<Fault> {
        Fault::ALL.iter().copied().find(|fault| fault.kind() == self.kind)
    }

    /// The refusal of an allowance in the wrong place.
    pub(super) fn unknown(&self) -> Failure {
        let place = if self.kind.is_workload() { "--workload" } else { "--fault" };
        Failure::Use(format!("give {:?} with {place}", self.name))
    }
}

impl FromStr for Allowance {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let form = "write NAME, NAME:TIMES or NAME:TIMES:CHOICES, as in duplicate:1:3+5";
        let mut parts = text.split(':');
        let name = parts.next().unwrap_or_default();
        let faults = Fault::ALL.iter().map(|fault| (fault.name(), fault.kind()));
        let kind = faults.chain(WORKLOAD).find(|(known, _)| *known == name);
        let (_, kind) = kind.ok_or_else(|| {
            format!("nothing that may be decided is called {name:?}: name a fault, or idle, behaviour, jitter or order")
        })?;
        let times = parts.next().map_or(Ok(1), str::parse).map_err(|_| form)?;
        let choices = parts.next().map_or(Ok(Vec::new()), |choices| {
            choices.split('+').map(str::parse).collect::<Result<_, _>>()
        });
        let choices = choices.map_err(|_| form)?;
        if parts.next().is_some() {
            return Err(form.into());
        }
        Ok(Self { name: name.into(), kind, allowed: Allowed { times, choices } })
    }
}

/// Takes a size such as `512MiB` or `4GiB`.
pub(super) fn size(text: &str) -> Result<u64, String> {
    let units = [("KiB", 10), ("MiB", 20), ("GiB", 30)];
    let found = units.iter().find_map(|(unit, shift)| Some((text.strip_suffix(unit)?, *shift)));
    let form = "write it like 512MiB or 4GiB";
    let (number, shift) = found.ok_or(form)?;
    let number: u64 = number.trim().parse().map_err(|_| form)?;
    number.checked_mul(1 << shift).filter(|&size| size > 0).ok_or_else(|| form.into())
}

/// So many threads, or one a core.
pub(super) fn pool(jobs: Option<NonZeroUsize>) -> Result<rayon::ThreadPool, Failure> {
    rayon::ThreadPoolBuilder::new()
        .num_threads(jobs.map_or(0, NonZeroUsize::get))
        .build()
        .map_err(|error| Failure::Use(format!("cannot start the threads: {error}")))
}

/// Takes a length of time such as `60s`, `10m` or `1h 30m`; not zero.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(Duration::ZERO) => Err("give it some time, as in 60s".into()),
        Ok(time) if time > Duration::from_secs(365 * 24 * 3600) => {
            Err("that is longer than a year".into())
        }
        Ok(time) => Ok(time),
        Err(error) => Err(format!("{error}: write it like 60s, 10m or 1h 30m")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shard_is_one_of_those_that_exist() {
        assert_eq!("2/8".parse(), Ok(Shard { number: 2, of: 8 }));
        for wrong in ["", "2", "0/8", "9/8", "1/0", "a/b", "1/2/3", "-1/2"] {
            assert!(wrong.parse::<Shard>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_allowance_has_a_name_a_number_and_choices() {
        let allowance: Allowance = "duplicate:2:3+5".parse().unwrap();
        assert_eq!(allowance.kind, DecisionKind::Duplicate);
        assert_eq!(allowance.allowed, Allowed { times: 2, choices: vec![3, 5] });
        let once: Allowance = "behaviour".parse().unwrap();
        assert_eq!((once.kind, once.allowed.times), (DecisionKind::Behaviour, 1));
        for wrong in ["", "bad-luck", "hang:x", "hang:1:", "hang:1:2:3", "hang:-1", "hang:300"] {
            assert!(wrong.parse::<Allowance>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_size_has_a_unit() {
        assert_eq!(size("3MiB"), Ok(3 << 20));
        for wrong in ["", "3", "0GiB", "GiB", "3GB", "99999999999GiB"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_time_is_written_for_people() {
        assert_eq!(duration("60s"), Ok(Duration::from_secs(60)));
        assert_eq!(duration("1h 30m"), Ok(Duration::from_secs(5400)));
        for wrong in ["", "0s", "60", "soon", "9000000d"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_wanted_keep_their_order() {
        assert_eq!(wanted(&[1, 2, 3], &[]), [1, 2, 3]);
        assert_eq!(wanted(&[1, 2, 3], &[3, 1, 3]), [1, 3]);
    }
}
