//! A hash's fields, in the order in which they were added.

use std::{
    hash::{BuildHasherDefault, Hash, Hasher},
    mem,
};

use bytes::Bytes;
use indexmap::IndexMap;
use rustc_hash::FxHasher;

/// From this many fields on, a removal may reorder them, as Redis itself then keeps no order.
const ORDERED_UP_TO: usize = 512;

/// The fields of a hash with their values: listed in the order in which they were added, as Redis
/// lists those of a small hash. Equal if the same fields have the same values in the same order.
#[derive(Clone, Debug, Default)]
pub struct Fields(IndexMap<Bytes, Bytes, BuildHasherDefault<FxHasher>>);

impl Fields {
    /// The value of `field`.
    #[must_use]
    pub fn get(&self, field: &[u8]) -> Option<&Bytes> {
        self.0.get(field)
    }

    /// Sets `field`, and returns what it was.
    pub fn insert(&mut self, field: Bytes, value: Bytes) -> Option<Bytes> {
        self.0.insert(field, value)
    }

    /// The same, with copies of both.
    pub(crate) fn insert_copy(&mut self, field: &[u8], value: &[u8]) -> Option<Bytes> {
        let value = Bytes::copy_from_slice(value);
        match self.0.get_mut(field) {
            Some(old) => Some(mem::replace(old, value)),
            None => self.0.insert(Bytes::copy_from_slice(field), value),
        }
    }

    /// Removes `field`, and returns what it was.
    pub fn remove(&mut self, field: &[u8]) -> Option<Bytes> {
        if self.0.len() <= ORDERED_UP_TO {
            self.0.shift_remove(field)
        } else {
            self.0.swap_remove(field)
        }
    }

    /// The field at this place of the order.
    #[must_use]
    pub fn at(&self, index: usize) -> Option<(&Bytes, &Bytes)> {
        self.0.get_index(index)
    }

    /// All fields with their values.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Bytes, &Bytes)> {
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

impl FromIterator<(Bytes, Bytes)> for Fields {
    fn from_iter<I: IntoIterator<Item = (Bytes, Bytes)>>(fields: I) -> Self {
        Self(fields.into_iter().collect())
    }
}

impl PartialEq for Fields {
    fn eq(&self, other: &Self) -> bool {
        self.0.len() == other.0.len() && self.0.iter().eq(other.0.iter())
    }
}

impl Eq for Fields {}

impl Hash for Fields {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_usize(self.0.len());
        self.0.iter().for_each(|field| field.hash(state));
    }
}
