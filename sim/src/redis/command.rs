//! The table of commands: looking one up, and what each is given.

use std::{borrow::Cow, collections::BTreeMap, sync::LazyLock};

use bytes::Bytes;
use rustc_hash::FxHashMap;

use super::{Entry, Keyspace, Redis, Resp, Value, commands};

/// A row of the table.
#[derive(Debug)]
pub(super) struct Spec {
    /// In lower case.
    name: &'static str,
    /// The number of arguments with the name; negative: at least so many. As `COMMAND INFO` says.
    arity: i32,
    body: Body,
    scriptable: bool,
}

#[derive(Debug)]
enum Body {
    Function(Function),
    Subcommands(&'static [Spec]),
}

/// A command's code: `arguments` begins with the command's name.
pub(super) type Function = fn(&mut Call<'_>, arguments: &[Bytes]) -> Answer;

/// A reply, or the text of an error.
pub(super) type Answer = Result<Resp, Refusal>;

/// The text of an error reply.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refusal(pub(super) Cow<'static, str>);

/// One run of a command.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) redis: &'a mut Redis,
    /// The server's wall clock in microseconds since the Unix epoch. Frozen inside a script.
    pub(super) now_us: u64,
}

/// Why no command could be found.
#[derive(Debug)]
pub(super) enum NotFound {
    Arity(String),
    Subcommand,
    Unknown,
}

impl Spec {
    pub(super) const fn new(name: &'static str, arity: i32, function: Function) -> Self {
        Self { name, arity, body: Body::Function(function), scriptable: true }
    }

    pub(super) const fn container(name: &'static str, subcommands: &'static [Self]) -> Self {
        Self { name, arity: -2, body: Body::Subcommands(subcommands), scriptable: true }
    }

    pub(super) const fn not_in_scripts(mut self) -> Self {
        self.scriptable = false;
        self
    }

    pub(super) fn is_scriptable(&self) -> bool {
        self.scriptable
    }

    fn takes(&self, arguments: usize) -> bool {
        let least = usize::try_from(self.arity.unsigned_abs()).unwrap_or(usize::MAX);
        if self.arity < 0 { arguments >= least } else { arguments == least }
    }
}

/// The row and the code for these arguments, checked for their number.
pub(super) fn find(arguments: &[Bytes]) -> Result<(&'static Spec, Function), NotFound> {
    let spec = arguments.first().and_then(|name| by_name(name)).ok_or(NotFound::Unknown)?;
    match spec.body {
        Body::Function(function) if spec.takes(arguments.len()) => Ok((spec, function)),
        Body::Function(_) => Err(NotFound::Arity(spec.name.into())),
        Body::Subcommands(subcommands) => {
            let name = arguments.get(1).ok_or_else(|| NotFound::Arity(spec.name.into()))?;
            let same = |row: &&Spec| row.name.as_bytes().eq_ignore_ascii_case(name);
            let row = subcommands.iter().find(same).ok_or(NotFound::Subcommand)?;
            match row.body {
                Body::Function(function) if row.takes(arguments.len()) => Ok((row, function)),
                _ => Err(NotFound::Arity(format!("{}|{}", spec.name, row.name))),
            }
        }
    }
}

fn by_name(name: &[u8]) -> Option<&'static Spec> {
    static TABLE: LazyLock<FxHashMap<&'static [u8], &'static Spec>> = LazyLock::new(|| {
        commands::FAMILIES
            .iter()
            .flat_map(|rows| rows.iter())
            .map(|row| (row.name.as_bytes(), row))
            .collect()
    });
    let mut lower = [0; 32];
    let lower = lower.get_mut(..name.len())?;
    lower.copy_from_slice(name);
    lower.make_ascii_lowercase();
    TABLE.get(&*lower).copied()
}

impl NotFound {
    /// The error reply to a client that sent `arguments`.
    pub(super) fn refusal(&self, arguments: &[Bytes]) -> Refusal {
        let at = |index: usize| {
            arguments.get(index).map(|argument| shown(argument, 128)).unwrap_or_default()
        };
        Refusal(match self {
            Self::Arity(name) => {
                format!("ERR wrong number of arguments for '{name}' command").into()
            }
            Self::Subcommand => {
                let container = at(0).to_uppercase();
                format!("ERR unknown subcommand '{}'. Try {container} HELP.", at(1)).into()
            }
            Self::Unknown => {
                let mut begin = String::new();
                for argument in arguments.iter().skip(1) {
                    let room = 128_usize.saturating_sub(begin.len());
                    if room == 0 {
                        break;
                    }
                    begin.push_str(&format!("'{}' ", shown(argument, room)));
                }
                format!("ERR unknown command '{}', with args beginning with: {begin}", at(0)).into()
            }
        })
    }
}

/// At most `room` bytes of an argument, on one line.
fn shown(argument: &[u8], room: usize) -> String {
    let text = String::from_utf8_lossy(&argument[..argument.len().min(room)]);
    text.replace(['\r', '\n'], " ")
}

impl Call<'_> {
    /// The server's wall clock in milliseconds since the Unix epoch.
    pub(super) fn now_ms(&self) -> u64 {
        self.now_us / 1_000
    }

    pub(super) fn keys(&mut self) -> &mut Keyspace {
        &mut self.redis.keyspace
    }

    pub(super) fn entry(&self, key: &[u8]) -> Option<&Entry> {
        self.redis.keyspace.peek(self.now_ms(), key)
    }

    /// The string under `key`.
    pub(super) fn string(&self, key: &[u8]) -> Result<Option<&Bytes>, Refusal> {
        match self.entry(key).map(|entry| &entry.value) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(Refusal::WRONG_TYPE),
        }
    }

    /// The hash under `key`.
    pub(super) fn hash(&self, key: &[u8]) -> Result<Option<&BTreeMap<Bytes, Bytes>>, Refusal> {
        match self.entry(key).map(|entry| &entry.value) {
            None => Ok(None),
            Some(Value::Hash(fields)) => Ok(Some(fields)),
            Some(_) => Err(Refusal::WRONG_TYPE),
        }
    }
}

impl Refusal {
    pub(super) const NOT_AN_INTEGER: Self =
        Self(Cow::Borrowed("ERR value is not an integer or out of range"));
    pub(super) const OVERFLOW: Self =
        Self(Cow::Borrowed("ERR increment or decrement would overflow"));
    pub(super) const SYNTAX: Self = Self(Cow::Borrowed("ERR syntax error"));
    pub(super) const WRONG_TYPE: Self =
        Self(Cow::Borrowed("WRONGTYPE Operation against a key holding the wrong kind of value"));
}

/// An integer as Redis reads it: decimal, no sign but `-`, no space, no leading zero.
pub(super) fn integer(text: &[u8]) -> Result<i64, Refusal> {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    let canonical = match digits {
        [b'0'] => digits.len() == text.len(),
        [b'1'..=b'9', ..] => digits.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    let parsed =
        std::str::from_utf8(text).ok().filter(|_| canonical).and_then(|text| text.parse().ok());
    parsed.ok_or(Refusal::NOT_AN_INTEGER)
}

/// `number` in decimal.
pub(super) fn decimal(number: i64) -> Bytes {
    number.to_string().into()
}
