//! What a twin knows exactly; it declines everything else.

use std::{str, sync::Arc};

use bytes::Bytes;
use leasehold_core::{
    Token,
    debounce::{DebounceCommand, Retention, Timing},
    internals::{DebounceRecord, Memo, Pending, Running},
};

use super::super::{
    super::{Fields, Keyspace},
    values::string,
};

/// Whole numbers below it stay exact in Lua when two are added, and one more
/// [`SPAN_MS`] in microseconds.
const LIMIT: u64 = 1 << 52;
/// Spans below it, some 30 years, stay below [`LIMIT`] in microseconds.
const SPAN_MS: u64 = 1 << 40;

/// Whether the command's numbers are such that Lua and Redis take them as they stand.
pub(super) fn is_usual(now_us: u64, command: &DebounceCommand) -> bool {
    let lives = retention(command).is_none_or(|retention| {
        [retention.armed_ms, retention.settled_ms, retention.memo_ms].into_iter().all(is_life)
    });
    let numbers = match command {
        DebounceCommand::Call { seq, timing, .. } => *seq < LIMIT && is_usual_timing(timing),
        DebounceCommand::Claim { seq, run_lease_ms, .. } => *seq < LIMIT && is_life(*run_lease_ms),
        DebounceCommand::Finish { seq, fence, retry_ms, .. } => {
            *seq < LIMIT && fence.0 < LIMIT && *retry_ms < SPAN_MS
        }
        _ => true,
    };
    now_us < LIMIT && lives && numbers
}

fn is_usual_timing(timing: &Timing) -> bool {
    timing.wait_ms < SPAN_MS && timing.max_wait_ms.is_none_or(|max| max < SPAN_MS)
}

fn is_life(millis: u64) -> bool {
    0 < millis && millis < SPAN_MS
}

pub(super) fn retention(command: &DebounceCommand) -> Option<&Retention> {
    match command {
        DebounceCommand::Call { retention, .. }
        | DebounceCommand::Claim { retention, .. }
        | DebounceCommand::Finish { retention, .. }
        | DebounceCommand::Cancel { retention, .. }
        | DebounceCommand::Flush { retention, .. } => Some(retention),
        DebounceCommand::Inspect { .. } => None,
    }
}

/// The memo that `command` reads, if any; declines one that its script does not write.
#[expect(clippy::option_option, reason = "the outer one declines, the inner one is an absent key")]
pub(super) fn memo(
    keys: &Keyspace,
    now_ms: u64,
    key: &str,
    command: &DebounceCommand,
) -> Option<Option<Memo>> {
    if matches!(command, DebounceCommand::Claim { .. }) {
        // Only whether there is one counts.
        return Some(keys.peek(now_ms, key.as_bytes()).map(|_| Memo::Stale));
    }
    let Some((text, _)) = string(keys, now_ms, key)? else {
        return Some(None);
    };
    Some(Some(match (command, &text[..]) {
        (DebounceCommand::Call { .. }, b"suppressed") => Memo::Suppressed,
        (DebounceCommand::Call { .. }, text) => Memo::Armed(number(text).filter(|seq| *seq > 0)?),
        (DebounceCommand::Finish { .. }, b"finished") => Memo::Finished,
        (DebounceCommand::Finish { .. }, b"rearmed") => Memo::Rearmed,
        (DebounceCommand::Finish { .. }, b"dropped") => Memo::Dropped,
        (DebounceCommand::Finish { .. }, b"stale") => Memo::Stale,
        (DebounceCommand::Cancel { .. } | DebounceCommand::Flush { .. }, b"0") => {
            Memo::Waited(false)
        }
        (DebounceCommand::Cancel { .. } | DebounceCommand::Flush { .. }, b"1") => {
            Memo::Waited(true)
        }
        _ => return None,
    }))
}

/// The fields of a record as they stand.
#[derive(Default)]
struct Texts<'a> {
    args: Option<&'a Bytes>,
    done: Option<&'a Bytes>,
    due: Option<&'a Bytes>,
    fence: Option<&'a Bytes>,
    fired: Option<&'a Bytes>,
    first: Option<&'a Bytes>,
    lead: Option<&'a Bytes>,
    lease: Option<&'a Bytes>,
    max: Option<&'a Bytes>,
    run_args: Option<&'a Bytes>,
    run_seq: Option<&'a Bytes>,
    runner: Option<&'a Bytes>,
    seq: Option<&'a Bytes>,
    until: Option<&'a Bytes>,
    wait: Option<&'a Bytes>,
    window: Option<&'a Bytes>,
}

