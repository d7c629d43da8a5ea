//! A smaller cluster than that of a campaign, so that all of its schedules can be searched.

use std::fmt;

use super::Settings;
use crate::{
    decide::{Fault, FaultSet},
    words::span,
};

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
    /// Which faults may occur.
    pub faults: FaultSet,
    /// How many servers vote, of those that know nothing of each other: three or four.
    pub servers: u8,
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
    pub(crate) fn is_possible(self) -> bool {
        (1..=8).contains(&self.clients)
            && (3..=4).contains(&self.servers)
            && self.faults_end_ms <= self.end_ms
    }
}

impl fmt::Display for Scale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { clients, calls, faults_end_ms, end_ms, faults, servers } = *self;
        let calls = match calls {
            u32::MAX => "call again and again".into(),
            1 => "call once".into(),
            calls => format!("call {calls} times each"),
        };
        let names: Vec<&str> = faults.iter().map(Fault::name).collect();
        let (until, end) =
            (span(u64::from(faults_end_ms) * 1_000), span(u64::from(end_ms) * 1_000));
        let faults = match names[..] {
            [] => "no fault".into(),
            _ => format!("{} within {until}", names.join(", ")),
        };
        let among = if servers == 3 { "" } else { " among four servers" };
        write!(f, "{clients} clients {calls}{among} in {end}, {faults}")
    }
}
