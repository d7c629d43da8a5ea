//! What a script sees of an error, and what the client is told of one that the script let pass.

use mlua::{Lua, Value as LuaValue};

use super::{
    SANDBOX, convert,
    failure::{Failure, first_line},
    with_running,
};
use crate::Resp;

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
        Some(Failure::Kept) => return Failure::kept(lua),
        Some(failure) => failure.to_string(),
        None => first_line(&error),
    };
    Ok(LuaValue::String(lua.create_string(Resp::bytes_of(&text))?))
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
            source.zip(frame.current_line()).filter(|(source, _)| source != SANDBOX)
        })?;
        if found.is_some() {
            return found;
        }
        level += 1;
    }
}
