//! The lock's scripts, their arguments and their replies.

use alloc::{format, string::String, vec, vec::Vec};

use super::{Invocation, Pipeline, Request, Script, Value, decimal, malformed, refusal};
use crate::{
    lock::{Holder, IfHeld, LockCommand, LockKeys, LockReply},
    store::{Cause, StoreError},
    token::{Fence, Token},
};

pub(super) const ACQUIRE: Script = Script {
    name: "lock.acquire",
    sha1: "909ad7a24d6b5e8f48f050335b9c96de51d52496",
    text: include_str!("scripts/acquire.lua"),
};
pub(super) const EXTEND: Script = Script {
    name: "lock.extend",
    sha1: "2c0f7c290e73a19787d4a20c6f48c2d1f95d106d",
    text: include_str!("scripts/extend.lua"),
};
pub(super) const RELEASE: Script = Script {
    name: "lock.release",
    sha1: "f730d6f4e538775496c20b3016888f3f088ae9b7",
    text: include_str!("scripts/release.lua"),
};
pub(super) const RAISE_FENCE: Script = Script {
    name: "lock.raise_fence",
    sha1: "1a8fb374164c0a0bb06076c20f08aac856e7bcb6",
    text: include_str!("scripts/raise_fence.lua"),
};
pub(super) const INSPECT: Script = Script {
    name: "lock.inspect",
    sha1: "5b6bfe2dedb0793d73ba4af799a7a3fcbadaf6b4",
    text: include_str!("scripts/inspect.lua"),
};

pub(super) const LEAN_ACQUIRE: Script = Script {
    name: "lock.lean_acquire",
    sha1: "9b731f5bfffb6c60dc6191958c3e357d133c2550",
    text: include_str!("scripts/lean_acquire.lua"),
};
pub(super) const LEAN_RELEASE: Script = Script {
    name: "lock.lean_release",
    sha1: "bdb0d3bee133dc3b1aab34e87ccf29229411dbd9",
    text: include_str!("scripts/lean_release.lua"),
};

pub(super) fn encode(command: &LockCommand) -> Request {
    let (script, keys, args) = match command {
        LockCommand::Acquire { keys, token, lease_ms, fence_life_ms, tombstone_ms } => {
            let (series, number) = token.series();
            (
                &ACQUIRE,
                vec![text(keys.lock()), text(keys.fence()), keys.tombstone(series).into_bytes()],
                vec![
                    bytes(token),
                    decimal(*lease_ms),
                    decimal(*fence_life_ms),
                    fifteen_digits(number),
                    decimal(*tombstone_ms),
                ],
            )
        }
        LockCommand::AcquireLean { keys, token, lease_ms, held } => {
            return lean_acquire(keys, token, *lease_ms, *held);
        }
        LockCommand::ReleaseLean { keys, token } => (
            &LEAN_RELEASE,
            vec![text(keys.lock()), text(keys.waiting())],
            vec![bytes(token), keys.channel().into_bytes()],
        ),
        LockCommand::Extend { keys, token, lease_ms } => {
            (&EXTEND, vec![text(keys.lock())], vec![bytes(token), decimal(*lease_ms)])
        }
        LockCommand::Release { keys, token, tombstone_ms } => {
            let (series, number) = token.series();
            (
                &RELEASE,
                vec![text(keys.lock()), keys.tombstone(series).into_bytes()],
                vec![
                    bytes(token),
                    fifteen_digits(number),
                    decimal(*tombstone_ms),
                    keys.channel().into_bytes(),
                ],
            )
        }
        LockCommand::Inspect { keys, token } => {
            let ours = token.as_ref().map(bytes).unwrap_or_default();
            (&INSPECT, vec![text(keys.lock())], vec![ours])
        }
        LockCommand::RaiseFence { keys, token, fence, fence_life_ms } => (
            &RAISE_FENCE,
            vec![text(keys.lock()), text(keys.fence())],
            vec![bytes(token), decimal(fence.0), decimal(*fence_life_ms)],
        ),
        LockCommand::Confirm { keys: _, replicas, timeout_ms } => {
            let arguments = [b"WAIT".to_vec(), decimal((*replicas).into()), decimal(*timeout_ms)];
            return Request::Plain(arguments.to_vec());
        }
    };
    Request::Script(Invocation { script, keys, args })
}

