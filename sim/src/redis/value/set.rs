//! A set's members.

use std::hash::{BuildHasherDefault, Hash, Hasher};

use bytes::Bytes;
use indexmap::IndexSet;
use rustc_hash::FxHasher;

/// The members of a set. They are listed in the order in which they were added, until one is
/// removed; Redis promises no order. Equal if they are the same members in the same order.
#[derive(Clone, Debug, Default)]
pub struct Members(IndexSet<Bytes, BuildHasherDefault<FxHasher>>);

impl Members {
    /// Whether `member` is in the set.
    #[must_use]
    pub fn contains(&self, member: &[u8]) -> bool {
        self.0.contains(member)
    }

    /// Adds `member`; whether it is new.
    pub fn insert(&mut self, member: Bytes) -> bool {
        self.0.insert(member)
    }

    /// Removes `member`; whether it was there.
    pub fn remove(&mut self, member: &[u8]) -> bool {
        self.0.swap_remove(member)
    }

    /// The member at this place of the order.
    #[must_use]
    pub fn at(&self, index: usize) -> Option<&Bytes> {
        self.0.get_index(index)
    }

    /// All members.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Bytes> {
        self.0.iter()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<Bytes> for Members {
    fn from_iter<I: IntoIterator<Item = Bytes>>(members: I) -> Self {
        Self(members.into_iter().collect())
    }
}

impl PartialEq for Members {
    fn eq(&self, other: &Self) -> bool {
        self.0.len() == other.0.len() && self.0.iter().eq(other.0.iter())
    }
}

impl Eq for Members {}

impl Hash for Members {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_usize(self.0.len());
        self.0.iter().for_each(|member| member.hash(state));
    }
}
