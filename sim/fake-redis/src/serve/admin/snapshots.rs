//! The snapshots that tests go back to.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use serde::Deserialize;

use super::call::Problem;
use crate::{Snapshot, serve::Host};

/// How many are kept.
const KEPT: usize = 16;

/// The last snapshots.
#[derive(Debug, Default)]
pub(super) struct Snapshots(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    made: u64,
    last: VecDeque<(String, Snapshot)>,
}

/// Which snapshot to go back to.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Restore {
    id: String,
}

impl Snapshots {
    /// Takes one, and says its name.
    pub(super) fn take(&self, host: &Host) -> String {
        let snapshot = host.snapshot();
        let mut kept = self.kept();
        kept.made += 1;
        let id = kept.made.to_string();
        if kept.last.len() == KEPT {
            kept.last.pop_front();
        }
        kept.last.push_back((id.clone(), snapshot));
        id
    }

    pub(super) fn restore(&self, host: &Host, Restore { id }: &Restore) -> Result<(), Problem> {
        let kept = self.kept();
        let found = kept.last.iter().find(|(found, _)| found == id);
        let (_, snapshot) = found.ok_or_else(|| Problem {
            status: 404,
            text: format!(
                "there is no snapshot `{id}`: POST /snapshot takes one, and the last {KEPT} are kept"
            ),
        })?;
        host.restore(snapshot);
        Ok(())
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
