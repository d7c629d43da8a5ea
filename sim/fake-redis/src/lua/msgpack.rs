//! The library `cmsgpack`: MessagePack as Redis gives it to scripts.

mod pack;
mod unpack;

use mlua::{Lua, MultiValue, Table, Value as LuaValue, Variadic};

use super::arguments::{Arguments, raised};

/// The library, by name of function.
pub(super) fn library(lua: &Lua) -> mlua::Result<Table> {
    let table = lua.create_table()?;
    function(lua, &table, "pack", pack::pack)?;
    function(lua, &table, "unpack", |arguments| unpack::unpack(arguments, 0, 0))?;
    function(lua, &table, "unpack_one", |arguments| {
        unpack::unpack(arguments, 1, arguments.integer_or(1, 0)?)
    })?;
    function(lua, &table, "unpack_limit", |arguments| {
        let limit = arguments.integer(1)?;
        unpack::unpack(arguments, limit, arguments.integer_or(2, 0)?)
    })?;
    table.raw_set("_NAME", "cmsgpack")?;
    table.raw_set("_VERSION", "lua-cmsgpack 0.4.0")?;
    table.raw_set("_COPYRIGHT", "Copyright (C) 2012, Salvatore Sanfilippo")?;
    table.raw_set("_DESCRIPTION", "MessagePack C implementation for Lua")?;
    Ok(table)
}

fn function(
    lua: &Lua,
    table: &Table,
    name: &str,
    function: fn(Arguments<'_>) -> mlua::Result<MultiValue>,
) -> mlua::Result<()> {
    let function = lua.create_function(move |lua, values: Variadic<LuaValue>| {
        function(Arguments::new(lua, &values))
    })?;
    table.raw_set(name, function)
}
