//! A sorted map that can tell how it was changed.

use std::{collections::BTreeMap, ops::Deref};

use super::aside::Aside;

/// A map in the order of its keys. It is read as a [`BTreeMap`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Map<K, V> {
    map: BTreeMap<K, V>,
    trace: Aside<Vec<MapStep<K, V>>>,
}

/// What takes back one change of a map: what was under a key.
pub(crate) type MapStep<K, V> = (K, Option<V>);

impl<K: Ord + Clone, V: Clone> Map<K, V> {
    /// Puts a value under a key, whatever was there; whether there was something.
    pub fn insert(&mut self, key: K, value: V) -> bool {
        if self.trace.0.is_none() {
            return self.map.insert(key, value).is_some();
        }
        let old = self.map.insert(key.clone(), value);
        let known = old.is_some();
        self.note((key, old));
        known
    }

    /// Removes a key; whether it was there.
    pub fn remove(&mut self, key: &K) -> bool {
        let Some((key, value)) = self.map.remove_entry(key) else { return false };
        self.note((key, Some(value)));
        true
    }

    /// The value under a key, which tells itself how it is changed.
    pub(crate) fn within(&mut self, key: &K) -> Option<&mut V> {
        self.map.get_mut(key)
    }

    pub(super) fn all_within(&mut self) -> impl Iterator<Item = (&K, &mut V)> {
        self.map.iter_mut()
    }

    fn note(&mut self, step: MapStep<K, V>) {
        if let Some(steps) = &mut self.trace.0 {
            steps.push(step);
        }
    }

    /// Collects the steps by which it changes.
    pub(in crate::value) fn begin_trace(&mut self) {
        self.trace.0 = Some(Vec::new());
    }

    pub(in crate::value) fn end_trace(&mut self) -> Vec<MapStep<K, V>> {
        self.trace.0.take().unwrap_or_default()
    }

    /// Takes steps back, the last one first.
    pub(in crate::value) fn undo(&mut self, steps: &[MapStep<K, V>]) {
        for (key, value) in steps.iter().rev() {
            match value {
                Some(value) => drop(self.map.insert(key.clone(), value.clone())),
                None => drop(self.map.remove(key)),
            }
        }
    }
}

impl<K, V> Default for Map<K, V> {
    fn default() -> Self {
        Self { map: BTreeMap::new(), trace: Aside::default() }
    }
}

impl<K, V> Deref for Map<K, V> {
    type Target = BTreeMap<K, V>;

    fn deref(&self) -> &BTreeMap<K, V> {
        &self.map
    }
}

impl<K: Ord, V> FromIterator<(K, V)> for Map<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        Self { map: pairs.into_iter().collect(), trace: Aside::default() }
    }
}
