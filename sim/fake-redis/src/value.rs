//! The data under one key, by Redis type.

mod aside;
mod hash;
mod list;
mod log;
mod map;
mod set;
mod sorted_set;
mod steps;
mod stream;

use std::sync::Arc;

use bytes::Bytes;

pub(crate) use aside::Aside;
pub use hash::Fields;
pub use list::Items;
pub(crate) use log::{Change as LoggedChange, Log, Record, Trace, Was};
pub use map::Map;
pub use set::Members;
pub use sorted_set::{Score, SortedSet};
pub(crate) use steps::Before;
pub(crate) use stream::PieceLimits;
pub use stream::{ConsumerGroup, EntryFields, EntryId, Pending, Stream};

/// What an element of a collection takes beside its bytes, about.
const ELEMENT: usize = 96;

/// The data under a key. A collection other than a stream is never empty, as Redis removes
/// what becomes empty.
///
/// Collections are shared until they are written to, so that a copy of a whole server is cheap.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Value {
    /// `string`.
    String(Bytes),
    /// `hash`.
    Hash(Arc<Fields>),
    /// `list`.
    List(Arc<Items>),
    /// `set`.
    Set(Arc<Members>),
    /// `zset`.
    SortedSet(Arc<SortedSet>),
    /// `stream`.
    Stream(Arc<Stream>),
}

impl Value {
    /// What `TYPE` calls it.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::String(_) => "string",
            Self::Hash(_) => "hash",
            Self::List(_) => "list",
            Self::Set(_) => "set",
            Self::SortedSet(_) => "zset",
            Self::Stream(_) => "stream",
        }
    }

    pub(super) fn is_empty_collection(&self) -> bool {
        match self {
            Self::String(_) | Self::Stream(_) => false,
            Self::Hash(fields) => fields.is_empty(),
            Self::List(items) => items.is_empty(),
            Self::Set(members) => members.is_empty(),
            Self::SortedSet(members) => members.is_empty(),
        }
    }
}
