//! The library `struct`: numbers and strings in the layout of C.

mod format;
mod pack;
mod unpack;

use mlua::{Lua, Table, Value as LuaValue, Variadic};

use super::arguments::Arguments;
use format::{Format, Option as Item};

/// The library, by name of function.
pub(super) fn library(lua: &Lua) -> mlua::Result<Table> {
    let table = lua.create_table()?;
    table.raw_set(
        "pack",
        lua.create_function(|lua, values: Variadic<LuaValue>| {
            let bytes = pack::pack(Arguments::new(lua, &values))?;
            lua.create_string(bytes)
        })?,
    )?;
    table.raw_set(
        "unpack",
        lua.create_function(|lua, values: Variadic<LuaValue>| {
            unpack::unpack(Arguments::new(lua, &values))
        })?,
    )?;
    table.raw_set(
        "size",
        lua.create_function(|lua, values: Variadic<LuaValue>| size(Arguments::new(lua, &values)))?,
    )?;
    Ok(table)
}

/// How many bytes a format takes, if it always takes as many.
fn size(arguments: Arguments<'_>) -> mlua::Result<f64> {
    let text = arguments.string(0)?;
    let mut format = Format::new(arguments, &text.as_bytes());
    let mut position = 0_usize;
    while let Some(item) = format.next()? {
        match item {
            Item::Text => return Err(arguments.bad(0, "option 's' has no fixed size")),
            Item::Chars(0) => return Err(arguments.bad(0, "option 'c0' has no fixed size")),
            _ => {}
        }
        position = position.saturating_add(format.padding(item, position)?);
        position = position.saturating_add(item.size());
    }
    Ok(position as f64)
}
