//! The lock's scripts, their arguments and their replies.

use alloc::{string::String, vec, vec::Vec};

use super::{Invocation, Script, Value, decimal, malformed};
use crate::{
    lock::{Holder, LockCommand, LockReply},
    store::StoreError,
    token::{Fence, Token},
};

pub(super) const ACQUIRE: Script = Script {
    name: "lock.acquire",
    sha1: "b806c6e3738c0d44abfcd1e2ee962cddfea0bb9b",
    text: include_str!("scripts/acquire.lua"),
};
pub(super) const EXTEND: Script = Script {
    name: "lock.extend",
    sha1: "2c0f7c290e73a19787d4a20c6f48c2d1f95d106d",
    text: include_str!("scripts/extend.lua"),
};
pub(super) const RELEASE: Script = Script {
    name: "lock.release",
    sha1: "b272381a89c322b42c82957e5e9d58f43684a235",
    text: include_str!("scripts/release.lua"),
};
pub(super) const INSPECT: Script = Script {
    name: "lock.inspect",
    sha1: "5b6bfe2dedb0793d73ba4af799a7a3fcbadaf6b4",
    text: include_str!("scripts/inspect.lua"),
};

pub(super) fn encode(command: &LockCommand) -> Invocation {
    let (script, keys, args) = match command {
        LockCommand::Acquire { keys, token, lease_ms, fence_life_ms } => (
            &ACQUIRE,
            vec![text(keys.lock()), text(keys.fence()), keys.tombstone(token).into_bytes()],
            vec![bytes(token), decimal(*lease_ms), decimal(*fence_life_ms)],
        ),
        LockCommand::Extend { keys, token, lease_ms } => {
            (&EXTEND, vec![text(keys.lock())], vec![bytes(token), decimal(*lease_ms)])
        }
        LockCommand::Release { keys, token, tombstone_ms } => (
            &RELEASE,
            vec![text(keys.lock()), keys.tombstone(token).into_bytes()],
            vec![bytes(token), decimal(*tombstone_ms)],
        ),
        LockCommand::Inspect { keys, token } => {
            let ours = token.as_ref().map(bytes).unwrap_or_default();
            (&INSPECT, vec![text(keys.lock())], vec![ours])
        }
    };
    Invocation { script, keys, args }
}

pub(super) fn decode(command: &LockCommand, value: &Value) -> Result<LockReply, StoreError> {
    let reply = match command {
        LockCommand::Acquire { .. } => acquired(value),
        LockCommand::Extend { .. } => yes_or_no(value, LockReply::Extended),
        LockCommand::Release { .. } => yes_or_no(value, LockReply::Released),
        LockCommand::Inspect { .. } => holder(value).map(LockReply::Holder),
    };
    reply.ok_or_else(|| malformed(value))
}

fn acquired(value: &Value) -> Option<LockReply> {
    Some(match value.tagged()? {
        (b"acquired", [fence, fresh]) => LockReply::Acquired {
            fence: Fence(fence.unsigned()?),
            fresh: match fresh.integer()? {
                0 => false,
                1 => true,
                _ => return None,
            },
        },
        (b"busy", [remaining]) => LockReply::Busy { remaining_ms: time_to_live(remaining)? },
        (b"gone", []) => LockReply::Gone,
        _ => return None,
    })
}

fn yes_or_no(value: &Value, yes: LockReply) -> Option<LockReply> {
    match value.integer()? {
        0 => Some(LockReply::NotHeld),
        1 => Some(yes),
        _ => None,
    }
}

fn holder(value: &Value) -> Option<Holder> {
    Some(match value.tagged()? {
        (b"free", []) => Holder::Free,
        (b"us", [remaining]) => Holder::Us { remaining_ms: time_to_live(remaining)? },
        (b"other", [remaining]) => Holder::Other { remaining_ms: time_to_live(remaining)? },
        _ => return None,
    })
}

/// `PTTL`: -1 is a key that never expires.
fn time_to_live(value: &Value) -> Option<Option<u64>> {
    match value.integer()? {
        -1 => Some(None),
        remaining => remaining.try_into().ok().map(Some),
    }
}

fn text(key: &str) -> Vec<u8> {
    String::from(key).into_bytes()
}

fn bytes(token: &Token) -> Vec<u8> {
    token.as_str().as_bytes().to_vec()
}