/// The record that `fields` hold, with the arguments only if `command` answers with them.
pub(super) fn record(fields: &Fields, command: &DebounceCommand) -> Option<DebounceRecord> {
    let texts = Texts::of(fields);
    let record = DebounceRecord {
        seq: number_or_zero(texts.seq)?,
        fired: number_or_zero(texts.fired)?,
        done: number_or_zero(texts.done)?,
        fence: number_or_zero(texts.fence)?,
        first_us: number_or_zero(texts.first)?,
        wait_us: number_or_zero(texts.wait)?,
        window_us: number_or_zero(texts.window)?,
        max_wait_ms: match texts.max {
            Some(text) if !text.is_empty() => Some(number(text).filter(|max| *max < SPAN_MS)?),
            _ => None,
        },
        pending: texts.pending(command)?,
        running: texts.running(command)?,
    };
    is_consistent(&texts, &record).then_some(record)
}

/// Whether the scripts write such a record. In others, Lua fails or tells 0 from nothing.
fn is_consistent(texts: &Texts<'_>, record: &DebounceRecord) -> bool {
    let armed = record.pending.is_some() || record.running.is_some();
    let bounded = texts.first.is_some() && texts.wait.is_some();
    (record.seq > 0 || texts.seq.is_none() && !armed)
        && (record.running.is_none() || record.fence > 0)
        && (record.pending.is_none() && record.window_us == 0 || bounded)
        && record.fired <= record.done
}

impl<'a> Texts<'a> {
    fn of(fields: &'a Fields) -> Self {
        let mut texts = Self::default();
        for (name, text) in fields.iter() {
            let place = match &name[..] {
                b"args" => &mut texts.args,
                b"done" => &mut texts.done,
                b"due" => &mut texts.due,
                b"fence" => &mut texts.fence,
                b"fired" => &mut texts.fired,
                b"first" => &mut texts.first,
                b"lead" => &mut texts.lead,
                b"lease" => &mut texts.lease,
                b"max" => &mut texts.max,
                b"run_args" => &mut texts.run_args,
                b"run_seq" => &mut texts.run_seq,
                b"runner" => &mut texts.runner,
                b"seq" => &mut texts.seq,
                b"until" => &mut texts.until,
                b"wait" => &mut texts.wait,
                b"window" => &mut texts.window,
                _ => continue,
            };
            *place = Some(text);
        }
        texts
    }

    #[expect(clippy::option_option, reason = "the outer one declines, the inner one is absent")]
    fn pending(&self, command: &DebounceCommand) -> Option<Option<Pending>> {
        match (self.args, self.due, self.lead) {
            (None, None, None) => Some(None),
            (Some(args), Some(due), Some(lead)) => Some(Some(Pending {
                args: arguments(args, command),
                due_us: number(due)?,
                leading: match &lead[..] {
                    b"0" => false,
                    b"1" => true,
                    _ => return None,
                },
            })),
            _ => None,
        }
    }

    #[expect(clippy::option_option, reason = "the outer one declines, the inner one is absent")]
    fn running(&self, command: &DebounceCommand) -> Option<Option<Running>> {
        match (self.runner, self.run_seq, self.run_args, self.until, self.lease) {
            (None, None, None, None, None) => Some(None),
            (Some(runner), Some(seq), Some(args), Some(until), Some(lease)) => {
                Some(Some(Running {
                    runner: token(runner, command)?,
                    seq: number(seq).filter(|seq| *seq > 0)?,
                    args: arguments(args, command),
                    until_us: number(until).filter(|until| *until > 0)?,
                    lease_us: number(lease)?,
                }))
            }
            _ => None,
        }
    }
}

fn arguments(text: &[u8], command: &DebounceCommand) -> Arc<[u8]> {
    match command {
        DebounceCommand::Claim { .. } => text.into(),
        _ => Arc::default(),
    }
}

/// The runner's name; no new one is made if the command has it.
fn token(text: &[u8], command: &DebounceCommand) -> Option<Token> {
    match command {
        DebounceCommand::Claim { runner, .. } | DebounceCommand::Finish { runner, .. }
            if runner.as_str().as_bytes() == text =>
        {
            Some(runner.clone())
        }
        _ => Token::new(str::from_utf8(text).ok()?).ok(),
    }
}

fn number_or_zero(text: Option<&Bytes>) -> Option<u64> {
    text.map_or(Some(0), |text| number(text))
}

/// A number as the scripts write it, less than [`LIMIT`].
fn number(text: &[u8]) -> Option<u64> {
    if text.is_empty() || text.len() > 16 || text.len() > 1 && text[0] == b'0' {
        return None;
    }
    let digit = |byte: &u8| byte.is_ascii_digit().then(|| u64::from(byte - b'0'));
    let number = text.iter().try_fold(0, |number, byte| Some(number * 10 + digit(byte)?))?;
    (number < LIMIT).then_some(number)
}
