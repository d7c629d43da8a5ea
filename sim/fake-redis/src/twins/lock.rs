//! The twins of the lock's scripts.

mod lean;

use bytes::Bytes;
use leasehold_core::{
    Fence, Token,
    lock::{Holder, LockCommand, LockKeys, LockReply},
};

use super::{
    super::{Entry, Keyspace, Value},
    Pin,
    values::{EXACT, decimal, store, string},
};

const ACQUIRE: Pin = Pin { name: "lock.acquire", sha1: "909ad7a24d6b5e8f48f050335b9c96de51d52496" };
const EXTEND: Pin = Pin { name: "lock.extend", sha1: "2c0f7c290e73a19787d4a20c6f48c2d1f95d106d" };
const INSPECT: Pin = Pin { name: "lock.inspect", sha1: "5b6bfe2dedb0793d73ba4af799a7a3fcbadaf6b4" };
const RAISE_FENCE: Pin =
    Pin { name: "lock.raise_fence", sha1: "1a8fb374164c0a0bb06076c20f08aac856e7bcb6" };
const RELEASE: Pin = Pin { name: "lock.release", sha1: "f730d6f4e538775496c20b3016888f3f088ae9b7" };

#[cfg(test)]
pub(super) const PINS: &[Pin] =
    &[ACQUIRE, EXTEND, INSPECT, RAISE_FENCE, RELEASE, lean::ACQUIRE, lean::RELEASE];

pub(super) fn run(keys: &mut Keyspace, now_us: u64, command: &LockCommand) -> Option<LockReply> {
    match command {
        LockCommand::Acquire { keys: names, token, lease_ms, fence_life_ms, tombstone_ms }
            if const { ACQUIRE.fits() } =>
        {
            let lives = Lives {
                lease_ms: *lease_ms,
                fence_ms: *fence_life_ms,
                tombstone_ms: *tombstone_ms,
            };
            acquire(keys, now_us, names, token, &lives)
        }
        LockCommand::Extend { keys: names, token, lease_ms } if const { EXTEND.fits() } => {
            extend(keys, now_us / 1_000, names, token, *lease_ms)
        }
        LockCommand::Inspect { keys: names, token } if const { INSPECT.fits() } => {
            inspect(keys, now_us / 1_000, names, token.as_ref()).map(LockReply::Holder)
        }
        LockCommand::RaiseFence { keys: names, token, fence, fence_life_ms }
            if const { RAISE_FENCE.fits() } =>
        {
            raise_fence(keys, now_us / 1_000, names, token, *fence, *fence_life_ms)
        }
        LockCommand::Release { keys: names, token, tombstone_ms } if const { RELEASE.fits() } => {
            release(keys, now_us / 1_000, names, token, *tombstone_ms)
        }
        command => lean::run(keys, now_us, command),
    }
}

/// How many digits the number in a tombstone has.
const DIGITS: usize = 15;
/// What follows it if its token was released.
const RELEASED: &[u8] = b" released";

/// How long the keys live that an acquire sets.
struct Lives {
    lease_ms: u64,
    fence_ms: u64,
    tombstone_ms: u64,
}

fn acquire(
    keys: &mut Keyspace,
    now_us: u64,
    names: &LockKeys,
    token: &Token,
    lives: &Lives,
) -> Option<LockReply> {
    let now_ms = now_us / 1_000;
    let (series, number) = token.series();
    let tombstone = names.tombstone(series);
    if let Some((text, _)) = string(keys, now_ms, &tombstone)?
        && parse_tombstone(text)?.0 >= number
    {
        return Some(LockReply::Revoked);
    }
    // Redis refuses it before it looks whether the key is there.
    let lock_until_ms = expiry(now_ms, lives.lease_ms)?;
    let holder = string(keys, now_ms, names.lock())?;
    if let Some((owner, entry)) = &holder
        && *owner != token.as_str()
    {
        let remaining_ms = remaining_ms(entry, now_ms)?;
        if number > 0 {
            store(
                keys,
                now_ms,
                &tombstone,
                written_tombstone(number, false),
                expiry(now_ms, lives.tombstone_ms)?,
            );
        }
        return Some(LockReply::Busy { remaining_ms });
    }
    let is_held = holder.is_some();
    let last = match string(keys, now_ms, names.fence())? {
        None => None,
        Some((text, _)) => Some(written_fence(text)?),
    };
    if let Some(last @ 1..) = last
        && is_held
    {
        return Some(LockReply::Acquired { fence: Fence(last), fresh: false });
    }
    let fence_until_ms = expiry(now_ms, lives.fence_ms)?;
    let fence = last.map_or(now_us, |last| now_us.max(last + 1));
    if now_us < 1_000_000 || fence >= EXACT {
        return None;
    }
    if !is_held {
        let value = Value::String(Bytes::copy_from_slice(token.as_str().as_bytes()));
        let entry = Entry { value, expires_at_ms: Some(lock_until_ms) };
        keys.set_entry(Bytes::copy_from_slice(names.lock().as_bytes()), Some(entry));
    }
    if fence != now_us {
        // The script learns of the last one by writing over it.
        store(keys, now_ms, names.fence(), decimal(now_us), fence_until_ms);
    }
    store(keys, now_ms, names.fence(), decimal(fence), fence_until_ms);
    Some(LockReply::Acquired { fence: Fence(fence), fresh: !is_held })
}

