//! The values that options take.

use std::{str::FromStr, time::Duration};

use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::{faults::Fault, guarantees::Guarantee, subjects::Subject};

/// Takes the name of a subject.
pub(super) fn subject() -> impl TypedValueParser<Value = Subject> {
    one_of(Subject::ALL.iter().map(|&subject| (subject.name(), subject)).collect())
}

/// Takes the name of a guarantee.
pub(super) fn guarantee() -> impl TypedValueParser<Value = Guarantee> {
    one_of(Guarantee::ALL.iter().map(|&guarantee| (guarantee.name(), guarantee)).collect())
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
    one_of(all.map(|Disturbance(fault)| (fault.map_or("none", Fault::name), Disturbance(fault))).collect())
}

/// Takes one of these names, and suggests the nearest for any other.
fn one_of<T: Copy + Send + Sync + 'static>(
    known: Vec<(&'static str, T)>,
) -> impl TypedValueParser<Value = T>
where
    T: Clone,
{
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
