//! What processes do, in words.

use leasehold_core::{
    Command, Reply, StoreError,
    debounce::{DebounceCommand, DebounceReply},
    lock::{LockCommand, LockKeys, LockReply},
};

use super::users::{Answer, Response};
use crate::{
    history::Client,
    words::{client, store},
};

/// What a process does that sends this.
pub(super) fn command(command: &Command) -> String {
    match command {
        Command::Lock(command) => lock(command),
        Command::Debounce(command) => {
            let remote_call = match command {
                DebounceCommand::Call { .. } => "calls",
                DebounceCommand::Claim { .. } => "asks for a run of",
                DebounceCommand::Finish { .. } => "reports its run of",
                DebounceCommand::Cancel { .. } => "cancels what waits of",
                DebounceCommand::Flush { .. } => "makes due what waits of",
                DebounceCommand::Inspect { .. } => "looks at",
            };
            format!("{remote_call} the debounced `{}`", command.keys().id())
        }
    }
}

/// A command in a few words: `acquire job`.
pub(super) fn short(command: &Command) -> String {
    let id = match command {
        Command::Debounce(command) => command.keys().id(),
        Command::Lock(command) => keys(command).lock(),
    };
    format!("{} {id}", store::verb(command))
}

fn keys(command: &LockCommand) -> &LockKeys {
    match command {
        LockCommand::Acquire { keys, .. }
        | LockCommand::Extend { keys, .. }
        | LockCommand::Release { keys, .. }
        | LockCommand::RaiseFence { keys, .. }
        | LockCommand::Confirm { keys, .. }
        | LockCommand::Inspect { keys, .. } => keys,
    }
}

fn lock(command: &LockCommand) -> String {
    let what = match command {
        LockCommand::Acquire { .. } => "asks for the lock",
        LockCommand::Extend { .. } => "extends the lock",
        LockCommand::Release { .. } => "releases the lock",
        LockCommand::RaiseFence { .. } => "raises the fence of the lock",
        LockCommand::Confirm { .. } => "waits for replicas to have the lock",
        LockCommand::Inspect { .. } => "looks at the lock",
    };
    format!("{what} `{}`", keys(command).lock())
}

/// What a process learns by this response to its request `call`.
pub(super) fn response(me: Client, call: u32, response: &Response) -> String {
    let who = client(me);
    match response {
        Response::Answer(Answer::Store(Ok(Reply::Lock(reply)))) => {
            format!("{who} is told: {}", lock_reply(reply))
        }
        Response::Answer(Answer::Store(Ok(Reply::Debounce(reply)))) => {
            format!("{who} is told: {}", debounce_reply(reply))
        }
        Response::Answer(Answer::Store(Err(StoreError::Rejected(no)))) => {
            format!("{who} is refused: {}", no.message)
        }
        Response::Answer(Answer::Store(Err(error))) => format!("{who} is told: {error}"),
        Response::Answer(Answer::Remote) => {
            format!("{who} has the answer to its remote call {call}")
        }
        Response::Refused => format!("{who} reaches no server"),
        _ => {
            format!("{who} sees its connection break, and knows nothing of its request {call}")
        }
    }
}

fn lock_reply(reply: &LockReply) -> String {
    match reply {
        LockReply::Acquired { fence, .. } => {
            format!("you have it, with fence …{:06}", fence.0 % 1_000_000)
        }
        LockReply::Busy { .. } => "another has it".into(),
        LockReply::Gone => "this token was given up".into(),
        LockReply::Extended => "extended".into(),
        LockReply::Released => "released".into(),
        LockReply::FenceRaised => "raised".into(),
        LockReply::Confirmed { replicas } => format!("{replicas} replicas have it"),
        LockReply::NotHeld => "it is not yours".into(),
        LockReply::Holder(holder) => format!("its holder is {holder:?}"),
    }
}

fn debounce_reply(reply: &DebounceReply) -> &'static str {
    match reply {
        DebounceReply::Armed { .. } => "the call counts",
        DebounceReply::Suppressed { .. } => "the call is suppressed",
        DebounceReply::Claimed { .. } => "run it",
        DebounceReply::NotDue { .. } => "it is not due",
        DebounceReply::Running { .. } => "another runs it",
        DebounceReply::Settled { .. } => "it is settled",
        _ => "so it is",
    }
}
