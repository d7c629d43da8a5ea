//! What goes over a connection and what comes back, as pure functions.

use leasehold_core::{
    Cause, Rejection, RejectionKind, StoreError,
    redis::{Invocation, Request, Value},
};
use redis::{Cmd, ErrorKind, Pipeline, RedisError, RedisResult, ServerError};

use super::target::{Target, Words};
use crate::answer::{Answer, Form, error_reply, malformed, rejected};

/// A request as it goes over a connection to one server.
pub(super) fn words(form: Form, request: &Request) -> Words {
    let Request::Pipeline(pipeline) = request else {
        return Words::One(command(form, request));
    };
    let mut several = Pipeline::with_capacity(pipeline.commands.len());
    for words in &pipeline.commands {
        several.add_command(plain(words));
    }
    Words::Several(several)
}

/// A request as one command, for a connection that may choose a server for each.
pub(super) fn command(form: Form, request: &Request) -> Cmd {
    match request {
        Request::Script(invocation) => run(form, invocation),
        Request::Pipeline(pipeline) => run(form, &pipeline.script),
        Request::Plain(words) => plain(words),
    }
}

fn plain(words: &[Vec<u8>]) -> Cmd {
    let bytes = words.iter().map(Vec::len).sum();
    let mut command = Cmd::with_capacity(words.len(), bytes);
    command.arg(words);
    command
}

/// The command that runs a script.
fn run(form: Form, invocation: &Invocation) -> Cmd {
    let Invocation { script, keys, args } = invocation;
    let (verb, body) = match form {
        Form::Hash => ("EVALSHA", script.sha1),
        Form::Text => ("EVAL", script.text),
    };
    let bytes: usize = keys.iter().chain(args).map(Vec::len).sum();
    let mut command =
        Cmd::with_capacity(3 + keys.len() + args.len(), verb.len() + body.len() + 20 + bytes);
    command.arg(verb).arg(body).arg(keys.len());
    for word in keys.iter().chain(args) {
        command.arg(word.as_slice());
    }
    command
}

/// What came of a command that was sent to `target`.
pub(super) fn answer(
    replied: RedisResult<redis::Value>,
    target: &Target,
) -> Result<Answer, StoreError> {
    answer_of(replied, Some(target))
}

/// What came of a command that was sent to a target, if it is known.
pub(super) fn answer_of(
    replied: RedisResult<redis::Value>,
    target: Option<&Target>,
) -> Result<Answer, StoreError> {
    match replied {
        Ok(redis::Value::ServerError(error)) => refused(&error, target),
        Ok(value) => match first_error(&value) {
            // What comes after it in a pipeline is worth nothing without it.
            Some(error) => refused(error, target),
            None => self::value(value, target).map(Answer::Value),
        },
        Err(error) => no_reply(error, target),
    }
}

/// What it says about a command that there was no connection for it.
pub(super) fn not_connected(error: &RedisError, target: &Target) -> StoreError {
    let words = error.to_string();
    // Which of its servers it was, a Cluster's client does not say.
    let at = |words: &str| format!("{target:?}: {}", without_secret(words, Some(target)));
    match error.kind() {
        ErrorKind::AuthenticationFailed => rejected(RejectionKind::NotAllowed, at(&words)),
        ErrorKind::InvalidClientConfig | ErrorKind::Client => {
            rejected(RejectionKind::Other, at(&words))
        }
        ErrorKind::Server(_) if words.contains("switch database") => {
            let advice = "name a database in the URL that is there, or none";
            rejected(RejectionKind::Other, format!("{}: {advice}", at(&words)))
        }
        // The server said something to the greeting or the credentials, but it ran no command.
        ErrorKind::Server(_) | ErrorKind::Extension => match refused_words(error, Some(target)) {
            Err(
                error @ StoreError::Rejected(Rejection { kind: RejectionKind::NotAllowed, .. }),
            ) => error,
            _ => StoreError::NotSent(Cause::TryAgain(at(&words).into())),
        },
        _ => StoreError::NotSent(Cause::Unreachable(at(&words).into())),
    }
}

