//! A set's members.

use std::{
    hash::{BuildHasherDefault, Hash, Hasher},
    iter,
};

use bytes::Bytes;
use indexmap::IndexSet;
use rustc_hash::FxHasher;

use super::log::{Steps, Trace};
use crate::command::integer;

/// Up to this many members, a set of integers is kept sorted, as Redis does.
const SORTED_UP_TO: usize = 512;

/// The members of a set. Integers are listed in their order, as Redis lists those of a small set;
/// from the first member that is none, or the 513th, on, in the order in which they were added,
/// until one is removed. Redis promises no order then. Equal if they are the same members in the
/// same order.
#[derive(Clone, Debug)]
pub struct Members {
    members: IndexSet<Bytes, BuildHasherDefault<FxHasher>>,
    sorted: bool,
    trace: Trace,
}

/// What takes back one change of a set.
enum MemberStep {
    /// Removes the member at this place, which was sorted before or not.
    Remove { place: usize, sorted: bool },
    /// Puts a member at its place again. If the members are not sorted, the last of then has taken
    /// the place meanwhile, and goes back to the end.
    Insert { place: usize, member: Bytes },
}

/// How each is written.
const REMOVE: u8 = 0;
const REMOVE_SORTED: u8 = 1;
const INSERT: u8 = 2;

impl Default for Members {
    fn default() -> Self {
        Self::empty(true)
    }
}

impl Members {
    /// One without members, which is sorted or not.
    pub(super) fn empty(sorted: bool) -> Self {
        Self { members: IndexSet::default(), sorted, trace: Trace::default() }
    }

    /// Whether `member` is in the set.
    #[must_use]
    pub fn contains(&self, member: &[u8]) -> bool {
        self.members.contains(member)
    }

    /// Adds a copy of `member`; whether it is new.
    pub fn insert(&mut self, member: &[u8]) -> bool {
        if self.members.contains(member) {
            return false;
        }
        let number = integer(member).ok().filter(|_| self.sorted);
        let member = Bytes::copy_from_slice(member);
        let sorted = self.sorted;
        let place = match number {
            Some(number) if self.members.len() < SORTED_UP_TO => {
                let at = self
                    .members
                    .partition_point(|other| integer(other).is_ok_and(|other| other < number));
                self.members.shift_insert(at, member);
                at
            }
            _ => {
                self.sorted = false;
                self.members.insert_full(member).0
            }
        };
        self.trace.note(|log| log.place_after(if sorted { REMOVE_SORTED } else { REMOVE }, place));
        true
    }

    /// Removes `member`; whether it was there.
    pub fn remove(&mut self, member: &[u8]) -> bool {
        let removed = if self.sorted {
            self.members.shift_remove_full(member)
        } else {
            self.members.swap_remove_full(member)
        };
        let Some((place, member)) = removed else { return false };
        self.trace.note(|log| {
            log.place_after(INSERT, place);
            log.text(&member);
        });
        true
    }

    pub(super) fn trace(&mut self) -> &mut Trace {
        &mut self.trace
    }

    /// Takes steps back, the last one first.
    pub(super) fn undo(&mut self, mut steps: Steps<'_>) {
        let steps: Vec<_> = iter::from_fn(|| MemberStep::read(&mut steps)).collect();
        for step in steps.into_iter().rev() {
            match step {
                MemberStep::Remove { place, sorted } => {
                    self.members.shift_remove_index(place);
                    self.sorted = sorted;
                }
                MemberStep::Insert { place, member } if self.sorted => {
                    self.members.shift_insert(place, member);
                }
                MemberStep::Insert { place, member } => {
                    let (last, _) = self.members.insert_full(member);
                    self.members.swap_indices(place, last);
                }
            }
        }
    }

    /// Whether it holds integers in their order.
    #[must_use]
    pub fn is_sorted(&self) -> bool {
        self.sorted
    }

    /// The member at this place of the order.
    #[must_use]
    pub fn at(&self, index: usize) -> Option<&Bytes> {
        self.members.get_index(index)
    }

    /// All members.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Bytes> {
        self.members.iter()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }
}

impl MemberStep {
    fn read(steps: &mut Steps<'_>) -> Option<Self> {
        Some(match steps.tag()? {
            INSERT => Self::Insert { place: steps.place()?, member: steps.text()? },
            tag => Self::Remove { place: steps.place()?, sorted: tag == REMOVE_SORTED },
        })
    }
}

impl FromIterator<Bytes> for Members {
    fn from_iter<I: IntoIterator<Item = Bytes>>(members: I) -> Self {
        let mut set = Self::default();
        members.into_iter().for_each(|member| {
            set.insert(&member);
        });
        set
    }
}

impl PartialEq for Members {
    fn eq(&self, other: &Self) -> bool {
        self.sorted == other.sorted && self.len() == other.len() && self.iter().eq(other.iter())
    }
}

impl Eq for Members {}

impl Hash for Members {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_usize(self.len());
        self.iter().for_each(|member| member.hash(state));
    }
}
