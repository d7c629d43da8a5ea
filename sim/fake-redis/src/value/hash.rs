//! A hash's fields, in the order in which they were added.

use std::{
    hash::{BuildHasherDefault, Hash, Hasher},
    iter, mem,
};

use bytes::Bytes;
use indexmap::IndexMap;
use rustc_hash::FxHasher;

use super::log::{Steps, Trace};

/// From this many fields on, a removal may reorder them, as Redis itself then keeps no order.
const ORDERED_UP_TO: usize = 512;

/// The fields of a hash with their values: listed in the order in which they were added, as Redis
/// lists those of a small hash. Equal if the same fields have the same values in the same order.
#[derive(Clone, Debug, Default)]
pub struct Fields {
    fields: IndexMap<Bytes, Bytes, BuildHasherDefault<FxHasher>>,
    trace: Trace,
}

/// What takes back one change of a hash.
enum FieldStep {
    /// Removes the last field.
    Remove,
    /// Puts the former value into the field at this place.
    Set(usize, Bytes),
    /// Puts a field at its place again. If another one, the last of then, has taken the place
    /// meanwhile, it goes back to the end.
    Insert { place: usize, swapped: bool, field: Bytes, value: Bytes },
}

/// How each is written.
const REMOVE: u8 = 0;
const SET: u8 = 1;
const INSERT: u8 = 2;
const INSERT_SWAPPED: u8 = 3;

impl Fields {
    /// The value of `field`.
    #[must_use]
    pub fn get(&self, field: &[u8]) -> Option<&Bytes> {
        self.fields.get(field)
    }

    /// Sets `field`, and returns what it was.
    pub fn insert(&mut self, field: Bytes, value: Bytes) -> Option<Bytes> {
        let (place, old) = self.fields.insert_full(field, value);
        self.trace.note(|log| match &old {
            Some(old) => {
                log.place_after(SET, place);
                log.text(old);
            }
            None => log.tag(REMOVE),
        });
        old
    }

    /// The same, with copies of both.
    pub(crate) fn insert_copy(&mut self, field: &[u8], value: &[u8]) -> Option<Bytes> {
        let value = Bytes::copy_from_slice(value);
        match self.fields.get_full_mut(field) {
            Some((place, _, old)) => {
                let old = mem::replace(old, value);
                self.trace.note(|log| {
                    log.place_after(SET, place);
                    log.text(&old);
                });
                Some(old)
            }
            None => self.insert(Bytes::copy_from_slice(field), value),
        }
    }

    /// Removes `field`, and returns what it was.
    pub fn remove(&mut self, field: &[u8]) -> Option<Bytes> {
        let swapped = self.fields.len() > ORDERED_UP_TO;
        let (place, field, value) = if swapped {
            self.fields.swap_remove_full(field)
        } else {
            self.fields.shift_remove_full(field)
        }?;
        self.trace.note(|log| {
            log.place_after(if swapped { INSERT_SWAPPED } else { INSERT }, place);
            log.text(&field);
            log.text(&value);
        });
        Some(value)
    }

    pub(super) fn trace(&mut self) -> &mut Trace {
        &mut self.trace
    }

    /// Takes steps back, the last one first.
    pub(super) fn undo(&mut self, mut steps: Steps<'_>) {
        let steps: Vec<_> = iter::from_fn(|| FieldStep::read(&mut steps)).collect();
        for step in steps.into_iter().rev() {
            match step {
                FieldStep::Remove => drop(self.fields.pop()),
                FieldStep::Set(place, value) => self.fields[place] = value,
                FieldStep::Insert { place, swapped: false, field, value } => {
                    self.fields.shift_insert(place, field, value);
                }
                FieldStep::Insert { place, swapped: true, field, value } => {
                    let (last, _) = self.fields.insert_full(field, value);
                    self.fields.swap_indices(place, last);
                }
            }
        }
    }

    /// The field at this place of the order.
    #[must_use]
    pub fn at(&self, index: usize) -> Option<(&Bytes, &Bytes)> {
        self.fields.get_index(index)
    }

    /// All fields with their values.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Bytes, &Bytes)> {
        self.fields.iter()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }
}

impl FieldStep {
    fn read(steps: &mut Steps<'_>) -> Option<Self> {
        Some(match steps.tag()? {
            REMOVE => Self::Remove,
            SET => Self::Set(steps.place()?, steps.text()?),
            tag => Self::Insert {
                place: steps.place()?,
                swapped: tag == INSERT_SWAPPED,
                field: steps.text()?,
                value: steps.text()?,
            },
        })
    }
}

impl FromIterator<(Bytes, Bytes)> for Fields {
    fn from_iter<I: IntoIterator<Item = (Bytes, Bytes)>>(fields: I) -> Self {
        Self { fields: fields.into_iter().collect(), trace: Trace::default() }
    }
}

impl PartialEq for Fields {
    fn eq(&self, other: &Self) -> bool {
        self.fields.len() == other.fields.len() && self.fields.iter().eq(other.fields.iter())
    }
}

impl Eq for Fields {}

impl Hash for Fields {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_usize(self.fields.len());
        self.fields.iter().for_each(|field| field.hash(state));
    }
}
