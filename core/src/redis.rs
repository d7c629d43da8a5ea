//! What goes over the wire to Redis, as pure functions: a [`Command`] becomes a Lua script with
//! keys and arguments (or `WAIT`, or a pipeline that does what a script would), and what comes back becomes a [`Reply`].
//!
//! Adapters carry bytes and nothing else: [`Invocation::by_sha1`], and [`Invocation::by_text`] when
//! the server answers `NOSCRIPT`. The simulator runs the same texts.
//!
//! ```
//! use leasehold_core::{Command, lock::{LockCommand, LockKeys}, redis};
//!
//! let command = Command::Lock(LockCommand::Inspect { keys: LockKeys::of("job").into(), token: None });
//! let redis::Request::Script(invocation) = redis::encode(&command) else { panic!() };
//! assert_eq!(invocation.keys, [b"job".to_vec()]);
//! assert_eq!(invocation.by_sha1()[..1], [b"EVALSHA"]);
//! let reply = redis::decode(&command, redis::Value::Array(vec![redis::Value::from("free")]));
//! assert!(reply.is_ok());
//! ```

mod debounce;
mod lock;

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};

use crate::store::{Cause, Command, Rejection, RejectionKind, Reply, StoreError};

/// A Lua script and its SHA-1, by which a server that has seen it can be asked to run it.
///
/// ```
/// for script in leasehold_core::redis::SCRIPTS {
///     println!("{} {}", script.sha1, script.name);
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Script {
    /// What it is called in traces.
    pub name: &'static str,
    /// The SHA-1 of [`Script::text`], in lower-case hexadecimal.
    pub sha1: &'static str,
    /// The source.
    pub text: &'static str,
}

/// Every script that this crate sends.
pub const SCRIPTS: &[&Script] = &[
    &debounce::CALL,
    &debounce::CANCEL,
    &debounce::CLAIM,
    &debounce::FINISH,
    &debounce::FLUSH,
    &debounce::INSPECT,
    &lock::ACQUIRE,
    &lock::EXTEND,
    &lock::INSPECT,
    &lock::LEAN_ACQUIRE,
    &lock::LEAN_RELEASE,
    &lock::RAISE_FENCE,
    &lock::RELEASE,
];

/// What is sent to a server.
///
/// ```
/// use leasehold_core::{Command, lock::{LockCommand, LockKeys}, redis::{self, Request}};
///
/// let command = LockCommand::Inspect { keys: LockKeys::of("job").into(), token: None };
/// assert!(matches!(redis::encode(&Command::Lock(command)), Request::Script(_)));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// A run of a script.
    Script(Invocation),
    /// A command of the server's own, with its name first.
    Plain(Vec<Vec<u8>>),
    /// Commands of the server's own that do together what a script does, for less.
    Pipeline(Pipeline),
}

/// Commands of the server's own, one after another over one connection. Their answer is the
/// [list](Value::Array) of their replies, errors included.
///
/// A way that cannot promise that they reach one server, in order and at once, sends the script: one
/// through a Cluster's client, which finds a server for each command, or by HTTP, where each command
/// of a pipeline may be counted.
///
/// ```
/// use leasehold_core::redis::{Invocation, Request};
///
/// fn as_script(request: Request) -> Option<Invocation> {
///     match request {
///         Request::Script(invocation) => Some(invocation),
///         Request::Pipeline(pipeline) => Some(pipeline.script),
///         Request::Plain(_) => None,
///     }
/// }
/// # let _ = as_script;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pipeline {
    /// The words of each command, its name first.
    pub commands: Vec<Vec<Vec<u8>>>,
    /// What may be run instead.
    pub script: Invocation,
}

/// One run of a script.
///
/// ```
/// use leasehold_core::redis::{Invocation, Request};
///
/// fn words(request: &Request) -> Option<Vec<&[u8]>> {
///     match request {
///         Request::Script(invocation) => Some(Invocation::by_sha1(invocation)),
///         _ => None,
///     }
/// }
/// # let _ = words;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invocation {
    /// What to run.
    pub script: &'static Script,
    /// `KEYS`.
    pub keys: Vec<Vec<u8>>,
    /// `ARGV`.
    pub args: Vec<Vec<u8>>,
}

impl Invocation {
    /// The words of `EVALSHA`.
    #[must_use]
    pub fn by_sha1(&self) -> Vec<&[u8]> {
        self.words(b"EVALSHA", self.script.sha1)
    }

