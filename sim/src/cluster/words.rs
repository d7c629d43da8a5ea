//! What processes do, in words.

use bytes::Bytes;
use leasehold_core::{
    Command, Reply, StoreError,
    debounce::{DebounceCommand, DebounceReply},
    lock::{LockCommand, LockReply},
};

use leasehold_fake_redis::Resp;

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
        Command::Lock(command) => command.keys().lock(),
    };
    format!("{} {id}", store::verb(command))
}

fn lock(command: &LockCommand) -> String {
    let what = match command {
        LockCommand::Acquire { .. } | LockCommand::AcquireLean { .. } => "asks for the lock",
        LockCommand::Extend { .. } => "extends the lock",
        LockCommand::Release { .. } | LockCommand::ReleaseLean { .. } => "releases the lock",
        LockCommand::RaiseFence { .. } => "raises the fence of the lock",
        LockCommand::Confirm { .. } => "waits for replicas to have the lock",
        LockCommand::Inspect { .. } => "looks at the lock",
    };
    format!("{what} `{}`", command.keys().lock())
}

/// The most letters of a word, and the most words of a command, that are told.
const LETTERS: usize = 40;
const WORDS: usize = 12;

/// Commands as their user writes them.
pub(super) fn commands(commands: &[Vec<Bytes>]) -> String {
    let told: Vec<String> = commands.iter().map(|words| one(words)).collect();
    told.join(" | ")
}

fn one(words: &[Bytes]) -> String {
    let mut told: Vec<String> = words.iter().take(WORDS).map(|word| word_of(word)).collect();
    if words.len() > WORDS {
        told.push(format!("… {} more", words.len() - WORDS));
    }
    told.join(" ")
}

pub(super) fn word_of(word: &[u8]) -> String {
    let text = String::from_utf8_lossy(word);
    let mut letters = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some((cut, _)) = letters.char_indices().nth(LETTERS) {
        letters.truncate(cut);
        letters.push('…');
    }
    let plain = !letters.is_empty() && letters.chars().all(|letter| letter.is_ascii_graphic());
    if plain { letters } else { format!("{letters:?}") }
}

/// Replies as `redis-cli` prints them, but on one line.
pub(super) fn replies(replies: &[Resp]) -> String {
    let told: Vec<String> = replies.iter().map(reply).collect();
    told.join(" | ")
}

fn reply(reply: &Resp) -> String {
    match reply {
        Resp::Nil | Resp::NilArray => "nil".into(),
        Resp::Integer(number) => number.to_string(),
        Resp::Simple(status) => status.to_string(),
        Resp::Error(text) => text.to_string(),
        Resp::Bulk(bytes) => word_of(bytes),
        Resp::Array(items) => {
            let told: Vec<String> = items.iter().take(WORDS).map(self::reply).collect();
            let more = if items.len() > WORDS { ", …" } else { "" };
            format!("[{}{more}]", told.join(", "))
        }
        other => format!("{other:?}"),
    }
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
        Response::Answer(Answer::Subscribed) => format!("{who} is told: you are subscribed"),
        Response::Answer(Answer::Redis(told)) => format!("{who} is told: {}", replies(told)),
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
        LockReply::Taken => "it is taken".into(),
        LockReply::Revoked => "this token was given up".into(),
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
