//! The twins of the debounce's scripts: the rules that [`DebounceRecord`] has, and the writes of
//! the scripts in their order.

mod known;
mod write;

use leasehold_core::{
    Token,
    debounce::{DebounceCommand, DebounceKeys, DebounceReply},
    internals::{DebounceRecord, Life},
};

use self::write::Hash;
use super::{
    super::{Keyspace, Value},
    Pin,
    values::{EXACT, store},
};

const CALL: Pin = Pin { name: "debounce.call", sha1: "2b29ad792618d6e9d87a4c5fca91305d8418d093" };
const CANCEL: Pin =
    Pin { name: "debounce.cancel", sha1: "08c8d7f6b8daa7815f0205634cfa8ec9a5b28723" };
const CLAIM: Pin = Pin { name: "debounce.claim", sha1: "a662924b869b9073e94ade80ef4588142366aea4" };
const FINISH: Pin =
    Pin { name: "debounce.finish", sha1: "78913f180c9532d379d4d0ecc85eb483bb28fa53" };
const FLUSH: Pin = Pin { name: "debounce.flush", sha1: "ce58e5a6fdc1587d5c64564c7df558e1218cd383" };
const INSPECT: Pin =
    Pin { name: "debounce.inspect", sha1: "9e603da64e1e0c8711264c5e62ea6dd25685fde0" };

#[cfg(test)]
pub(super) const PINS: &[Pin] = &[CALL, CANCEL, CLAIM, FINISH, FLUSH, INSPECT];

pub(super) fn run(
    keys: &mut Keyspace,
    now_us: u64,
    command: &DebounceCommand,
) -> Option<DebounceReply> {
    if !is_current(command) || !known::is_usual(now_us, command) {
        return None;
    }
    let now_ms = now_us / 1_000;
    let (names, token) = names(command);
    let entry = keys.peek(now_ms, names.record().as_bytes());
    let (mut record, expires_at_ms) = match entry {
        None => (DebounceRecord::default(), None),
        Some(entry) => match &entry.value {
            Value::Hash(fields) => (known::record(fields, command)?, entry.expires_at_ms),
            _ => return None,
        },
    };
    let exists = entry.is_some();
    let memo_key = token.map(|token| names.memo(token));
    let memo = match &memo_key {
        None => None,
        Some(key) => known::memo(keys, now_ms, key, command)?,
    };
    let before = write::Before::of(&record);
    let applied = record.apply(now_us, memo, command);
    let until_ms = match applied.life {
        None => None,
        Some(life) => Some(until_ms(now_ms, life, expires_at_ms)?),
    };
    let mut hash = Hash { keys, now_ms, name: names.record(), exists };
    write::fields(&mut hash, now_us, command, &before, &record, &applied, until_ms);
    if let (Some(key), Some(memo), Some(memo_ms)) = (memo_key, applied.memo, memo_ms(command)) {
        store(keys, now_ms, &key, write::memo_text(memo), now_ms + memo_ms);
    }
    Some(applied.reply)
}

fn is_current(command: &DebounceCommand) -> bool {
    match command {
        DebounceCommand::Call { .. } => const { CALL.fits() },
        DebounceCommand::Cancel { .. } => const { CANCEL.fits() },
        DebounceCommand::Claim { .. } => const { CLAIM.fits() },
        DebounceCommand::Finish { .. } => const { FINISH.fits() },
        DebounceCommand::Flush { .. } => const { FLUSH.fits() },
        DebounceCommand::Inspect { .. } => const { INSPECT.fits() },
    }
}

/// The record's name, and the token that the memo is named after.
fn names(command: &DebounceCommand) -> (&DebounceKeys, Option<&Token>) {
    match command {
        DebounceCommand::Call { keys, call: token, .. }
        | DebounceCommand::Claim { keys, runner: token, .. }
        | DebounceCommand::Finish { keys, runner: token, .. }
        | DebounceCommand::Cancel { keys, request: token, .. }
        | DebounceCommand::Flush { keys, request: token, .. } => (keys, Some(token)),
        DebounceCommand::Inspect { keys } => (keys, None),
    }
}

/// When the record expires; declines what Lua would round.
fn until_ms(now_ms: u64, life: Life, expires_at_ms: Option<u64>) -> Option<u64> {
    let until_ms = match life {
        Life::Exactly(life_ms) => now_ms + life_ms,
        Life::AtLeast(life_ms) => (now_ms + life_ms).max(expires_at_ms.unwrap_or(0)),
    };
    (until_ms < EXACT).then_some(until_ms)
}

fn memo_ms(command: &DebounceCommand) -> Option<u64> {
    known::retention(command).map(|retention| retention.memo_ms)
}
