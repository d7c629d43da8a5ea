//! A sorted set: members by score.

use std::{
    cmp::Ordering,
    collections::BTreeSet,
    hash::{BuildHasherDefault, Hash, Hasher},
    iter,
    ops::Bound,
};

use bytes::Bytes;
use hashbrown::HashMap;
use rustc_hash::FxHasher;

use super::log::{Log, Steps, Trace};

/// A member's score: never not-a-number. Keeps the sign of 0, though -0 and 0 are equal.
#[derive(Clone, Copy, Debug)]
pub struct Score(f64);

/// Members with scores, in the order of the scores, and of the bytes where those are equal. What is
/// kept of -0 is 0, as in a small sorted set of Redis.
#[derive(Clone, Debug, Default)]
pub struct SortedSet {
    scores: HashMap<Bytes, Score, BuildHasherDefault<FxHasher>>,
    ordered: BTreeSet<(Score, Bytes)>,
    trace: Trace,
}

/// What takes back one change of a sorted set: the score that a member had, if it was there.
type ScoreStep = (Option<Score>, Bytes);

/// How each is written.
const ABSENT: u8 = 0;
const SCORED: u8 = 1;

impl Score {
    /// `number` as a score; `None` if it is not a number.
    #[must_use]
    pub fn new(number: f64) -> Option<Self> {
        (!number.is_nan()).then_some(Self(number))
    }

    /// The least score above this one; `None` above infinity.
    fn next(self) -> Option<Self> {
        (self.0 < f64::INFINITY).then(|| Self(self.0.next_up()))
    }

    /// The number.
    #[must_use]
    pub fn get(self) -> f64 {
        self.0
    }

    /// The number, with 0 for -0.
    fn unsigned(self) -> f64 {
        self.0 + 0.0
    }
}

impl PartialEq for Score {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Score {}

impl PartialOrd for Score {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Score {
    fn cmp(&self, other: &Self) -> Ordering {
        self.unsigned().total_cmp(&other.unsigned())
    }
}

impl Hash for Score {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.unsigned().to_bits());
    }
}

impl SortedSet {
    /// The score of `member`.
    #[must_use]
    pub fn score(&self, member: &[u8]) -> Option<Score> {
        self.scores.get(member).copied()
    }

    /// Gives `member`, which is copied if it is new, a score, and returns the one it had.
    pub fn insert(&mut self, member: &[u8], score: Score) -> Option<Score> {
        let score = Score(score.unsigned());
        let Some((name, old)) = self.scores.get_key_value_mut(member) else {
            let member = Bytes::copy_from_slice(member);
            self.trace.note(|log| log.text_after(ABSENT, &member));
            self.scores.insert(member.clone(), score);
            self.ordered.insert((score, member));
            return None;
        };
        let place = (*old, name.clone());
        if place.0 != score {
            self.trace.note(|log| write(log, place.0, &place.1));
            *old = score;
            self.ordered.remove(&place);
            self.ordered.insert((score, place.1));
        }
        Some(place.0)
    }

    /// Removes `member`, and returns its score.
    pub fn remove(&mut self, member: &[u8]) -> Option<Score> {
        let (member, score) = self.scores.remove_entry(member)?;
        self.trace.note(|log| write(log, score, &member));
        self.ordered.remove(&(score, member));
        Some(score)
    }

    /// All members, least score first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (Score, &Bytes)> + ExactSizeIterator {
        self.ordered.iter().map(|(score, member)| (*score, member))
    }

    /// The members with scores within bounds, least score first.
    pub fn between(
        &self,
        min: Bound<Score>,
        max: Bound<Score>,
    ) -> impl DoubleEndedIterator<Item = (Score, &Bytes)> {
        // A score with no name comes before every member of that score.
        let begin = match min {
            Bound::Unbounded => Some(Score(f64::NEG_INFINITY)),
            Bound::Included(score) => Some(score),
            Bound::Excluded(score) => score.next(),
        };
        let end = match max {
            Bound::Unbounded => None,
            Bound::Included(score) => score.next(),
            Bound::Excluded(score) => Some(score),
        };
        let begin = begin.filter(|begin| end.is_none_or(|end| *begin <= end));
        let found = begin.map(|begin| {
            let place = |score| (score, Bytes::new());
            let end = end.map_or(Bound::Unbounded, |end| Bound::Excluded(place(end)));
            self.ordered.range((Bound::Included(place(begin)), end))
        });
        found.into_iter().flatten().map(|(score, member)| (*score, member))
    }

    /// Removes the member with the lowest score, or the highest.
    pub fn pop(&mut self, lowest: bool) -> Option<(Score, Bytes)> {
        let (score, member) =
            if lowest { self.ordered.pop_first() } else { self.ordered.pop_last() }?;
        self.scores.remove(&member);
        self.trace.note(|log| write(log, score, &member));
        Some((score, member))
    }

    pub(super) fn trace(&mut self) -> &mut Trace {
        &mut self.trace
    }

    /// Takes steps back, the last one first.
    pub(super) fn undo(&mut self, mut steps: Steps<'_>) {
        let steps: Vec<_> = iter::from_fn(|| read(&mut steps)).collect();
        for (score, member) in steps.into_iter().rev() {
            match score {
                Some(score) => drop(self.insert(&member, score)),
                None => drop(self.remove(&member)),
            }
        }
    }

    /// How many members come before `member`, and its score. Counts them.
    #[must_use]
    pub fn rank(&self, member: &[u8]) -> Option<(usize, Score)> {
        let (member, score) = self.scores.get_key_value(member)?;
        Some((self.ordered.range(..(*score, member.clone())).count(), *score))
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.scores.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.scores.is_empty()
    }
}

fn write(log: &mut Log, score: Score, member: &Bytes) {
    log.tag(SCORED);
    // Few bytes if the number is a small integer.
    log.number(score.0.to_bits().swap_bytes());
    log.text(member);
}

fn read(steps: &mut Steps<'_>) -> Option<ScoreStep> {
    let score = match steps.tag()? {
        SCORED => Some(Score(f64::from_bits(steps.number()?.swap_bytes()))),
        _ => None,
    };
    Some((score, steps.text()?))
}

impl PartialEq for SortedSet {
    fn eq(&self, other: &Self) -> bool {
        self.ordered == other.ordered
    }
}

impl Eq for SortedSet {}

impl Hash for SortedSet {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.ordered.hash(state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(number: f64) -> SortedSet {
        let mut set = SortedSet::default();
        set.insert(b"a", Score::new(number).unwrap());
        set
    }

    fn hash(value: &impl Hash) -> u64 {
        let mut hasher = FxHasher::default();
        value.hash(&mut hasher);
        hasher.finish()
    }

    #[test]
    fn scores_are_equal_and_hash_alike_whatever_the_sign_of_zero() {
        let (minus, plus) = (Score::new(-0.0).unwrap(), Score::new(0.0).unwrap());
        assert_eq!(minus, plus);
        assert_eq!(hash(&minus), hash(&plus));
        assert!(minus.get().is_sign_negative());
    }

    #[test]
    fn a_set_keeps_no_sign_of_zero() {
        let set = only(-0.0);
        assert_eq!(set, only(0.0));
        assert_eq!(hash(&set), hash(&only(0.0)));
        assert!(set.score(b"a").unwrap().get().is_sign_positive());
        assert!(set.between(Bound::Included(Score(-0.0)), Bound::Unbounded).next().is_some());
    }
}
