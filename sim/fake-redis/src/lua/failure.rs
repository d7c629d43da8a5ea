//! Errors of scripts: how they are raised in Lua, and the replies for those of the machine.

use std::fmt;

use mlua::{Lua, Value as LuaValue};

use super::super::command::Refusal;

/// An error raised by our own functions. Lua code never sees this very value: `pcall` and the
/// runner exchange it for what Redis raises, see [`plain`](super::explain::plain).
#[derive(Clone, Debug)]
pub(super) enum Failure {
    /// A command's error reply, raised as the table that `redis.pcall` returns.
    Reply(String),
    /// Raised as a table with the field `err`.
    Table(String),
    /// Raised as a string.
    Text(String),
    /// Raised as the value that is kept in the machine, see [`Failure::raise_again`].
    Kept,
    /// The script is not to go on: cannot be caught.
    Stopped(Stop),
}

/// Why a script is not to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "serve"), allow(dead_code, reason = "only a supervisor says so"))]
pub(crate) enum Stop {
    /// It has run for more than so many instructions.
    Instructions(u64),
    /// It has run for too long.
    Time,
    /// Somebody asked for that.
    Killed,
    /// The server ends.
    ShuttingDown,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reply(text) | Self::Table(text) | Self::Text(text) => f.write_str(text),
            Self::Kept => f.write_str("an error of a function"),
            Self::Stopped(Stop::Instructions(most)) => {
                write!(f, "Script stopped: it ran for more than {most} instructions")
            }
            Self::Stopped(Stop::Time) => {
                f.write_str("Script stopped: it ran longer than lua-time-limit")
            }
            Self::Stopped(Stop::Killed) => f.write_str("Script killed by user with SCRIPT KILL..."),
            Self::Stopped(Stop::ShuttingDown) => {
                f.write_str("Script stopped: the server shuts down")
            }
        }
    }
}

impl std::error::Error for Failure {}

/// Where the machine keeps the value of [`Failure::Kept`].
const KEPT: &str = "leasehold.raised";

impl Failure {
    /// The error that raises `value` as it is.
    pub(super) fn raise_again(lua: &Lua, value: LuaValue) -> mlua::Result<mlua::Error> {
        lua.set_named_registry_value(KEPT, value)?;
        Ok(Self::Kept.into())
    }

    /// The value of [`Failure::Kept`].
    pub(super) fn kept(lua: &Lua) -> mlua::Result<LuaValue> {
        lua.named_registry_value(KEPT)
    }
}

impl From<Failure> for mlua::Error {
    fn from(failure: Failure) -> Self {
        Self::external(failure)
    }
}

/// `user_script:LINE: `, as Lua's own functions put before their errors.
pub(super) fn position(lua: &Lua) -> String {
    let line = lua.inspect_stack(1, |frame| {
        (frame.source().short_src.map(String::from), frame.current_line())
    });
    match line {
        Some((Some(source), Some(line))) => format!("{source}:{line}: "),
        _ => String::new(),
    }
}

/// The reply for what [`explain`](super::explain::explain) said.
pub(super) fn refusal(text: &LuaValue) -> Refusal {
    match text {
        LuaValue::String(text) => Refusal(text.to_string_lossy().into()),
        // The handler itself failed: there was no memory left for it.
        _ => Refusal("ERR error in error handling".into()),
    }
}

/// The reply for an error of the machine, such as no memory.
pub(super) fn fatal(error: &mlua::Error) -> Refusal {
    Refusal(format!("ERR {}", first_line(error)).into())
}

/// The reply for a text that is not Lua.
pub(super) fn not_compiled(error: &mlua::Error) -> Refusal {
    let message = match error {
        mlua::Error::SyntaxError { message, .. } => message.clone(),
        other => first_line(other),
    };
    let message = message.replace(['\r', '\n'], " ");
    Refusal(format!("ERR Error compiling script (new function): {message}").into())
}

pub(super) fn first_line(error: &mlua::Error) -> String {
    error.to_string().lines().next().unwrap_or_default().into()
}
