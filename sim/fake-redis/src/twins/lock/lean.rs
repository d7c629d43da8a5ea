//! Those of a lean lock, and of the pipeline that takes one.

use bytes::Bytes;
use leasehold_core::{
    Fence, Token,
    lock::{IfHeld, LockCommand, LockKeys, LockReply},
};

use super::{
    super::super::{Entry, Keyspace, Value},
    EXACT, Pin, expiry, remaining_ms, store, string,
};

pub(super) const ACQUIRE: Pin =
    Pin { name: "lock.lean_acquire", sha1: "9b731f5bfffb6c60dc6191958c3e357d133c2550" };
pub(super) const RELEASE: Pin =
    Pin { name: "lock.lean_release", sha1: "bdb0d3bee133dc3b1aab34e87ccf29229411dbd9" };

pub(super) fn run(keys: &mut Keyspace, now_us: u64, command: &LockCommand) -> Option<LockReply> {
    match command {
        LockCommand::AcquireLean { keys: names, token, lease_ms, held }
            if const { ACQUIRE.fits() } || *held == IfHeld::Unsaid =>
        {
            acquire(keys, now_us, names, token, *lease_ms, *held)
        }
        LockCommand::ReleaseLean { keys: names, token } if const { RELEASE.fits() } => {
            release(keys, now_us / 1_000, names, token)
        }
        _ => None,
    }
}

fn acquire(
    keys: &mut Keyspace,
    now_us: u64,
    names: &LockKeys,
    token: &Token,
    lease_ms: u64,
    held: IfHeld,
) -> Option<LockReply> {
    let now_ms = now_us / 1_000;
    let until_ms = expiry(now_ms, lease_ms)?;
    if !(1_000_000..EXACT).contains(&now_us) {
        return None;
    }
    if let Some((owner, entry)) = string(keys, now_ms, names.lock())? {
        if held == IfHeld::Unsaid {
            return Some(LockReply::Taken);
        }
        if *owner == token.as_str() {
            return Some(LockReply::Acquired { fence: Fence(now_us), fresh: false });
        }
        let remaining_ms = remaining_ms(entry, now_ms)?;
        if let IfHeld::Wait(note_ms @ 1..) = held {
            store(keys, now_ms, names.waiting(), Bytes::new(), expiry(now_ms, note_ms)?);
        }
        return Some(LockReply::Busy { remaining_ms });
    }
    let value = Value::String(Bytes::copy_from_slice(token.as_str().as_bytes()));
    let entry = Entry { value, expires_at_ms: Some(until_ms) };
    keys.set_entry(Bytes::copy_from_slice(names.lock().as_bytes()), Some(entry));
    Some(LockReply::Acquired { fence: Fence(now_us), fresh: true })
}

fn release(keys: &mut Keyspace, now_ms: u64, names: &LockKeys, token: &Token) -> Option<LockReply> {
    if string(keys, now_ms, names.lock())?.is_none_or(|(owner, _)| *owner != token.as_str()) {
        return Some(LockReply::NotHeld);
    }
    keys.remove(now_ms, names.lock().as_bytes());
    if keys.peek(now_ms, names.waiting().as_bytes()).is_some() {
        keys.remove(now_ms, names.waiting().as_bytes());
    }
    Some(LockReply::Released)
}
