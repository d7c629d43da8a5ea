//! A smaller cluster than that of a campaign, so that all of its schedules can be searched.

use super::Settings;
use crate::decide::FaultSet;

/// How large a cluster is, and how long its faults last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Scale {
    /// How many clients there are, from 1 to 8. The last one of our debounce sweeps.
    pub clients: u8,
    /// How many times each calls.
    pub calls: u32,
    /// When the last fault is over, in milliseconds from the start.
    pub faults_end_ms: u32,
    /// When the run is over.
    pub end_ms: u32,
    /// Which faults may strike.
    pub faults: FaultSet,
}

impl Scale {
    /// `settings` in this size.
    #[must_use]
    pub fn applied(self, settings: Settings) -> Settings {
        Settings {
            clients: self.clients,
            faults_end: u64::from(self.faults_end_ms) * 1_000,
            end: u64::from(self.end_ms) * 1_000,
            faults: self.faults,
            ..settings
        }
    }

    /// Whether a run of this size can be made at all.
    #[must_use]
    pub fn is_possible(self) -> bool {
        (1..=8).contains(&self.clients) && self.faults_end_ms <= self.end_ms
    }
}
