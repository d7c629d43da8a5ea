//! Several shards of one campaign as one report.

use std::fmt;

use super::{CellReport, Report, Statistics};
use leasehold_sim::catalog::Verdict;

/// Why reports cannot be joined.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub(crate) enum JoinError {
    /// They were made by different versions.
    Version(String, String),
    /// They are of campaigns with different seeds.
    Seed(u64, u64),
    /// They are of campaigns with different numbers of shards.
    ShardCount(u64, u64),
    /// The same shard is in both.
    SameShard(u64),
    /// They are about different cells, as if run with different filters.
    Cells,
}

impl fmt::Display for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version(one, other) => write!(
                f,
                "made by version {other}, the others by {one}: run all shards with one version"
            ),
            Self::Seed(one, other) => write!(
                f,
                "of seed {other}, the others of {one}: run all shards with one --seed"
            ),
            Self::ShardCount(one, other) => write!(
                f,
                "a shard out of {other}, the others out of {one}: run all with one N in --shard K/N"
            ),
            Self::SameShard(shard) => {
                write!(f, "shard {shard} once more: give each shard once")
            }
            Self::Cells => f.write_str(
                "about other cells: run all shards with the same --subject, --guarantee and --fault",
            ),
        }
    }
}

impl std::error::Error for JoinError {}

impl Report {
    /// Adds another shard of the same campaign.
    ///
    /// # Errors
    ///
    /// [`JoinError`] if it is not another shard of the same campaign; then nothing has changed.
    pub(crate) fn join(&mut self, other: Self) -> Result<(), JoinError> {
        self.check(&other)?;
        self.schedules += other.schedules;
        self.shards.done.extend(other.shards.done);
        self.shards.done.sort_unstable();
        self.interrupted |= other.interrupted;
        for (cell, more) in self.cells.iter_mut().zip(other.cells) {
            cell.join(more);
        }
        // Which of the states were the same, the reports do not say.
        self.statistics = Statistics::of(self, None);
        Ok(())
    }

    fn check(&self, other: &Self) -> Result<(), JoinError> {
        if self.version != other.version {
            return Err(JoinError::Version(self.version.clone(), other.version.clone()));
        }
        if self.seed != other.seed {
            return Err(JoinError::Seed(self.seed, other.seed));
        }
        if self.shards.of != other.shards.of {
            return Err(JoinError::ShardCount(self.shards.of, other.shards.of));
        }
        let mut twice = other.shards.done.iter().filter(|shard| self.shards.done.contains(shard));
        if let Some(&shard) = twice.next() {
            return Err(JoinError::SameShard(shard));
        }
        let same = self.cells.len() == other.cells.len()
            && self.cells.iter().zip(&other.cells).all(|(one, other)| one.is_same_place(other));
        if same { Ok(()) } else { Err(JoinError::Cells) }
    }
}

impl CellReport {
    fn is_same_place(&self, other: &Self) -> bool {
        self.subject == other.subject
            && self.guarantee == other.guarantee
            && self.fault == other.fault
            && self.claim == other.claim
    }

    fn join(&mut self, more: Self) {
        self.schedules += more.schedules;
        self.effects += more.effects;
        self.broken += more.broken;
        self.verdict = match (self.verdict, more.verdict) {
            (Verdict::Broken, _) | (_, Verdict::Broken) => Verdict::Broken,
            (Verdict::Holds, _) | (_, Verdict::Holds) => Verdict::Holds,
            (Verdict::NotExercised, Verdict::NotExercised) => Verdict::NotExercised,
        };
        let exhausted = self.exhausted.take().or(more.exhausted);
        self.exhausted = exhausted.filter(|_| self.verdict != Verdict::Broken);
        let stories =
            [(self.counterexample.take(), self.story.take()), (more.counterexample, more.story)];
        let told = stories.into_iter().filter_map(|(told, story)| Some((told?, story)));
        let shortest = told.min_by_key(|(told, _)| (told.length(), told.token.clone()));
        if let Some((told, story)) = shortest {
            (self.counterexample, self.story) = (Some(told), story);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Shards;

    fn shard(number: u64, verdict: Verdict) -> Report {
        let cell = CellReport {
            subject: "lock".into(),
            guarantee: "exclusion".into(),
            fault: "none".into(),
            verdict,
            claim: Verdict::Holds,
            schedules: 3,
            effects: 2,
            broken: u64::from(verdict == Verdict::Broken),
            exhausted: None,
            counterexample: None,
            story: None,
        };
        let shards = Shards { done: vec![number], of: 3 };
        Report {
            version: "1".into(),
            seed: 1,
            shards,
            schedules: 10,
            cells: vec![cell],
            statistics: Statistics::default(),
            interrupted: false,
        }
    }

    #[test]
    fn one_broken_shard_breaks_the_whole() {
        let mut whole = shard(3, Verdict::NotExercised);
        whole.join(shard(1, Verdict::Holds)).unwrap();
        assert_eq!(whole.cells[0].verdict, Verdict::Holds);
        whole.join(shard(2, Verdict::Broken)).unwrap();
        let cell = &whole.cells[0];
        assert_eq!((cell.verdict, cell.schedules, cell.effects), (Verdict::Broken, 9, 6));
        assert_eq!((whole.schedules, &whole.shards.done[..]), (30, &[1, 2, 3][..]));
        assert!(whole.is_whole() && whole.surprises().count() == 1);
    }

    #[test]
    fn what_is_not_another_shard_of_the_same_campaign_is_refused() {
        let mut whole = shard(1, Verdict::Holds);
        let before = whole.clone();
        let changed = |change: &dyn Fn(&mut Report)| {
            let mut other = shard(2, Verdict::Holds);
            change(&mut other);
            other
        };
        let cases = [
            (
                changed(&|other| other.version = "2".into()),
                JoinError::Version("1".into(), "2".into()),
            ),
            (changed(&|other| other.seed = 9), JoinError::Seed(1, 9)),
            (changed(&|other| other.shards.of = 4), JoinError::ShardCount(3, 4)),
            (changed(&|other| other.shards.done = vec![1]), JoinError::SameShard(1)),
            (changed(&|other| other.cells[0].fault = "hang".into()), JoinError::Cells),
        ];
        for (other, error) in cases {
            assert_eq!(whole.join(other), Err(error));
            assert_eq!(whole, before);
        }
    }

    #[test]
    fn a_part_is_no_surprise_for_what_it_did_not_find() {
        assert_eq!(shard(1, Verdict::NotExercised).surprises().count(), 0);
        assert_eq!(shard(1, Verdict::Broken).surprises().count(), 1);
    }

    #[test]
    fn what_no_shard_saw_is_listed() {
        let mut whole = shard(1, Verdict::NotExercised);
        let idle = |report: &mut Report| {
            report.cells[0].fault = "hang".into();
            report.cells[0].effects = 0;
        };
        idle(&mut whole);
        let mut other = shard(2, Verdict::NotExercised);
        idle(&mut other);
        whole.join(other).unwrap();
        let text = whole.statistics.unseen();
        assert!(text.contains("never took effect: lock × hang"), "{text}");
        assert!(text.contains("never about: lock × exclusion"), "{text}");
        let mut third = shard(3, Verdict::Holds);
        third.cells[0].fault = "hang".into();
        whole.join(third).unwrap();
        assert_eq!(whole.statistics, Statistics::default());
    }
}
