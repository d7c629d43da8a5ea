//! Up to where a collection is kept in one piece.

use crate::{Fields, Members, SortedSet, command::integer};

/// `hash-max-listpack-…` and their like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Limits {
    pub(crate) hash_entries: usize,
    pub(crate) hash_value: usize,
    pub(crate) set_entries: usize,
    pub(crate) zset_entries: usize,
    pub(crate) zset_value: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            hash_entries: 512,
            hash_value: 64,
            set_entries: 512,
            zset_entries: 128,
            zset_value: 64,
        }
    }
}

impl Limits {
    /// Whether a hash is kept in one piece.
    pub(crate) fn hash(&self, fields: &Fields) -> bool {
        let small = |(name, value): (&bytes::Bytes, &bytes::Bytes)| {
            name.len() <= self.hash_value && value.len() <= self.hash_value
        };
        fields.len() <= self.hash_entries && fields.iter().all(small)
    }

    /// Whether a set is kept as integers.
    pub(crate) fn set(&self, members: &Members) -> bool {
        let integers = || members.iter().all(|member| integer(member).is_ok());
        members.len() <= self.set_entries && (members.is_sorted() || integers())
    }

    /// Whether a sorted set is kept in one piece.
    pub(crate) fn sorted_set(&self, set: &SortedSet) -> bool {
        set.len() <= self.zset_entries && set.iter().all(|(_, name)| name.len() <= self.zset_value)
    }
}