    /// The words of `EVAL`.
    #[must_use]
    pub fn by_text(&self) -> Vec<&[u8]> {
        self.words(b"EVAL", self.script.text)
    }

    fn words<'a>(&'a self, verb: &'a [u8], script: &'a str) -> Vec<&'a [u8]> {
        const DIGITS: &[u8; 10] = b"0123456789";
        // No script has more than nine keys.
        let count = &DIGITS[self.keys.len()..=self.keys.len()];
        let arguments = self.keys.iter().chain(&self.args).map(Vec::as_slice);
        [verb, script.as_bytes(), count].into_iter().chain(arguments).collect()
    }
}

/// A reply as any Redis protocol carries it.
///
/// ```
/// use leasehold_core::redis::Value;
///
/// let reply = Value::Array(vec![Value::from("busy"), Value::Integer(250)]);
/// # let _ = reply;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// No value.
    Nil,
    /// An integer.
    Integer(i64),
    /// A string of bytes, simple or bulk.
    Bytes(Vec<u8>),
    /// A list.
    Array(Vec<Self>),
    /// An error, with its code: `WRONGTYPE Operation against …`.
    Error(String),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Bytes(text.as_bytes().to_vec())
    }
}

/// What applies `command`: a script, since it must be atomic, unless no script may do it.
#[must_use]
pub fn encode(command: &Command) -> Request {
    match command {
        Command::Lock(command) => lock::encode(command),
        Command::Debounce(command) => Request::Script(debounce::encode(command)),
    }
}

/// What `value` means as the answer to `command`.
///
/// # Errors
///
/// What the server's error means, or [`Cause::Malformed`] for a value of the wrong shape: the
/// command may have been applied, so that is [`StoreError::Unknown`].
pub fn decode(command: &Command, value: Value) -> Result<Reply, StoreError> {
    if let Value::Error(message) = value {
        return Err(refusal(message));
    }
    match command {
        Command::Lock(command) => lock::decode(command, &value).map(Reply::Lock),
        Command::Debounce(command) => debounce::decode(command, &value).map(Reply::Debounce),
    }
}

/// Whether an error reply says that the script must be sent whole.
#[must_use]
pub fn is_no_script(message: &str) -> bool {
    message.starts_with("NOSCRIPT")
}

/// What servers say of a command in a script that its user may not run: up to 7.0, and from then on.
const DENIED_TO_A_SCRIPT: [&str; 2] =
    ["The user executing the script can't", "ACL failure in script"];

/// What an error reply of the server means for the command that it answers.
#[must_use]
pub fn refusal(message: String) -> StoreError {
    let code = message.split([' ', ':']).next().unwrap_or_default();
    // Before Redis 7, an error inside a script is wrapped, with its code further on.
    let wrapped = |code: &str| message.contains(code);
    let kind = match code {
        // The server says so before it runs anything.
        "BUSY" | "CLUSTERDOWN" | "LOADING" | "MASTERDOWN" | "TRYAGAIN" => {
            return StoreError::NotSent(Cause::TryAgain(message.into()));
        }
        // Or before the first command of a script that writes.
        "NOREPLICAS" => return StoreError::NotSent(Cause::TooFewReplicas(message.into())),
        "MISCONF" => RejectionKind::DiskError,
        "NOAUTH" | "NOPERM" | "WRONGPASS" => RejectionKind::NotAllowed,
        "OOM" => RejectionKind::OutOfMemory,
        "READONLY" => RejectionKind::ReadOnly,
        _ if DENIED_TO_A_SCRIPT.iter().any(|words| wrapped(words)) => RejectionKind::NotAllowed,
        _ if wrapped("WRONGTYPE") => RejectionKind::WrongType,
        _ if wrapped("OOM command not allowed") => RejectionKind::OutOfMemory,
        _ if wrapped("-MISCONF ") => RejectionKind::DiskError,
        _ if wrapped("-READONLY ") => RejectionKind::ReadOnly,
        _ if wrapped("script") => RejectionKind::Script,
        _ => RejectionKind::Other,
    };
    StoreError::Rejected(Rejection { kind, message: message.into() })
}

