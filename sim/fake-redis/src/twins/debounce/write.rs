//! The writes of the scripts, one by one: a replica is told of each.

use std::sync::Arc;

use bytes::Bytes;
use leasehold_core::{
    debounce::DebounceCommand,
    internals::{Applied, DebounceRecord, Memo, Pending},
};

use super::super::{
    super::{Entry, Fields, Keyspace, Value},
    values::decimal,
};

const PENDING: &[&[u8]] = &[b"args", b"due", b"lead"];
const PENDING_AND_WINDOW: &[&[u8]] = &[b"args", b"due", b"lead", b"window"];
const RUNNING: &[&[u8]] = &[b"runner", b"run_seq", b"run_args", b"until", b"lease"];

/// The hash of one record.
pub(super) struct Hash<'a> {
    pub(super) keys: &'a mut Keyspace,
    pub(super) now_ms: u64,
    pub(super) name: &'a str,
    pub(super) exists: bool,
}

/// What of a record the rules may have replaced.
pub(super) struct Before {
    due_us: Option<u64>,
    until_us: Option<u64>,
    lease_us: u64,
    wait_us: u64,
    seq: u64,
}

impl Before {
    pub(super) fn of(record: &DebounceRecord) -> Self {
        Self {
            due_us: record.pending.as_ref().map(|pending| pending.due_us),
            until_us: record.running.as_ref().map(|running| running.until_us),
            lease_us: record.running.as_ref().map_or(0, |running| running.lease_us),
            wait_us: record.wait_us,
            seq: record.seq,
        }
    }
}

/// Writes the fields that `command` changed in `record`, and when it expires.
pub(super) fn fields(
    hash: &mut Hash<'_>,
    now_us: u64,
    command: &DebounceCommand,
    before: &Before,
    record: &DebounceRecord,
    applied: &Applied,
    until_ms: Option<u64>,
) {
    match (command, applied.memo) {
        (DebounceCommand::Call { args, .. }, Some(Memo::Armed(_))) => {
            call(hash, args, record);
            hash.expire_at(until_ms);
        }
        (DebounceCommand::Call { .. }, Some(_)) => {
            hash.set([
                (b"first", decimal(record.first_us)),
                (b"window", decimal(record.window_us)),
            ]);
            hash.expire_at(until_ms);
        }
        (DebounceCommand::Claim { .. }, _) => {
            bound(hash, now_us, before);
            if applied.life.is_some() {
                hash.expire_at(until_ms);
                claim(hash, before, record);
            }
        }
        (DebounceCommand::Finish { .. }, Some(memo)) => {
            finish(hash, memo, before, record, until_ms);
        }
        (DebounceCommand::Cancel { .. }, _) if applied.life.is_some() => {
            hash.expire_at(until_ms);
            hash.set([(b"done", decimal(record.done))]);
            hash.delete(PENDING_AND_WINDOW);
        }
        (DebounceCommand::Flush { .. }, Some(Memo::Waited(true))) => {
            hash.set([(b"due", decimal(now_us)), (b"window", decimal(now_us))]);
        }
        _ => {}
    }
}

pub(super) fn memo_text(memo: Memo) -> Bytes {
    match memo {
        Memo::Armed(seq) => decimal(seq),
        Memo::Suppressed => Bytes::from_static(b"suppressed"),
        Memo::Finished => Bytes::from_static(b"finished"),
        Memo::Rearmed => Bytes::from_static(b"rearmed"),
        Memo::Dropped => Bytes::from_static(b"dropped"),
        Memo::Stale => Bytes::from_static(b"stale"),
        Memo::Waited(false) => Bytes::from_static(b"0"),
        Memo::Waited(true) => Bytes::from_static(b"1"),
    }
}

fn call(hash: &mut Hash<'_>, args: &[u8], record: &DebounceRecord) {
    let Some(Pending { due_us, leading, .. }) = &record.pending else {
        unreachable!("an armed call waits")
    };
    hash.set([
        (b"seq", decimal(record.seq)),
        (b"args", Bytes::copy_from_slice(args)),
        (b"due", decimal(*due_us)),
        (b"first", decimal(record.first_us)),
        (b"wait", decimal(record.wait_us)),
        (b"max", record.max_wait_ms.map_or_else(Bytes::new, decimal)),
        (b"lead", Bytes::from_static(if *leading { b"1" } else { b"0" })),
        (b"window", decimal(record.window_us)),
    ]);
}

