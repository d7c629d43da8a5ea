//! Errors of scripts: how they are raised in Lua, and what the client is told.

use std::fmt;

use mlua::{Lua, Value as LuaValue};

use super::{super::command::Refusal, budget::Stop, convert, sandbox, with_running};

/// An error raised by our own functions. Lua code never sees this very value: `pcall` and the
/// runner exchange it for what Redis raises, see [`plain`].
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
}

impl From<Failure> for mlua::Error {
    fn from(failure: Failure) -> Self {
        Self::external(failure)
    }
}

/// What Lua code sees of an error that was raised in Rust. One that must not be caught is raised
/// again.
pub(super) fn plain(lua: &Lua, error: LuaValue) -> mlua::Result<LuaValue> {
    if let LuaValue::Error(error) = &error
        && let Some(stopped @ Failure::Stopped(_)) = error.downcast_ref::<Failure>()
    {
        return Err(stopped.clone().into());
    }
    seen(lua, error)
}

fn seen(lua: &Lua, error: LuaValue) -> mlua::Result<LuaValue> {
    let LuaValue::Error(error) = error else { return Ok(error) };
    let text = match error.downcast_ref::<Failure>() {
        Some(Failure::Reply(message)) => return convert::error(lua, message),
        Some(Failure::Table(message)) => return convert::single(lua, "err", message),
        Some(Failure::Kept) => return lua.named_registry_value(KEPT),
        Some(failure) => failure.to_string(),
        None => first_line(&error),
    };
    Ok(LuaValue::String(lua.create_string(text)?))
}

/// The text that the client gets for an error that no `pcall` caught: called by the runner at the
/// point of the error, so that the stack still tells the line.
pub(super) fn explain(lua: &Lua, error: LuaValue) -> mlua::Result<String> {
    let message = match seen(lua, error)? {
        LuaValue::Table(table) => match table.raw_get("err")? {
            LuaValue::String(text) => convert::one_line(&text),
            _ => "ERR unknown error".into(),
        },
        LuaValue::String(text) => format!("ERR {}", convert::one_line(&text)),
        LuaValue::Nil => "ERR nil".into(),
        other => format!("ERR {}", other.to_string()?),
    };
    let place = place(lua).map(|(source, line)| {
        let sha1 = with_running(|running| running.sha1);
        format!(" script: {sha1}, on {source}:{line}.")
    });
    Ok(message + &place.unwrap_or_default())
}

/// The innermost Lua function on the stack that is not part of the sandbox.
fn place(lua: &Lua) -> Option<(String, usize)> {
    let mut level = 0;
    loop {
        let found = lua.inspect_stack(level, |frame| {
            let source = frame.source().source.map(String::from);
            source.zip(frame.current_line()).filter(|(source, _)| source != sandbox::CHUNK)
        })?;
        if found.is_some() {
            return found;
        }
        level += 1;
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

/// The reply for what [`explain`] said.
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

fn first_line(error: &mlua::Error) -> String {
    error.to_string().lines().next().unwrap_or_default().into()
}
