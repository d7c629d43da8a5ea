//! The library `cjson`: JSON as Redis gives it to scripts.
//!
//! Not by a crate, because scripts see its texts and limits: a string may be any bytes, a number
//! has 14 digits, a list may have holes, and each error is told in known words.

mod config;
mod decode;
mod encode;

use mlua::{Lua, MultiValue, Table, Value as LuaValue, Variadic};

pub(super) use config::Config;

use super::{arguments::Arguments, with_running};

type Function = fn(Arguments<'_>) -> mlua::Result<MultiValue>;

const FUNCTIONS: [(&str, Function); 8] = [
    ("decode", decode),
    ("decode_invalid_numbers", config::decode_invalid_numbers),
    ("decode_max_depth", config::decode_max_depth),
    ("encode", encode),
    ("encode_invalid_numbers", config::encode_invalid_numbers),
    ("encode_keep_buffer", config::encode_keep_buffer),
    ("encode_max_depth", config::encode_max_depth),
    ("encode_sparse_array", config::encode_sparse_array),
];

/// The library, by name of function.
pub(super) fn library(lua: &Lua) -> mlua::Result<Table> {
    let table = lua.create_table()?;
    let precision = ("encode_number_precision", config::encode_number_precision as Function);
    for (name, function) in FUNCTIONS.into_iter().chain([precision]) {
        let function = lua.create_function(move |lua, values: Variadic<LuaValue>| {
            function(Arguments::new(lua, &values))
        })?;
        table.raw_set(name, function)?;
    }
    table.raw_set("null", LuaValue::NULL)?;
    table.raw_set("_NAME", "cjson")?;
    table.raw_set("_VERSION", "2.1.0")?;
    // Each script has its own settings, so the library is as good as a new one.
    let again = table.clone();
    table.raw_set("new", lua.create_function(move |_, ()| Ok(again.clone()))?)?;
    Ok(table)
}

fn encode(arguments: Arguments<'_>) -> mlua::Result<MultiValue> {
    let value = only(arguments)?;
    let config = with_running(|running| running.json);
    let text = encode::encode(arguments.lua, config, value)?;
    Ok(MultiValue::from_iter([LuaValue::String(arguments.lua.create_string(text)?)]))
}

fn decode(arguments: Arguments<'_>) -> mlua::Result<MultiValue> {
    only(arguments)?;
    let text = arguments.string(0)?;
    let config = with_running(|running| running.json);
    Ok(MultiValue::from_iter([decode::decode(arguments.lua, config, &text.as_bytes())?]))
}

fn only(arguments: Arguments<'_>) -> mlua::Result<&LuaValue> {
    match arguments.values {
        [value] => Ok(value),
        _ => Err(arguments.bad(0, "expected 1 argument")),
    }
}
