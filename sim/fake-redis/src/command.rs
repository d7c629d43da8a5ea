//! What a command is: its row in the table, the table, and what its code is given.

mod absent;
mod arguments;
mod call;
mod describe;
mod flags;
mod help;
mod rights;
mod table;
mod wait;

use std::{any::Any, borrow::Cow};

use bytes::Bytes;

pub(super) use absent::{ABSENT, absence};
pub(super) use arguments::{decimal, float, integer, integer_of_32_bits, owned, seconds, word};
pub(super) use call::{Call, Collection, Origin};
pub(super) use flags::{Flags, Group, Keys};
use help::help;
pub(super) use table::Table;
pub(super) use wait::{Blocks, Found, Wait, narrowed};

use super::{Resp, resp::text_of};

/// A row of the table.
#[derive(Clone, Debug)]
pub(super) struct Spec {
    /// In lower case.
    pub(super) name: &'static str,
    /// The name of the command of which it is a subcommand. The table sets it.
    pub(super) container: Option<&'static str>,
    /// The number of arguments with the name; negative: at least so many. As `COMMAND INFO` says.
    pub(super) arity: i32,
    pub(super) body: Body,
    pub(super) flags: Flags,
    pub(super) group: Group,
    pub(super) keys: Keys,
    /// What it does to each of its keys, as the flags of key specifications name it: a word for
    /// its right (`RO`, `RW`, `OW`, `RM`), and words for its use. A comma parts the keys.
    pub(super) access: &'static str,
    /// Set for a command that waits if it finds nothing.
    pub(super) blocks: Option<Blocks>,
    /// The version of Redis that brought it.
    pub(super) since: &'static str,
    /// What it does, in a sentence.
    pub(super) about: &'static str,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Body {
    /// Works on the data alone.
    Function(Function),
    /// Works on the connection that sent it. The type of the code is the server's, which stands
    /// above: only its constructor makes one of these.
    Connection(&'static (dyn Any + Send + Sync)),
    Subcommands(&'static [Spec]),
}

/// A command's code: `arguments` begins with the command's name.
pub(super) type Function = fn(&mut Call<'_>, arguments: &[Bytes]) -> Answer;

/// A reply, or the text of an error.
pub(super) type Answer = Result<Resp, Refusal>;

/// The text of an error reply.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refusal(pub(super) Cow<'static, str>);

/// Why no command could be found.
#[derive(Debug)]
pub(super) enum NotFound {
    Arity(String),
    Subcommand,
    Unknown,
}

impl Spec {
    pub(super) const fn new(
        group: Group,
        name: &'static str,
        arity: i32,
        function: Function,
        flags: Flags,
    ) -> Self {
        Self::with_body(group, name, arity, Body::Function(function), flags)
    }

    pub(super) const fn container(
        group: Group,
        name: &'static str,
        subcommands: &'static [Self],
    ) -> Self {
        Self::with_body(group, name, -2, Body::Subcommands(subcommands), Flags::empty())
    }

    /// The subcommand that says what the others do.
    pub(super) const fn help(group: Group, since: &'static str) -> Self {
        Self::new(group, "help", 2, help, Flags::LOADING.union(Flags::STALE))
            .about(since, "Lists the subcommands.")
    }

    pub(super) const fn with_body(
        group: Group,
        name: &'static str,
        arity: i32,
        body: Body,
        flags: Flags,
    ) -> Self {
        Self {
            name,
            container: None,
            arity,
            body,
            flags,
            group,
            keys: Keys::None,
            access: "",
            blocks: None,
            since: "1.0.0",
            about: "",
        }
    }

    /// A container that may come alone: then its subcommand without a name runs.
    pub(super) const fn or_alone(mut self) -> Self {
        self.arity = -1;
        self.flags = Flags::LOADING.union(Flags::STALE);
        self
    }

    /// Its keys are the arguments from `first` to `last`, every `step`th.
    pub(super) const fn keys(mut self, first: i32, last: i32, step: i32) -> Self {
        self.keys = Keys::Range { first, last, step };
        self
    }

    /// Its only key is its first argument; `access` says what it does to it.
    pub(super) const fn key(self, access: &'static str) -> Self {
        self.keys(1, 1, 1).access(access)
    }

    /// Its arguments say where its keys are, but for those of [`Keys::Hashed`].
    pub(super) const fn keys_are(mut self, keys: Keys) -> Self {
        if !matches!(keys, Keys::Hashed { .. }) {
            self.flags = self.flags.union(Flags::MOVABLEKEYS);
        }
        self.keys = keys;
        self
    }

    pub(super) const fn access(mut self, access: &'static str) -> Self {
        self.access = access;
        self
    }

    /// It waits where it answers with nothing: for how long and for what, `blocks` tells.
    pub(super) const fn blocks(mut self, blocks: Blocks) -> Self {
        self.blocks = Some(blocks);
        self.flags = self.flags.union(Flags::BLOCKING);
        self
    }

    /// What `COMMAND DOCS` says of it.
    pub(super) const fn about(mut self, since: &'static str, about: &'static str) -> Self {
        self.since = since;
        self.about = about;
        self
    }

    /// The container, if it is a subcommand, and the name.
    pub(super) fn place(&self) -> (Option<&'static str>, &'static str) {
        (self.container, self.name)
    }

    pub(super) fn takes(&self, arguments: usize) -> bool {
        let least = usize::try_from(self.arity.unsigned_abs()).unwrap_or(usize::MAX);
        if self.arity < 0 { arguments >= least } else { arguments == least }
    }
}

impl NotFound {
    /// The error reply to a client that sent `arguments`.
    pub(super) fn refusal(&self, arguments: &[Bytes]) -> Refusal {
        let at = |index: usize| {
            arguments.get(index).map(|argument| shown(argument, 128)).unwrap_or_default()
        };
        let absent = if let Self::Arity(_) = self { None } else { absence(arguments) };
        if let Some(text) = absent {
            return Refusal(text.into());
        }
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
    let text = text_of(&argument[..argument.len().min(room)]);
    text.replace(['\r', '\n'], " ")
}

impl Refusal {
    /// For a command that counts its own arguments.
    pub(super) fn arity(name: &str) -> Self {
        Self(format!("ERR wrong number of arguments for '{name}' command").into())
    }

    pub(super) const NOT_AN_INTEGER: Self =
        Self(Cow::Borrowed("ERR value is not an integer or out of range"));
    pub(super) const OVERFLOW: Self =
        Self(Cow::Borrowed("ERR increment or decrement would overflow"));
    pub(super) const NOT_A_FLOAT: Self = Self(Cow::Borrowed("ERR value is not a valid float"));
    pub(super) const NO_SUCH_KEY: Self = Self(Cow::Borrowed("ERR no such key"));
    pub(super) const OUT_OF_RANGE: Self =
        Self(Cow::Borrowed("ERR value is out of range, must be positive"));
    pub(super) const SYNTAX: Self = Self(Cow::Borrowed("ERR syntax error"));
    pub(super) const WRONG_TYPE: Self =
        Self(Cow::Borrowed("WRONGTYPE Operation against a key holding the wrong kind of value"));
}
