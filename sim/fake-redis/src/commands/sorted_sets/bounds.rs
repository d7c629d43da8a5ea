//! The ends of ranges of scores and of names.

use std::ops::Bound;

use bytes::Bytes;

use super::{Refusal, Score, SortedSet};

/// Which members, by what they are chosen.
#[derive(Clone, Debug)]
pub(super) enum Range {
    Ranks(i64, i64),
    Scores(Bound<Score>, Bound<Score>),
    Names(Name, Name),
}

/// An end of a range of names.
#[derive(Clone, Debug)]
pub(super) enum Name {
    Least,
    Greatest,
    At(Bytes),
    Beside(Bytes),
}

impl Range {
    pub(super) fn scores(min: &[u8], max: &[u8]) -> Result<Self, Refusal> {
        Ok(Self::Scores(score_bound(min)?, score_bound(max)?))
    }

    pub(super) fn names(min: &[u8], max: &[u8]) -> Result<Self, Refusal> {
        Ok(Self::Names(Name::parse(min)?, Name::parse(max)?))
    }

    /// The members of the range, lowest first, or highest if `reversed`; ranks count from there.
    pub(super) fn of(
        &self,
        set: &SortedSet,
        reversed: bool,
        offset: i64,
        limit: Option<usize>,
    ) -> Vec<(Score, Bytes)> {
        let limit = limit.unwrap_or(usize::MAX);
        let copy = |(score, name): (Score, &Bytes)| (score, name.clone());
        let skip = match (self, usize::try_from(offset)) {
            (Self::Ranks(..), _) => 0,
            (_, Ok(offset)) => offset,
            (_, Err(_)) => return Vec::new(),
        };
        match self {
            Self::Ranks(start, stop) => {
                let places = super::super::ranges::indexes(*start, *stop, set.len());
                let (skip, take) = (skip + places.start, places.len());
                if reversed {
                    set.iter().rev().skip(skip).take(take).map(copy).collect()
                } else {
                    set.iter().skip(skip).take(take).map(copy).collect()
                }
            }
            Self::Scores(min, max) => {
                let found = set.between(*min, *max);
                if reversed {
                    found.rev().skip(skip).take(limit).map(copy).collect()
                } else {
                    found.skip(skip).take(limit).map(copy).collect()
                }
            }
            Self::Names(min, max) if !may_hold(set, min, max) => Vec::new(),
            Self::Names(min, max) => {
                let (from, to) = (|name: &_| min.allows_from(name), |name: &_| max.allows_to(name));
                if reversed {
                    run(set.iter().rev(), to, from, skip).take(limit).map(copy).collect()
                } else {
                    run(set.iter(), from, to, skip).take(limit).map(copy).collect()
                }
            }
        }
    }
}

/// Whether a set may have members in a range of names, as Redis decides it: by its ends alone.
fn may_hold(set: &SortedSet, min: &Name, max: &Name) -> bool {
    let ends = set.iter().next().zip(set.iter().next_back());
    !min.is_behind(max)
        && ends.is_some_and(|((_, first), (_, last))| min.allows_from(last) && max.allows_to(first))
}

/// What follows one another within a range of names. If scores differ, so that names are in no
/// order, it ends with the first name beyond the range, as in Redis.
fn run<'a>(
    members: impl Iterator<Item = (Score, &'a Bytes)>,
    begins: impl Fn(&Bytes) -> bool,
    goes_on: impl Fn(&Bytes) -> bool,
    skip: usize,
) -> impl Iterator<Item = (Score, &'a Bytes)> {
    let mut members = members.skip_while(move |(_, name)| !begins(name)).peekable();
    let empty = !members.peek().is_some_and(|(_, name)| goes_on(name));
    members.skip(skip).take_while(move |(_, name)| !empty && goes_on(name))
}

fn score_bound(text: &[u8]) -> Result<Bound<Score>, Refusal> {
    let refused = || Refusal("ERR min or max is not a float".into());
    let number = |text: &[u8]| lenient(text).and_then(Score::new).ok_or_else(refused);
    Ok(match text.strip_prefix(b"(") {
        Some(text) => Bound::Excluded(number(text)?),
        None => Bound::Included(number(text)?),
    })
}

/// A number as a bound is read: nothing at all is 0, and what is too large is infinite.
fn lenient(text: &[u8]) -> Option<f64> {
    let text = std::str::from_utf8(text).ok()?;
    if text.is_empty() { Some(0.0) } else { text.trim_ascii_start().parse().ok() }
}

impl Name {
    fn parse(text: &[u8]) -> Result<Self, Refusal> {
        match text {
            b"-" => Ok(Self::Least),
            b"+" => Ok(Self::Greatest),
            [b'[', name @ ..] => Ok(Self::At(Bytes::copy_from_slice(name))),
            [b'(', name @ ..] => Ok(Self::Beside(Bytes::copy_from_slice(name))),
            _ => Err(Refusal("ERR min or max not valid string range item".into())),
        }
    }

    /// Whether nothing can be between this lower end and that upper one.
    fn is_behind(&self, max: &Self) -> bool {
        match (self, max) {
            (Self::At(min), Self::At(max)) => min > max,
            (Self::At(min) | Self::Beside(min), Self::At(max) | Self::Beside(max)) => min >= max,
            (Self::Greatest, _) | (_, Self::Least) => true,
            (Self::Least, _) | (_, Self::Greatest) => false,
        }
    }

    fn allows_from(&self, name: &Bytes) -> bool {
        match self {
            Self::Least => true,
            Self::Greatest => false,
            Self::At(min) => name >= min,
            Self::Beside(min) => name > min,
        }
    }

    fn allows_to(&self, name: &Bytes) -> bool {
        match self {
            Self::Least => false,
            Self::Greatest => true,
            Self::At(max) => name <= max,
            Self::Beside(max) => name < max,
        }
    }
}
