//! What the checkers of a debounced function need to know of its calls.

use crate::history::{CallId, DebounceEvent};

#[derive(Clone, Debug, Default, Hash)]
pub(crate) struct Calls {
    /// In the order in which a server counted them for the first time.
    counted: Vec<CallId>,
    /// What each fence was for.
    claims: Vec<(u64, CallId)>,
}

impl Calls {
    pub(super) fn enter(&mut self, event: DebounceEvent) {
        match event {
            DebounceEvent::Armed { call } if self.order(call) == 0 => {
                self.counted.push(call);
            }
            DebounceEvent::Claimed { call, fence, .. } => self.claims.push((fence, call)),
            _ => {}
        }
    }

    /// The place of `call` among those that were counted, from 1; 0 if it was not.
    pub(crate) fn order(&self, call: CallId) -> usize {
        self.counted.iter().rposition(|&known| known == call).map_or(0, |place| place + 1)
    }

    /// How many were counted.
    pub(crate) fn counted(&self) -> usize {
        self.counted.len()
    }

    /// The newest call.
    pub(crate) fn newest(&self) -> Option<CallId> {
        self.counted.last().copied()
    }

    /// The call that the run with this fence was for.
    pub(crate) fn claimed(&self, fence: u64) -> Option<CallId> {
        self.claims.iter().rfind(|&&(known, _)| known == fence).map(|&(_, call)| call)
    }
}

/// How reports name a call: `B2` is the second of client 1.
pub(crate) fn name(call: CallId) -> String {
    format!("call {} of client {}", call.number(), call.client())
}