/// Two writes of their own, before anything else is looked at.
fn bound(hash: &mut Hash<'_>, now_us: u64, before: &Before) {
    if before.due_us.is_some_and(|due_us| due_us > now_us + before.wait_us) {
        hash.set([(b"due", decimal(now_us + before.wait_us))]);
    }
    if before.until_us.is_some_and(|until_us| until_us > now_us + before.lease_us) {
        hash.set([(b"until", decimal(now_us + before.lease_us))]);
    }
}

fn claim(hash: &mut Hash<'_>, before: &Before, record: &DebounceRecord) {
    let Some(running) = &record.running else { unreachable!("what was claimed runs") };
    let args = hash.field(if before.due_us.is_some() { b"args" } else { b"run_args" });
    hash.set([
        (b"runner", Bytes::copy_from_slice(running.runner.as_str().as_bytes())),
        (b"run_seq", decimal(running.seq)),
        (b"run_args", args),
        (b"until", decimal(running.until_us)),
        (b"lease", decimal(running.lease_us)),
        (b"fence", decimal(record.fence)),
    ]);
    hash.delete(PENDING);
}

fn finish(
    hash: &mut Hash<'_>,
    memo: Memo,
    before: &Before,
    record: &DebounceRecord,
    until_ms: Option<u64>,
) {
    hash.expire_at(until_ms);
    match &record.pending {
        _ if memo == Memo::Finished => {
            hash.set([
                (b"seq", decimal(record.seq)),
                (b"fired", decimal(record.fired)),
                (b"done", decimal(record.done)),
                (b"fence", decimal(record.fence)),
            ]);
            if record.pending.is_none() {
                hash.delete(PENDING);
            }
            if before.seq == 0 {
                hash.expire_at(until_ms);
            }
        }
        Some(pending) if before.due_us.is_none() => {
            let args = hash.field(b"run_args");
            hash.set([
                (b"args", args),
                (b"due", decimal(pending.due_us)),
                (b"wait", decimal(record.wait_us)),
                (b"lead", Bytes::from_static(b"0")),
            ]);
        }
        _ => {}
    }
    if record.running.is_none() {
        hash.delete(RUNNING);
    }
}

impl Hash<'_> {
    /// `HSET`.
    fn set<const N: usize>(&mut self, pairs: [(&'static [u8], Bytes); N]) {
        let insert = |fields: &mut Fields| {
            for (name, text) in pairs {
                fields.insert(Bytes::from_static(name), text);
            }
        };
        if self.exists {
            self.change(insert);
        } else {
            let mut fields = Fields::default();
            insert(&mut fields);
            let entry = Entry { value: Value::Hash(fields.into()), expires_at_ms: None };
            let name = Bytes::copy_from_slice(self.name.as_bytes());
            self.keys.set_entry(name, Some(entry));
            self.exists = true;
        }
    }

    /// `HDEL`; no write if none is there.
    fn delete(&mut self, names: &[&[u8]]) {
        let is_there =
            self.fields().is_some_and(|fields| names.iter().any(|name| fields.get(name).is_some()));
        if is_there {
            self.change(|fields| {
                for name in names {
                    fields.remove(name);
                }
            });
        }
    }

    /// `PEXPIREAT`.
    fn expire_at(&mut self, until_ms: Option<u64>) {
        let Some(until_ms) = until_ms else { return };
        let name = self.name.as_bytes();
        self.keys.modify(self.now_ms, name, |entry| entry.expires_at_ms = Some(until_ms));
    }

    /// A field that is known to be there.
    fn field(&self, name: &[u8]) -> Bytes {
        self.fields().and_then(|fields| fields.get(name)).cloned().unwrap_or_default()
    }

    fn fields(&self) -> Option<&Fields> {
        match &self.keys.peek(self.now_ms, self.name.as_bytes())?.value {
            Value::Hash(fields) => Some(fields),
            _ => None,
        }
    }

    fn change(&mut self, change: impl FnOnce(&mut Fields)) {
        self.keys.modify(self.now_ms, self.name.as_bytes(), |entry| {
            if let Value::Hash(fields) = &mut entry.value {
                change(Arc::make_mut(fields));
            }
        });
    }
}
