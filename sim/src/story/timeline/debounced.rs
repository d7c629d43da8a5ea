//! What happens to a debounced function, in words.

use crate::history::{CallAnswer, CallId, DebounceEvent};
use crate::words::client;

/// The sentence for an event, if it deserves one. Fences are told only where the story is about
/// what the resource took.
pub(super) fn emit(event: DebounceEvent, about_writes: bool) -> Option<String> {
    Some(match event {
        DebounceEvent::Called { client: who, call } => {
            format!("{} calls, as {}", client(who), name(call))
        }
        DebounceEvent::Armed { call } => format!("the server counts {}", name(call)),
        DebounceEvent::Claimed { client: who, call, .. } => {
            format!("the server lets {} run {}", client(who), name(call))
        }
        DebounceEvent::RunBegan { client: who, call, .. } => {
            format!("{} begins to run {}", client(who), name(call))
        }
        DebounceEvent::RunEnded { client: who, call, success } => {
            let how = if success { "and it goes well" } else { "but it fails" };
            format!("{} has run {}, {how}", client(who), name(call))
        }
        DebounceEvent::Wrote { client: who, call, accepted, .. } => {
            if !about_writes && accepted {
                return None;
            }
            let verb = if accepted { "takes" } else { "refuses" };
            format!("the resource {verb} what {} wrote for {}", client(who), name(call))
        }
        DebounceEvent::Settled { client: who, .. } => {
            format!("the server notes that the run of {} went well", client(who))
        }
        DebounceEvent::Rearmed { client: who } => {
            format!("the server notes that the run of {} did not, and will repeat it", client(who))
        }
        DebounceEvent::NotRearmed { client: who } => {
            format!("the server notes that the run of {} did not, and was cancelled", client(who))
        }
        DebounceEvent::Returned { client: who, call, answer } => {
            let (who, call) = (client(who), name(call));
            match answer {
                CallAnswer::Fired => format!("{who} is told that it has run {call}"),
                CallAnswer::FiredElsewhere => format!("{who} is told that another ran {call}"),
                CallAnswer::Superseded => {
                    format!("{who} is told that a later call than {call} ran")
                }
                CallAnswer::TakenCareOf => format!("{who} is told that {call} is taken care of"),
                CallAnswer::NotCounted => format!("{who} is told that {call} does not count"),
                CallAnswer::Cancelled => format!("{who} is told that {call} was cancelled"),
                CallAnswer::Open => format!("{who} is told that {call} is not settled"),
                CallAnswer::Dropped => return None,
            }
        }
        DebounceEvent::Cancelled => "the server drops what waits, if anything does".into(),
        DebounceEvent::Flushed => "the server makes due what waits".into(),
        DebounceEvent::Leads => "the first call of a burst is due at once".into(),
        DebounceEvent::Vanished { client: who } => {
            format!("{} has dropped what it ran", client(who))
        }
        DebounceEvent::Immortal { keys: 0 } => return None,
        DebounceEvent::Immortal { keys } => format!("{keys} of the keys never expire"),
    })
}

/// Calls are named by the client and its count: call B2 is the second of client B.
fn name(call: CallId) -> String {
    format!("call {}{}", client(call.client()), call.number())
}