fn extend(
    keys: &mut Keyspace,
    now_ms: u64,
    names: &LockKeys,
    token: &Token,
    lease_ms: u64,
) -> Option<LockReply> {
    let Some((_, entry)) =
        string(keys, now_ms, names.lock())?.filter(|(owner, _)| *owner == token.as_str())
    else {
        return Some(LockReply::NotHeld);
    };
    if remaining_ms(entry, now_ms)?.is_some_and(|remaining_ms| remaining_ms < lease_ms) {
        let until_ms = expiry(now_ms, lease_ms)?;
        keys.modify(now_ms, names.lock().as_bytes(), |entry| entry.expires_at_ms = Some(until_ms));
    }
    Some(LockReply::Extended)
}

fn raise_fence(
    keys: &mut Keyspace,
    now_ms: u64,
    names: &LockKeys,
    token: &Token,
    least: Fence,
    life_ms: u64,
) -> Option<LockReply> {
    if string(keys, now_ms, names.lock())?.is_none_or(|(owner, _)| *owner != token.as_str()) {
        return Some(LockReply::NotHeld);
    }
    let last = match string(keys, now_ms, names.fence())? {
        None => 0,
        Some((text, _)) => exact_decimal(text)?,
    };
    if least.0 >= EXACT {
        return None;
    }
    if last < least.0 {
        store(keys, now_ms, names.fence(), decimal(least.0), expiry(now_ms, life_ms)?);
    }
    Some(LockReply::FenceRaised)
}

fn release(
    keys: &mut Keyspace,
    now_ms: u64,
    names: &LockKeys,
    token: &Token,
    tombstone_ms: u64,
) -> Option<LockReply> {
    let (series, number) = token.series();
    let tombstone = names.tombstone(series);
    let freed =
        string(keys, now_ms, names.lock())?.is_some_and(|(owner, _)| *owner == token.as_str());
    let old = match string(keys, now_ms, &tombstone)? {
        None => None,
        Some((text, _)) => Some((text.clone(), parse_tombstone(text)?)),
    };
    let until_ms = expiry(now_ms, tombstone_ms)?;
    if freed {
        keys.remove(now_ms, names.lock().as_bytes());
    }
    store(keys, now_ms, &tombstone, written_tombstone(number, freed), until_ms);
    let was_released = old.as_ref().is_some_and(|(_, tombstone)| *tombstone == (number, true));
    if let Some((text, old)) = old
        && old > (number, freed)
    {
        store(keys, now_ms, &tombstone, text, until_ms);
    }
    Some(if freed || was_released { LockReply::Released } else { LockReply::NotHeld })
}

fn inspect(
    keys: &Keyspace,
    now_ms: u64,
    names: &LockKeys,
    token: Option<&Token>,
) -> Option<Holder> {
    let Some((owner, entry)) = string(keys, now_ms, names.lock())? else {
        return Some(Holder::Free);
    };
    let remaining_ms = remaining_ms(entry, now_ms)?;
    let us = *owner == token.map_or("", Token::as_str);
    Some(if us { Holder::Us { remaining_ms } } else { Holder::Other { remaining_ms } })
}

/// `PTTL`; declines what Lua would round.
#[expect(clippy::option_option, reason = "the outer one declines, the inner one never expires")]
fn remaining_ms(entry: &Entry, now_ms: u64) -> Option<Option<u64>> {
    let remaining_ms = entry.remaining_ms(now_ms);
    remaining_ms.is_none_or(|millis| millis < EXACT).then_some(remaining_ms)
}

/// When a key set now with `PX life_ms` expires; declines what Redis refuses.
fn expiry(now_ms: u64, life_ms: u64) -> Option<u64> {
    (0 < life_ms && life_ms < EXACT).then(|| now_ms + life_ms)
}

/// A fence as a script has written it; declines everything else.
fn written_fence(text: &[u8]) -> Option<u64> {
    if text.len() > 1 && text.starts_with(b"0") { None } else { exact_decimal(text) }
}

/// A number that Lua reads as it stands; declines everything else.
fn exact_decimal(text: &[u8]) -> Option<u64> {
    if text.is_empty() || text.len() > 16 || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number = text.iter().fold(0, |number, digit| number * 10 + u64::from(digit - b'0'));
    (number < EXACT - 1).then_some(number)
}

/// The number in a tombstone, and whether its token was released; declines what no script has
/// written.
fn parse_tombstone(text: &[u8]) -> Option<(u64, bool)> {
    let (number, released) =
        text.strip_suffix(RELEASED).map_or((text, false), |number| (number, true));
    (number.len() == DIGITS).then_some((exact_decimal(number)?, released))
}

fn written_tombstone(number: u64, released: bool) -> Bytes {
    let digits = decimal(number);
    let mut text = Vec::with_capacity(DIGITS + RELEASED.len());
    text.resize(DIGITS.saturating_sub(digits.len()), b'0');
    text.extend_from_slice(&digits);
    if released {
        text.extend_from_slice(RELEASED);
    }
    text.into()
}