/// The command had been handed to the connection, so it may have left.
fn no_reply(error: RedisError, target: Option<&Target>) -> Result<Answer, StoreError> {
    match error.kind() {
        ErrorKind::Server(_) | ErrorKind::Extension => refused_words(&error, target),
        // No node was sent anything.
        ErrorKind::ClusterConnectionNotFound => Err(StoreError::NotSent(Cause::Unreachable(
            without_secret(&error.to_string(), target).into(),
        ))),
        // It closed in the midst of a reply.
        ErrorKind::Parse if error.detail().is_some_and(|it| it.contains("end of input")) => {
            Err(disconnected("it ended in the midst of a reply", target))
        }
        ErrorKind::Parse => Err(malformed("bytes that are not the Redis protocol")),
        ErrorKind::Io if error.is_timeout() => Err(timed_out(target)),
        ErrorKind::Io => Err(disconnected(&error.to_string(), target)),
        _ => {
            let words = without_secret(&error.to_string(), target);
            Err(StoreError::Unknown(Cause::Other(words.into())))
        }
    }
}

/// There was no reply in time. The command had been handed to the connection.
pub(super) fn timed_out(target: Option<&Target>) -> StoreError {
    let server = target.map(|target| format!("{target:?}")).unwrap_or_default();
    StoreError::Unknown(Cause::TimedOut(server.into()))
}

fn disconnected(words: &str, target: Option<&Target>) -> StoreError {
    let words = without_secret(words, target);
    let text = match target {
        Some(target) => format!("{target:?}: {words}"),
        None => words,
    };
    StoreError::Unknown(Cause::Disconnected(text.into()))
}

fn refused_words(error: &RedisError, target: Option<&Target>) -> Result<Answer, StoreError> {
    let code = error.code().unwrap_or("ERR");
    reply(code, error.detail(), target)
}

fn refused(error: &ServerError, target: Option<&Target>) -> Result<Answer, StoreError> {
    reply(error.code(), error.details(), target)
}

fn said(error: &ServerError, target: Option<&Target>) -> String {
    spoken(error.code(), error.details(), target)
}

fn spoken(code: &str, detail: Option<&str>, target: Option<&Target>) -> String {
    without_secret(&format!("{code} {}", detail.unwrap_or_default()), target)
}

/// What an error reply says about the command that it answers.
fn reply(code: &str, detail: Option<&str>, target: Option<&Target>) -> Result<Answer, StoreError> {
    let words = spoken(code, detail, target);
    match code {
        // The map of slots is being brought up to date.
        "MOVED" | "ASK" if target.is_some_and(Target::is_cluster) => {
            Err(StoreError::NotSent(Cause::TryAgain(words.into())))
        }
        "MOVED" | "ASK" => {
            let words = format!("{words}: this is a node of a Cluster, use TcpBuilder::cluster");
            Err(rejected(RejectionKind::Other, words))
        }
        // It was refused, and by the time that it is sent again, the primary may be another.
        "READONLY" if target.is_some_and(Target::finds_the_primary) => {
            Err(StoreError::NotSent(Cause::TryAgain(words.into())))
        }
        _ => error_reply(words),
    }
}

fn first_error(value: &redis::Value) -> Option<&ServerError> {
    let redis::Value::Array(values) = value else { return None };
    match values.first()? {
        redis::Value::ServerError(error) => Some(error),
        _ => None,
    }
}

fn value(value: redis::Value, target: Option<&Target>) -> Result<Value, StoreError> {
    Ok(match value {
        redis::Value::Nil => Value::Nil,
        redis::Value::Int(number) => Value::Integer(number),
        redis::Value::BulkString(bytes) => Value::Bytes(bytes),
        redis::Value::SimpleString(text) => Value::Bytes(text.into_bytes()),
        redis::Value::Okay => Value::from("OK"),
        redis::Value::Array(items) => {
            let values = items.into_iter().map(|item| self::value(item, target));
            Value::Array(values.collect::<Result<_, _>>()?)
        }
        redis::Value::ServerError(error) => Value::Error(said(&error, target)),
        _ => return Err(malformed("a kind of value that no script returns")),
    })
}

fn without_secret(words: &str, target: Option<&Target>) -> String {
    match target.and_then(Target::secret) {
        Some(secret) => words.replace(secret, "…"),
        None => words.into(),
    }
}
