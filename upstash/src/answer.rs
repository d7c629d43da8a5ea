//! What a server says to one command, whichever way it came.

use leasehold_core::{
    Cause, Rejection, RejectionKind, StoreError,
    redis::{self, Value},
};

/// What a server said to one script run.
#[derive(Debug, PartialEq)]
pub(crate) enum Answer {
    /// The script ran.
    Value(Value),
    /// The script must be sent by its text. Nothing ran.
    NoScript,
}

/// How a script is named to the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// By its hash: short, and refused if the server has not seen it.
    Hash,
    /// By its text.
    Text,
}

/// The script that is run.
#[cfg(any(feature = "rest", feature = "tracing"))]
pub(crate) fn script(request: &redis::Request) -> Option<&'static redis::Script> {
    match request {
        redis::Request::Script(invocation) => Some(invocation.script),
        redis::Request::Pipeline(pipeline) => Some(pipeline.script.script),
        redis::Request::Plain(_) => None,
    }
}

/// What an error reply says: that the script is missing, or why nothing was applied.
pub(crate) fn error_reply(words: String) -> Result<Answer, StoreError> {
    if redis::is_no_script(&words) {
        return Ok(Answer::NoScript);
    }
    Err(if words.contains("capacity quota exceeded") {
        // Upstash, of a full database.
        rejected(RejectionKind::OutOfMemory, words)
    } else if words.contains("Protocol error: unauthenticated") {
        // Redis, of a command too long to come before the password.
        rejected(RejectionKind::NotAllowed, words)
    } else {
        redis::refusal(words)
    })
}

/// The value, of an answer to a script that was sent by its text.
pub(crate) fn value(answer: Answer) -> Result<Value, StoreError> {
    match answer {
        Answer::Value(value) => Ok(value),
        Answer::NoScript => Err(malformed("a script sent by its text is said to be missing")),
    }
}

pub(crate) fn rejected(kind: RejectionKind, message: String) -> StoreError {
    StoreError::Rejected(Rejection { kind, message: message.into() })
}

pub(crate) fn malformed(what: &'static str) -> StoreError {
    StoreError::Unknown(Cause::Malformed(what.into()))
}
