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
    sha1: "2b29ad792618d6e9d87a4c5fca91305d8418d093",
    text: include_str!("scripts/debounce_call.lua"),
};
pub(super) const CLAIM: Script = Script {
    name: "debounce.claim",
    sha1: "a662924b869b9073e94ade80ef4588142366aea4",
    text: include_str!("scripts/debounce_claim.lua"),
};
pub(super) const FINISH: Script = Script {
    name: "debounce.finish",
    sha1: "78913f180c9532d379d4d0ecc85eb483bb28fa53",
    text: include_str!("scripts/debounce_finish.lua"),
};
pub(super) const CANCEL: Script = Script {
    name: "debounce.cancel",
    sha1: "08c8d7f6b8daa7815f0205634cfa8ec9a5b28723",
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
    let (script, args) = match command {
        DebounceCommand::Call { args, seq, timing, retention, .. } => {
            let lives = [retention.armed_ms, retention.memo_ms].map(decimal);
            let first = vec![args.to_vec(), decimal(*seq)];
            (&CALL, [first, timing_args(timing), lives.into()].concat())
        }
        DebounceCommand::Claim { runner, seq, run_lease_ms, retention, .. } => {
            let numbers = [*seq, *run_lease_ms, retention.armed_ms].map(decimal);
            (&CLAIM, [vec![bytes(runner)], numbers.into()].concat())
        }
        DebounceCommand::Finish { runner, seq, fence, success, retry_ms, retention, .. } => {
            let lives = [retention.armed_ms, retention.settled_ms, retention.memo_ms];
            let numbers = [u64::from(*success), *seq, fence.0, *retry_ms].map(decimal);
            let args = [vec![bytes(runner)], numbers.into(), lives.map(decimal).into()].concat();
            (&FINISH, args)
        }
        DebounceCommand::Cancel { retention, .. } => {
            let lives = [retention.settled_ms, retention.memo_ms].map(decimal);
            (&CANCEL, lives.into())
        }
        DebounceCommand::Flush { retention, .. } => (&FLUSH, vec![decimal(retention.memo_ms)]),
        DebounceCommand::Inspect { .. } => (&INSPECT, Vec::new()),
    };
    let keys = command.keys();
    let mut named = vec![keys.record().as_bytes().to_vec()];
    named.extend(command.name().map(|name| keys.memo(name).into_bytes()));
    Invocation { script, keys: named, args }
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
        (b"spent", []) => DebounceReply::Revoked,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        debounce::{DebounceKeys, Retention},
        store::{Cause, Command, Reply},
    };

    const RETENTION: Retention = Retention { armed_ms: 9, settled_ms: 8, memo_ms: 7 };

    fn keys() -> Arc<DebounceKeys> {
        Arc::new(DebounceKeys::of("job"))
    }

    fn token() -> Token {
        Token::new("t").unwrap()
    }

    fn call() -> DebounceCommand {
        let timing = Timing { wait_ms: 10, max_wait_ms: None, leading: false, trailing: true };
        let args = b"\0\xff".as_slice().into();
        DebounceCommand::Call {
            keys: keys(),
            call: token(),
            args,
            seq: 0,
            timing,
            retention: RETENTION,
        }
    }

    fn claim() -> DebounceCommand {
        DebounceCommand::Claim {
            keys: keys(),
            runner: token(),
            seq: 5,
            run_lease_ms: 30,
            retention: RETENTION,
        }
    }

    fn finish(success: bool) -> DebounceCommand {
        DebounceCommand::Finish {
            keys: keys(),
            runner: token(),
            seq: 5,
            fence: Fence(6),
            success,
            retry_ms: 4,
            retention: RETENTION,
        }
    }

    fn cancel() -> DebounceCommand {
        DebounceCommand::Cancel { keys: keys(), request: token(), retention: RETENTION }
    }

    fn flush() -> DebounceCommand {
        DebounceCommand::Flush { keys: keys(), request: token(), retention: RETENTION }
    }

    fn args(command: &DebounceCommand) -> Vec<Vec<u8>> {
        encode(command).args
    }

    fn list(values: &[Value]) -> Value {
        Value::Array(values.to_vec())
    }

    fn words(words: &[&str]) -> Value {
        Value::Array(words.iter().map(|word| Value::from(*word)).collect())
    }

    #[test]
    fn each_command_names_its_keys() {
        let record = keys().record().as_bytes().to_vec();
        let memo = keys().memo(&token()).into_bytes();
        for command in [call(), claim(), finish(true), cancel(), flush()] {
            assert_eq!(encode(&command).keys, [record.clone(), memo.clone()], "{command:?}");
        }
        assert_eq!(encode(&DebounceCommand::Inspect { keys: keys() }).keys, [record]);
    }

    #[test]
    fn arguments_are_as_the_scripts_say() {
        let bytes = |words: &[&[u8]]| words.iter().map(|word| word.to_vec()).collect::<Vec<_>>();
        let called: &[&[u8]] = &[b"\0\xff", b"0", b"10", b"", b"0", b"1", b"9", b"7"];
        assert_eq!(args(&call()), bytes(called));
        assert_eq!(args(&claim()), bytes(&[b"t", b"5", b"30", b"9"]));
        let finished: &[&[u8]] = &[b"t", b"1", b"5", b"6", b"4", b"9", b"8", b"7"];
        assert_eq!(args(&finish(true)), bytes(finished));
        assert_eq!(args(&cancel()), bytes(&[b"8", b"7"]));
        assert_eq!(args(&flush()), bytes(&[b"7"]));
        let leading = Timing { wait_ms: 1, max_wait_ms: Some(2), leading: true, trailing: false };
        assert_eq!(timing_args(&leading), bytes(&[b"1", b"2", b"1", b"0"]));
    }

    #[test]
    fn replies_are_read_whether_numbers_come_as_text_or_not() {
        let (word, number) = (Value::from, Value::Integer);
        let armed = DebounceReply::Armed { seq: 1_800_000_000_000_000, due_in_ms: 10 };
        let reply = list(&[word("armed"), word("1800000000000000"), number(10)]);
        assert_eq!(decode(&call(), &reply), Ok(armed.clone()));
        assert_eq!(decode(&call(), &words(&["armed", "1800000000000000", "10"])), Ok(armed));
        let claimed = DebounceReply::Claimed {
            seq: 5,
            fence: Fence(6),
            args: b"\xff".as_slice().into(),
            remaining_ms: 30,
        };
        let args = Value::Bytes(vec![0xff]);
        let reply = list(&[word("claimed"), word("5"), word("6"), args, number(30)]);
        assert_eq!(decode(&claim(), &reply), Ok(claimed));
        let settled = DebounceReply::Settled { fired: 0, done: 5 };
        assert_eq!(decode(&claim(), &words(&["settled", "0", "5"])), Ok(settled));
        let running = DebounceReply::Running { remaining_ms: 3, newest: 6 };
        assert_eq!(decode(&claim(), &words(&["running", "3", "6"])), Ok(running));
        let not_due = DebounceReply::NotDue { due_in_ms: 3, newest: 6 };
        assert_eq!(decode(&claim(), &words(&["notdue", "3", "6"])), Ok(not_due));
        let suppressed = DebounceReply::Suppressed { reopens_in_ms: 8 };
        assert_eq!(decode(&call(), &words(&["suppressed", "8"])), Ok(suppressed));
        let rearmed = DebounceReply::Rearmed { due_in_ms: 4 };
        assert_eq!(decode(&finish(false), &words(&["rearmed", "4"])), Ok(rearmed));
        for (value, pending) in [(0, false), (1, true)] {
            assert_eq!(decode(&cancel(), &number(value)), Ok(DebounceReply::Cancelled { pending }));
            assert_eq!(decode(&flush(), &number(value)), Ok(DebounceReply::Flushed { pending }));
        }
        let status =
            DebounceStatus { newest: 5, fired: 4, done: 4, due_in_ms: Some(0), running_ms: None };
        let reply = words(&["status", "5", "4", "4", "0", "-1"]);
        let inspect = DebounceCommand::Inspect { keys: keys() };
        assert_eq!(decode(&inspect, &reply), Ok(DebounceReply::Status(status)));
    }

    #[test]
    fn a_reply_of_one_word_is_read() {
        for (command, word, reply) in [
            (claim(), "missing", DebounceReply::Missing),
            (claim(), "idle", DebounceReply::Idle),
            (claim(), "spent", DebounceReply::Revoked),
            (finish(true), "finished", DebounceReply::Finished),
            (finish(true), "dropped", DebounceReply::Dropped),
            (finish(true), "stale", DebounceReply::Stale),
        ] {
            assert_eq!(decode(&command, &words(&[word])), Ok(reply), "{word}");
        }
    }

    #[test]
    fn a_reply_of_the_wrong_shape_is_unknown() {
        let cases = [
            (call(), words(&["armed", "0", "10"])),
            (call(), words(&["armed", "1"])),
            (call(), words(&["armed", "1", "-2"])),
            (call(), words(&["suppressed", "x"])),
            (call(), Value::Nil),
            (claim(), words(&["claimed", "5", "0", "args", "3"])),
            (claim(), words(&["claimed", "5", "6", "args"])),
            (claim(), list(&[Value::from("claimed"), Value::from("5"), Value::from("6")])),
            (claim(), words(&["missing", "why"])),
            (claim(), words(&["finished"])),
            (finish(true), Value::Integer(1)),
            (finish(true), words(&["rearmed"])),
            (cancel(), Value::Integer(2)),
            (flush(), words(&["1"])),
            (
                DebounceCommand::Inspect { keys: keys() },
                words(&["status", "1", "1", "1", "-2", "0"]),
            ),
        ];
        for (command, value) in cases {
            let reply = decode(&command, &value);
            let malformed = matches!(reply, Err(StoreError::Unknown(Cause::Malformed(_))));
            assert!(malformed, "{command:?} {value:?} {reply:?}");
        }
    }

    #[test]
    fn the_whole_mapping_leads_here() {
        let value = words(&["idle"]);
        let reply = super::super::decode(&Command::Debounce(claim()), value);
        assert_eq!(reply, Ok(Reply::Debounce(DebounceReply::Idle)));
    }
}
