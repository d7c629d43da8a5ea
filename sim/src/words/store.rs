//! What is asked of a store and what it answers, in a few words.

use leasehold_core::{
    Command, Reply, StoreError,
    debounce::{DebounceCommand, DebounceReply},
    lock::{Holder, LockCommand, LockReply},
};

use super::fence;

/// What a command asks for: `acquire`.
pub fn verb(command: &Command) -> &'static str {
    match command {
        Command::Lock(command) => match command {
            LockCommand::Acquire { .. } | LockCommand::AcquireLean { .. } => "acquire",
            LockCommand::Extend { .. } => "extend",
            LockCommand::Release { .. } | LockCommand::ReleaseLean { .. } => "release",
            LockCommand::RaiseFence { .. } => "raise the fence",
            LockCommand::Confirm { .. } => "wait for replicas",
            LockCommand::Inspect { .. } => "who holds it?",
        },
        Command::Debounce(command) => match command {
            DebounceCommand::Call { .. } => "call",
            DebounceCommand::Claim { .. } => "anything to run?",
            DebounceCommand::Finish { success: true, .. } => "the run went well",
            DebounceCommand::Finish { .. } => "the run failed",
            DebounceCommand::Cancel { .. } => "cancel what waits",
            DebounceCommand::Flush { .. } => "run what waits now",
            DebounceCommand::Inspect { .. } => "what waits?",
        },
    }
}

/// What a store answers: `acquired`.
pub fn answer(answer: &Result<Reply, StoreError>) -> String {
    match answer {
        Ok(Reply::Lock(reply)) => lock(reply),
        Ok(Reply::Debounce(reply)) => debounce(reply),
        Err(StoreError::Rejected(no)) => format!("refused: {}", no.message),
        Err(error) => error.to_string(),
    }
}

fn lock(reply: &LockReply) -> String {
    match reply {
        LockReply::Acquired { fence: number, .. } => format!("acquired, {}", fence(number.0)),
        LockReply::Busy { .. } => "held by another".into(),
        LockReply::Taken => "held".into(),
        LockReply::Revoked => "this token was given up".into(),
        LockReply::Extended => "extended".into(),
        LockReply::Released => "released".into(),
        LockReply::FenceRaised => "raised".into(),
        LockReply::Confirmed { replicas: 1 } => "1 replica has it".into(),
        LockReply::Confirmed { replicas } => format!("{replicas} replicas have it"),
        LockReply::NotHeld => "not yours".into(),
        LockReply::Holder(Holder::Free) => "nobody holds it".into(),
        LockReply::Holder(Holder::Us { .. }) => "you hold it".into(),
        LockReply::Holder(_) => "another holds it".into(),
    }
}

fn debounce(reply: &DebounceReply) -> String {
    match reply {
        DebounceReply::Armed { .. } => "it counts".into(),
        DebounceReply::Suppressed { .. } => "it is suppressed".into(),
        DebounceReply::Claimed { fence: number, .. } => format!("run it, {}", fence(number.0)),
        DebounceReply::NotDue { due_in_ms, .. } => format!("not due for {due_in_ms} ms"),
        DebounceReply::Running { .. } => "another runs it".into(),
        DebounceReply::Settled { .. } => "it is settled".into(),
        DebounceReply::Missing => "no such call".into(),
        DebounceReply::Idle => "nothing waits".into(),
        DebounceReply::Revoked => "that run was finished before".into(),
        DebounceReply::Finished => "noted".into(),
        DebounceReply::Rearmed { .. } => "it will be run again".into(),
        DebounceReply::Dropped => "it was cancelled meanwhile".into(),
        _ => "done".into(),
    }
}