fn malformed(value: &Value) -> StoreError {
    let mut shown = format!("{value:?}");
    if let Some((end, _)) = shown.char_indices().nth(80) {
        shown.truncate(end);
    }
    StoreError::Unknown(Cause::Malformed(shown.into()))
}

impl Value {
    fn bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            Self::Array(_) | Self::Error(_) | Self::Integer(_) | Self::Nil => None,
        }
    }

    /// An integer, also when it was sent as decimal digits.
    fn integer(&self) -> Option<i64> {
        match self {
            Self::Integer(number) => Some(*number),
            Self::Bytes(bytes) => core::str::from_utf8(bytes).ok()?.parse().ok(),
            Self::Array(_) | Self::Error(_) | Self::Nil => None,
        }
    }

    fn unsigned(&self) -> Option<u64> {
        self.integer().and_then(|number| number.try_into().ok())
    }

    /// A list whose first element is a word: the word, and the rest.
    fn tagged(&self) -> Option<(&[u8], &[Self])> {
        match self {
            Self::Array(values) => {
                let (tag, rest) = values.split_first()?;
                Some((tag.bytes()?, rest))
            }
            Self::Bytes(_) | Self::Error(_) | Self::Integer(_) | Self::Nil => None,
        }
    }
}

fn decimal(number: u64) -> Vec<u8> {
    number.to_string().into_bytes()
}

#[cfg(test)]
mod tests {
    use sha1::Digest;

    use super::*;

    #[test]
    fn each_script_has_the_sha1_of_its_text() {
        for script in SCRIPTS {
            let digest = sha1::Sha1::digest(script.text);
            let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(script.sha1, hex, "{}", script.name);
        }
    }

    #[test]
    fn errors_say_whether_the_command_was_applied() {
        let kind = |message: &str| match refusal(message.into()) {
            StoreError::Rejected(rejection) => Some(rejection.kind),
            StoreError::NotSent(_) => None,
            StoreError::Unknown(_) => panic!("an error reply is an answer"),
        };
        assert_eq!(kind("LOADING Redis is loading the dataset in memory"), None);
        assert_eq!(kind("NOAUTH Authentication required."), Some(RejectionKind::NotAllowed));
        assert_eq!(kind("OOM the server is full"), Some(RejectionKind::OutOfMemory));
        assert_eq!(
            kind("ERR Error running script (call to f_1): OOM command not allowed when …"),
            Some(RejectionKind::OutOfMemory)
        );
        assert_eq!(kind("READONLY You can't write against a …"), Some(RejectionKind::ReadOnly));
        assert_eq!(kind("WRONGTYPE Operation against …"), Some(RejectionKind::WrongType));
        assert_eq!(
            kind("ERR Error running script (call to f_1): WRONGTYPE Operation"),
            Some(RejectionKind::WrongType)
        );
        for denied in [
            "ERR The user executing the script can't run this command or subcommand script: f, on …",
            "ERR The user executing the script can't access at least one of the keys mentioned in …",
            "ERR Error running script (call to f_1): @user_script:1: @user_script: 1: The user \
             executing the script can't run this command or subcommand",
            "ERR ACL failure in script: User w has no permissions to run the 'set' command script",
        ] {
            assert_eq!(kind(denied), Some(RejectionKind::NotAllowed), "{denied}");
        }
        for full in [
            "MISCONF Redis is configured to save RDB snapshots, but … script: f, on …",
            "ERR Error running script (call to f_1): @user_script:1: -MISCONF Redis is …",
        ] {
            assert_eq!(kind(full), Some(RejectionKind::DiskError), "{full}");
        }
        assert_eq!(
            kind("ERR Error running script (call to f_1): @user_script:1: -READONLY You can't …"),
            Some(RejectionKind::ReadOnly)
        );
        let few = String::from("NOREPLICAS Not enough good replicas to write. script: f, on …");
        assert_eq!(refusal(few.clone()), StoreError::NotSent(Cause::TooFewReplicas(few.into())));
        assert_eq!(kind("ERR user_script:1: boom script: x"), Some(RejectionKind::Script));
        assert_eq!(kind("ERR max requests limit exceeded"), Some(RejectionKind::Other));
    }

    #[test]
    fn a_script_is_sent_whole_only_if_the_server_has_forgotten_it() {
        assert!(is_no_script("NOSCRIPT No matching script. Please use EVAL."));
        assert!(!is_no_script("ERR Error running script: NOSCRIPT"));
    }
}
