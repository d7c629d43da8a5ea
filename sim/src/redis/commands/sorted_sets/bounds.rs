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
        let Ok(offset) = usize::try_from(offset) else { return Vec::new() };
        let limit = limit.unwrap_or(usize::MAX);
        let copy = |(score, name): (Score, &Bytes)| (score, name.clone());
        match self {
            Self::Ranks(start, stop) => {
                let places = super::super::ranges::indexes(*start, *stop, set.len());
                let (skip, take) = (places.start, places.len());
                if reversed {
                    set.iter().rev().skip(skip).take(take).map(copy).collect()
                } else {
                    set.iter().skip(skip).take(take).map(copy).collect()
                }
            }
            Self::Scores(min, max) => {
                let found = set.between(*min, *max);
                if reversed {
                    found.rev().skip(offset).take(limit).map(copy).collect()
                } else {
                    found.skip(offset).take(limit).map(copy).collect()
                }
            }
            Self::Names(min, max) => {
                let found =
                    set.iter().filter(|(_, name)| min.allows_from(name) && max.allows_to(name));
                if reversed {
                    found.rev().skip(offset).take(limit).map(copy).collect()
                } else {
                    found.skip(offset).take(limit).map(copy).collect()
                }
            }
        }
    }
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
