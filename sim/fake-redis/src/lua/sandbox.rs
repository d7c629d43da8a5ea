//! What a script can reach: the libraries that Redis gives it, and nothing of the host.

use mlua::{Function, Lua, LuaOptions, StdLib, Table};

use super::{SANDBOX, library};

/// A new machine, the table behind the script's globals, and the function that runs a script.
pub(super) fn build() -> mlua::Result<(Lua, Table, Function)> {
    let libraries = StdLib::MATH | StdLib::STRING | StdLib::TABLE;
    let lua = Lua::new_with(libraries, LuaOptions::default())?;
    let host = library::functions(&lua)?;
    let chunk = lua.load(include_str!("sandbox.lua")).set_name(SANDBOX);
    let (guarded, globals, protected): (Table, Table, Function) = chunk.call(host)?;
    lua.set_globals(guarded)?;
    Ok((lua, globals, protected))
}
