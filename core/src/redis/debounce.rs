//! The debounce's scripts, their arguments and their replies.

use alloc::{sync::Arc, vec, vec::Vec};

use super::{Invocation, Script, Value, decimal, malformed};
use crate::{
    debounce::{DebounceCommand, DebounceReply, DebounceStatus, Timing},
    store::StoreError,
    token::{Fence, Token},
};

pub(super) const CALL: Script = Script {
    name: "debounce.call",
    sha1: "afd0189b7860d461eb57f33d427e023210024c76",
    text: include_str!("scripts/debounce_call.lua"),
};
pub(super) const CLAIM: Script = Script {
    name: "debounce.claim",
    sha1: "4543d25578b6974ee5fb2570e95e0dfd04cd69c7",
    text: include_str!("scripts/debounce_claim.lua"),
};
pub(super) const FINISH: Script = Script {
    name: "debounce.finish",
    sha1: "cd2af0be25d87bb2add03bae0a89c012112b7d63",
    text: include_str!("scripts/debounce_finish.lua"),
};
pub(super) const CANCEL: Script = Script {
    name: "debounce.cancel",
    sha1: "1e6f749cc32948afc376d82522a9c5689744aafb",
    text: include_str!("scripts/debounce_cancel.lua"),
};
pub(super) const FLUSH: Script = Script {
    name: "debounce.flush",
    sha1: "ce58e5a6fdc1587d5c64564c7df558e1218cd383",
    text: include_str!("scripts/debounce_flush.lua"),
};
pub(super) const INSPECT: Script = Script {
    name: "debounce.inspect",
    sha1: "9e603da64e1e0c8711264c5e62ea6dd25685fde0",
    text: include_str!("scripts/debounce_inspect.lua"),
};

pub(super) fn encode(command: &DebounceCommand) -> Invocation {
    let (script, keys, memo, args) = match command {
        DebounceCommand::Call { keys, call, args, seq, timing, retention } => {
            let lives = [retention.armed_ms, retention.memo_ms].map(decimal);
            let first = vec![args.to_vec(), decimal(*seq)];
            (&CALL, keys, Some(call), [first, timing_args(timing), lives.into()].concat())
        }
        DebounceCommand::Claim { keys, runner, seq, run_lease_ms, retention } => {
            let numbers = [*seq, *run_lease_ms, retention.armed_ms].map(decimal);
            (&CLAIM, keys, Some(runner), [vec![bytes(runner)], numbers.into()].concat())
        }
        DebounceCommand::Finish { keys, runner, seq, fence, success, retry_ms, retention } => {
            let lives = [retention.armed_ms, retention.settled_ms, retention.memo_ms];
            let numbers = [u64::from(*success), *seq, fence.0, *retry_ms].map(decimal);
            let args = [vec![bytes(runner)], numbers.into(), lives.map(decimal).into()].concat();
            (&FINISH, keys, Some(runner), args)
        }
        DebounceCommand::Cancel { keys, request, retention } => {
            let lives = [retention.settled_ms, retention.memo_ms].map(decimal);
            (&CANCEL, keys, Some(request), lives.into())
        }
        DebounceCommand::Flush { keys, request, retention } => {
            (&FLUSH, keys, Some(request), vec![decimal(retention.memo_ms)])
        }
        DebounceCommand::Inspect { keys } => (&INSPECT, keys, None, Vec::new()),
    };
    let record = keys.record().as_bytes().to_vec();
    let memo = memo.map(|token| keys.memo(token).into_bytes());
    Invocation { script, keys: [record].into_iter().chain(memo).collect(), args }
}

pub(super) fn decode(
    command: &DebounceCommand,
    value: &Value,
) -> Result<DebounceReply, StoreError> {
    let reply = match command {
        DebounceCommand::Call { .. } => called(value),
        DebounceCommand::Claim { .. } => claimed(value),
        DebounceCommand::Finish { .. } => finished(value),
        DebounceCommand::Cancel { .. } => {
            flag(value).map(|pending| DebounceReply::Cancelled { pending })
        }
        DebounceCommand::Flush { .. } => {
            flag(value).map(|pending| DebounceReply::Flushed { pending })
        }
        DebounceCommand::Inspect { .. } => status(value).map(DebounceReply::Status),
    };
    reply.ok_or_else(|| malformed(value))
}

fn timing_args(timing: &Timing) -> Vec<Vec<u8>> {
    vec![
        decimal(timing.wait_ms),
        timing.max_wait_ms.map(decimal).unwrap_or_default(),
        decimal(timing.leading.into()),
        decimal(timing.trailing.into()),
    ]
}

fn called(value: &Value) -> Option<DebounceReply> {
    Some(match value.tagged()? {
        (b"armed", [seq, due]) => {
            DebounceReply::Armed { seq: number(seq)?, due_in_ms: due.unsigned()? }
        }
        (b"suppressed", [rest]) => DebounceReply::Suppressed { reopens_in_ms: rest.unsigned()? },
        _ => return None,
    })
}

fn claimed(value: &Value) -> Option<DebounceReply> {
    Some(match value.tagged()? {
        (b"claimed", [seq, fence, args, rest]) => DebounceReply::Claimed {
            seq: number(seq)?,
            fence: Fence(number(fence)?),
            args: Arc::from(args.bytes()?),
            remaining_ms: rest.unsigned()?,
        },
        (b"notdue", [due, newest]) => {
            DebounceReply::NotDue { due_in_ms: due.unsigned()?, newest: number(newest)? }
        }
        (b"running", [rest, newest]) => {
            DebounceReply::Running { remaining_ms: rest.unsigned()?, newest: number(newest)? }
        }
        (b"settled", [fired, done]) => {
            DebounceReply::Settled { fired: fired.unsigned()?, done: number(done)? }
        }
        (b"missing", []) => DebounceReply::Missing,
        (b"idle", []) => DebounceReply::Idle,
        (b"spent", []) => DebounceReply::Spent,
        _ => return None,
    })
}

fn finished(value: &Value) -> Option<DebounceReply> {
    Some(match value.tagged()? {
        (b"finished", []) => DebounceReply::Finished,
        (b"rearmed", [due]) => DebounceReply::Rearmed { due_in_ms: due.unsigned()? },
        (b"dropped", []) => DebounceReply::Dropped,
        (b"stale", []) => DebounceReply::Stale,
        _ => return None,
    })
}

fn status(value: &Value) -> Option<DebounceStatus> {
    let (b"status", [newest, fired, done, due, running]) = value.tagged()? else {
        return None;
    };
    Some(DebounceStatus {
        newest: newest.unsigned()?,
        fired: fired.unsigned()?,
        done: done.unsigned()?,
        due_in_ms: optional(due)?,
        running_ms: optional(running)?,
    })
}

/// The number of a call or a run, which is never 0.
fn number(value: &Value) -> Option<u64> {
    value.unsigned().filter(|number| *number > 0)
}

fn optional(value: &Value) -> Option<Option<u64>> {
    match value.integer()? {
        -1 => Some(None),
        rest => rest.try_into().ok().map(Some),
    }
}

fn flag(value: &Value) -> Option<bool> {
    match value.integer()? {
        0 => Some(false),
        1 => Some(true),
        _ => None,
    }
}

fn bytes(token: &Token) -> Vec<u8> {
    token.as_str().as_bytes().to_vec()
}
