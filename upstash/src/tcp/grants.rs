//! Which connection answered the last grant of each lock, as far as it is remembered.

use std::{
    collections::HashMap,
    mem,
    sync::{Arc, Mutex, PoisonError},
};

use leasehold_core::lock::LockKeys;

#[cfg(feature = "cluster")]
use super::cluster::Node;

/// At least so many grants are remembered, and fewer than twice as many.
const KEPT: usize = 1_024;

/// A connection that answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Over {
    /// The one to the server, with its number.
    Link(u64),
    /// One of those to the nodes of a Cluster.
    #[cfg(feature = "cluster")]
    Node(Node),
}

/// The locks that were granted or extended lately. What is asked about a grant comes right after
/// it, so that only a store with very many tasks may have forgotten it, and then says so.
#[derive(Debug, Default)]
pub(super) struct Grants(Mutex<Remembered>);

#[derive(Debug, Default)]
struct Remembered {
    newer: HashMap<Arc<LockKeys>, Over>,
    older: HashMap<Arc<LockKeys>, Over>,
}

impl Grants {
    /// Takes note of the connection that answered a grant, or that it is not known.
    pub(super) fn note(&self, keys: &Arc<LockKeys>, over: Option<Over>) {
        self.with(|remembered| {
            let Some(over) = over else {
                remembered.newer.remove(keys);
                remembered.older.remove(keys);
                return;
            };
            if remembered.newer.len() >= KEPT {
                remembered.older = mem::take(&mut remembered.newer);
            }
            remembered.newer.insert(keys.clone(), over);
        });
    }

    /// The connection that answered the last grant, if that is remembered.
    pub(super) fn answered(&self, keys: &LockKeys) -> Option<Over> {
        self.with(|Remembered { newer, older }| {
            newer.get(keys).or_else(|| older.get(keys)).cloned()
        })
    }

    fn with<T>(&self, act: impl FnOnce(&mut Remembered) -> T) -> T {
        // Whatever a panic leaves behind is true.
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(id: usize) -> Arc<LockKeys> {
        Arc::new(LockKeys::of(&id.to_string()))
    }

    #[test]
    fn the_last_grant_counts() {
        let grants = Grants::default();
        assert_eq!(grants.answered(&keys(1)), None);
        grants.note(&keys(1), Some(Over::Link(7)));
        grants.note(&keys(1), Some(Over::Link(8)));
        assert_eq!(grants.answered(&keys(1)), Some(Over::Link(8)));
        grants.note(&keys(1), None);
        assert_eq!(grants.answered(&keys(1)), None);
    }

    #[test]
    fn the_oldest_are_forgotten_and_the_newest_never() {
        let grants = Grants::default();
        for id in 0..5 * KEPT {
            grants.note(&keys(id), Some(Over::Link(id as u64)));
            let last = id.saturating_sub(KEPT - 1);
            assert_eq!(grants.answered(&keys(last)), Some(Over::Link(last as u64)));
        }
        assert_eq!(grants.answered(&keys(0)), None);
        grants.with(|kept| assert!(kept.newer.len() + kept.older.len() <= 2 * KEPT));
    }
}