/// The time comes after the lock: whoever has it next has a later time, unless the lease was over
/// before the reply, which is then no lease.
fn lean_acquire(keys: &LockKeys, token: &Token, lease_ms: u64, held: IfHeld) -> Request {
    let note_ms = match held {
        IfHeld::Say | IfHeld::Unsaid => 0,
        IfHeld::Wait(note_ms) => note_ms,
    };
    let script = Invocation {
        script: &LEAN_ACQUIRE,
        keys: vec![text(keys.lock()), text(keys.waiting())],
        args: vec![bytes(token), decimal(lease_ms), decimal(note_ms)],
    };
    if held != IfHeld::Unsaid {
        return Request::Script(script);
    }
    let set = [b"SET".to_vec(), text(keys.lock()), bytes(token), b"NX".to_vec(), b"PX".to_vec()];
    let set = set.into_iter().chain([decimal(lease_ms)]).collect();
    Request::Pipeline(Pipeline { commands: vec![set, vec![b"TIME".to_vec()]], script })
}

pub(super) fn decode(command: &LockCommand, value: &Value) -> Result<LockReply, StoreError> {
    if let (LockCommand::AcquireLean { held: IfHeld::Unsaid, .. }, Value::Array(replies)) =
        (command, value)
        && let [set, time] = &replies[..]
        && let Some(result) = pipelined(set, time)
    {
        return result;
    }
    let reply = match command {
        LockCommand::Acquire { .. } => acquired(value),
        LockCommand::AcquireLean { .. } => {
            acquired(value).filter(|reply| *reply != LockReply::Revoked)
        }
        LockCommand::Extend { .. } => yes_or_no(value, LockReply::Extended),
        LockCommand::Release { .. } | LockCommand::ReleaseLean { .. } => {
            yes_or_no(value, LockReply::Released)
        }
        LockCommand::Inspect { .. } => holder(value).map(LockReply::Holder),
        LockCommand::RaiseFence { .. } => yes_or_no(value, LockReply::FenceRaised),
        LockCommand::Confirm { .. } => confirmed(value),
    };
    reply.ok_or_else(|| malformed(value))
}

fn acquired(value: &Value) -> Option<LockReply> {
    if let Value::Bytes(_) = value {
        return granted(value, true);
    }
    Some(match value.tagged()? {
        (b"held", [fence]) => granted(fence, false)?,
        (b"busy", [remaining]) => LockReply::Busy { remaining_ms: time_to_live(remaining)? },
        (b"gone", []) => LockReply::Revoked,
        _ => return None,
    })
}

/// What `SET NX` and `TIME` say together; `None` if they are the reply of the script.
fn pipelined(set: &Value, time: &Value) -> Option<Result<LockReply, StoreError>> {
    match (set, time) {
        (Value::Error(message), _) => Some(Err(refusal(message.clone()))),
        (Value::Nil, _) => Some(Ok(LockReply::Taken)),
        (Value::Bytes(ok), Value::Error(message)) if ok == b"OK" => {
            // The lock is taken, and is to be given up.
            Some(Err(StoreError::Unknown(Cause::Other(message.clone().into()))))
        }
        (Value::Bytes(ok), Value::Array(time)) if ok == b"OK" => {
            let [seconds, micros] = &time[..] else { return None };
            let fence = seconds.unsigned()?.checked_mul(1_000_000)?;
            let fence = Fence(fence.checked_add(micros.unsigned()?)?);
            Some(Ok(LockReply::Acquired { fence, fresh: true }))
        }
        _ => None,
    }
}

