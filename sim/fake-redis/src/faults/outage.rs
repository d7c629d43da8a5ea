//! A server that answers nobody for a while.

use super::{Faults, InjectionId};

/// Whether the server is there.
#[derive(Debug, Default)]
pub(crate) struct Outage(Option<Down>);

#[derive(Clone, Copy, Debug)]
struct Down {
    until_us: u64,
    injection: Option<InjectionId>,
}

impl Outage {
    /// From now on nobody is answered until this time of the server's clock, because of this fault.
    pub(crate) fn begin(&mut self, until_us: u64, injection: Option<InjectionId>) {
        self.0 = Some(Down { until_us, injection });
    }

    /// It is over.
    pub(crate) fn end(&mut self) {
        self.0 = None;
    }

    pub(crate) fn is_over(&self) -> bool {
        self.0.is_none()
    }

    /// Whether a request finds nobody at this time, which is noted.
    pub(crate) fn refuses(&mut self, faults: &mut Faults, elapsed_us: u64) -> bool {
        self.0 = self.0.filter(|down| elapsed_us < down.until_us);
        if let Some(Down { injection: Some(injection), .. }) = self.0 {
            faults.take_effect(injection, "a request was refused while nobody answered");
        }
        self.0.is_some()
    }
}