/// A fence comes as text, unlike the integers with which other scripts answer.
fn granted(fence: &Value, fresh: bool) -> Option<LockReply> {
    fence.bytes()?;
    Some(LockReply::Acquired { fence: Fence(fence.unsigned()?), fresh })
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

fn confirmed(value: &Value) -> Option<LockReply> {
    let replicas = value.integer()?.try_into().ok()?;
    Some(LockReply::Confirmed { replicas })
}

/// `PTTL`: -1 is a key that never expires.
fn time_to_live(value: &Value) -> Option<Option<u64>> {
    match value.integer()? {
        -1 => Some(None),
        remaining => remaining.try_into().ok().map(Some),
    }
}

/// The number of a token in its series, which has at most so many: the scripts compare it as text.
fn fifteen_digits(number: u64) -> Vec<u8> {
    format!("{number:015}").into_bytes()
}

fn text(key: &str) -> Vec<u8> {
    String::from(key).into_bytes()
}

fn bytes(token: &Token) -> Vec<u8> {
    token.as_str().as_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use alloc::{format, sync::Arc};

    use super::*;
    use crate::{
        lock::LockKeys,
        store::{Cause, RejectionKind},
    };

    fn commands() -> [LockCommand; 9] {
        let keys = Arc::new(LockKeys::of("job"));
        let token = Token::new("mine").unwrap();
        [
            LockCommand::Acquire {
                keys: keys.clone(),
                token: token.clone(),
                lease_ms: 10,
                fence_life_ms: 20,
                tombstone_ms: 30,
            },
            LockCommand::Extend { keys: keys.clone(), token: token.clone(), lease_ms: 30 },
            LockCommand::Release { keys: keys.clone(), token: token.clone(), tombstone_ms: 40 },
            LockCommand::Inspect { keys: keys.clone(), token: Some(token.clone()) },
            LockCommand::RaiseFence {
                keys: keys.clone(),
                token: token.clone(),
                fence: Fence(9),
                fence_life_ms: 50,
            },
            LockCommand::Confirm { keys: keys.clone(), replicas: 2, timeout_ms: 60 },
            lean(IfHeld::Unsaid),
            lean(IfHeld::Wait(70)),
            LockCommand::ReleaseLean { keys, token },
        ]
    }

    fn lean(held: IfHeld) -> LockCommand {
        let (keys, token) = (Arc::new(LockKeys::of("job")), Token::new("mine").unwrap());
        LockCommand::AcquireLean { keys, token, lease_ms: 10, held }
    }

    fn script(command: &LockCommand) -> Invocation {
        match encode(command) {
            Request::Script(invocation) => invocation,
            request => panic!("{request:?}"),
        }
    }

    fn list<const N: usize>(values: [Value; N]) -> Value {
        Value::Array(values.to_vec())
    }

    fn one(number: i64) -> Value {
        Value::Integer(number)
    }

    #[test]
    fn a_lock_is_stored_as_upstash_lock_stores_it() {
        let run = script(&commands()[0]);
        assert_eq!(run.keys[0], b"job");
        assert_eq!(run.args[0], b"mine");
        let (number, tombstone_life) = (b"000000000000000".to_vec(), b"30".to_vec());
        assert_eq!(run.args[1..], [b"10".to_vec(), b"20".to_vec(), number, tombstone_life]);
        let lease_args = [0, 1, 2, 3, 4].map(|which| script(&commands()[which]).args);
        assert_eq!(lease_args[1], [b"mine".to_vec(), b"30".to_vec()]);
        let (number, channel) = (b"000000000000000" as &[u8], b"leasehold:released:{job}:job");
        assert_eq!(lease_args[2], [b"mine" as &[u8], number, b"40", channel]);
        assert_eq!(lease_args[3], [b"mine".to_vec()]);
        assert_eq!(lease_args[4], [b"mine", b"9" as &[u8], b"50"]);
        let wait = Request::Plain(vec![b"WAIT".to_vec(), b"2".to_vec(), b"60".to_vec()]);
        assert_eq!(encode(&commands()[5]), wait, "no script may wait");
    }

    #[test]
    fn a_lean_lock_is_taken_by_a_pipeline_or_by_the_script_that_does_the_same() {
        let words = |words: &[&str]| words.iter().map(|word| word.as_bytes().to_vec()).collect();
        let Request::Pipeline(pipeline) = encode(&lean(IfHeld::Unsaid)) else { panic!() };
        let set: Vec<Vec<u8>> = words(&["SET", "job", "mine", "NX", "PX", "10"]);
        assert_eq!(pipeline.commands, [set, words(&["TIME"])]);
        assert_eq!(Request::Script(pipeline.script), encode(&lean(IfHeld::Say)));
        let waiting = script(&lean(IfHeld::Wait(70)));
        let keys: Vec<Vec<u8>> = words(&["job", "leasehold:waiting:{job}:job"]);
        assert_eq!(waiting.keys, keys);
        assert_eq!(waiting.args, [b"mine" as &[u8], b"10", b"70"]);
        let release = script(&commands()[8]);
        assert_eq!(release.keys, keys);
        assert_eq!(release.args, [b"mine" as &[u8], b"leasehold:released:{job}:job"]);
    }

    #[test]
    fn every_reply_of_the_pipeline_is_understood() {
        let time = || list(["1700000000".into(), "12".into()]);
        let error = |text: &str| Value::Error(text.into());
        let taken = LockReply::Acquired { fence: Fence(1_700_000_000_000_012), fresh: true };
        let told = |set, time| decode(&lean(IfHeld::Unsaid), &list([set, time]));
        assert_eq!(told("OK".into(), time()), Ok(taken));
        assert_eq!(told(Value::Nil, time()), Ok(LockReply::Taken));
        assert_eq!(told(Value::Nil, error("NOPERM")), Ok(LockReply::Taken));
        match told(error("OOM command not allowed"), time()) {
            Err(StoreError::Rejected(refused)) => {
                assert_eq!(refused.kind, RejectionKind::OutOfMemory);
            }
            other => panic!("{other:?}"),
        }
        let without_fence = told("OK".into(), error("NOPERM no permission for 'time'"));
        assert!(matches!(without_fence, Err(StoreError::Unknown(_))), "the key is there");
        for odd in [list([]), list(["1".into()]), list(["x".into(), "1".into()]), one(1)] {
            assert!(matches!(told("OK".into(), odd), Err(StoreError::Unknown(_))));
        }
        // Where it was the script that answered.
        let busy = list(["busy".into(), one(5)]);
        let left = LockReply::Busy { remaining_ms: Some(5) };
        assert_eq!(decode(&lean(IfHeld::Unsaid), &busy), Ok(left));
    }

    #[test]
    fn every_reply_of_the_scripts_is_understood() {
        let [acquire, extend, release, inspect, raise_fence, confirm, _, lean, free] = commands();
        let fence = || Value::from("1700000000000000");
        let granted = |fresh| LockReply::Acquired { fence: Fence(1_700_000_000_000_000), fresh };
        let left = |remaining_ms| LockReply::Busy { remaining_ms };
        let holder = LockReply::Holder;
        let cases = [
            (&acquire, fence(), granted(true)),
            (&acquire, list(["held".into(), fence()]), granted(false)),
            (&acquire, list(["busy".into(), one(5)]), left(Some(5))),
            (&acquire, list(["busy".into(), one(-1)]), left(None)),
            (&acquire, list(["gone".into()]), LockReply::Revoked),
            (&lean, fence(), granted(true)),
            (&lean, list(["held".into(), fence()]), granted(false)),
            (&lean, list(["busy".into(), one(5)]), left(Some(5))),
            (&free, one(1), LockReply::Released),
            (&free, one(0), LockReply::NotHeld),
            (&extend, one(1), LockReply::Extended),
            (&extend, one(0), LockReply::NotHeld),
            (&release, "1".into(), LockReply::Released),
            (&release, one(0), LockReply::NotHeld),
            (&raise_fence, one(1), LockReply::FenceRaised),
            (&raise_fence, one(0), LockReply::NotHeld),
            (&confirm, one(0), LockReply::Confirmed { replicas: 0 }),
            (&confirm, "2".into(), LockReply::Confirmed { replicas: 2 }),
            (&inspect, list(["free".into()]), holder(Holder::Free)),
            (&inspect, list(["us".into(), one(5)]), holder(Holder::Us { remaining_ms: Some(5) })),
            (
                &inspect,
                list(["other".into(), one(-1)]),
                holder(Holder::Other { remaining_ms: None }),
            ),
        ];
        for (command, value, reply) in cases {
            assert_eq!(decode(command, &value), Ok(reply), "{value:?}");
        }
    }

    #[test]
    fn a_reply_of_the_wrong_shape_leaves_open_whether_the_command_was_applied() {
        let nested = || list([list(["held".into()])]);
        let wrong = [
            Value::Nil,
            one(2),
            one(-2),
            "".into(),
            "OK".into(),
            "1.5".into(),
            Value::Bytes(alloc::vec![0xff]),
            list([]),
            nested(),
            list([Value::Nil]),
            list([one(1)]),
            "-7".into(),
            list(["held".into()]),
            list(["held".into(), one(7)]),
            list(["held".into(), "-7".into()]),
            list(["held".into(), Value::Nil]),
            list(["held".into(), "7".into(), one(1)]),
            list(["busy".into()]),
            list(["busy".into(), one(-2)]),
            list(["busy".into(), "soon".into()]),
            list(["gone".into(), one(1)]),
            list(["free".into(), one(1)]),
            list(["us".into()]),
            list(["us".into(), Value::Nil]),
            list(["other".into(), nested()]),
            list(["them".into(), one(5)]),
        ];
        for command in commands() {
            for value in &wrong {
                let reply = decode(&command, value);
                let confirm = matches!(command, LockCommand::Confirm { .. });
                if confirm && *value == one(2) {
                    continue;
                }
                assert!(
                    matches!(reply, Err(StoreError::Unknown(Cause::Malformed(_)))),
                    "{command:?} {value:?} {reply:?}"
                );
            }
        }
    }

    #[test]
    fn a_reply_to_another_script_has_the_wrong_shape() {
        let [acquire, extend, release, inspect, raise_fence, confirm, take, wait, free] =
            commands();
        let busy = list(["busy".into(), one(5)]);
        let free_reply = list(["free".into()]);
        for (command, value) in [
            (acquire, &free_reply),
            (extend, &busy),
            (release, &free_reply),
            (inspect, &busy),
            (raise_fence, &free_reply),
            (confirm, &busy),
            (take, &free_reply),
            (wait, &free_reply),
            (free, &busy),
        ] {
            assert!(decode(&command, value).is_err(), "{command:?}");
        }
    }

    #[test]
    fn a_long_reply_of_the_wrong_shape_is_shown_in_part() {
        let long = Value::Bytes(alloc::vec![b'x'; 100_000]);
        let shown = format!("{}", decode(&commands()[0], &long).unwrap_err());
        assert!(shown.len() < 300, "{}", shown.len());
    }

    #[test]
    fn an_error_reply_is_an_answer() {
        for command in commands() {
            let error = Value::Error("WRONGTYPE Operation against a key".into());
            match crate::redis::decode(&crate::Command::Lock(command), error) {
                Err(StoreError::Rejected(rejection)) => {
                    assert_eq!(rejection.kind, RejectionKind::WrongType);
                }
                other => panic!("{other:?}"),
            }
        }
    }
}
