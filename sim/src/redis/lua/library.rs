//! What the sandbox needs from Rust: `redis.call` and its like.

use bytes::Bytes;
use mlua::{Lua, MultiValue, Table, Value as LuaValue, Variadic};

use super::{
    super::{Resp, script::Sha1},
    convert::{self, single},
    failure::{self, Failure},
    random::Random,
    with_running,
};

/// The functions for `sandbox.lua`, by name.
pub(super) fn functions(lua: &Lua) -> mlua::Result<Table> {
    let table = lua.create_table()?;
    table.raw_set("call", lua.create_function(|lua, arguments| call(lua, &arguments))?)?;
    table.raw_set("error_reply", lua.create_function(|lua, args| error_reply(lua, &args))?)?;
    table.raw_set("explain", lua.create_function(failure::explain)?)?;
    table.raw_set("pcall", lua.create_function(|lua, arguments| pcall(lua, &arguments))?)?;
    table.raw_set("plain", lua.create_function(failure::plain)?)?;
    table.raw_set("random", lua.create_function(|lua, bounds| random(lua, &bounds))?)?;
    table.raw_set("randomseed", lua.create_function(|lua, seed| random_seed(lua, &seed))?)?;
    table.raw_set("sha1hex", lua.create_function(|lua, text| sha1hex(lua, &text))?)?;
    table.raw_set("status_reply", lua.create_function(|lua, args| status_reply(lua, &args))?)?;
    Ok(table)
}

/// `redis.call`: an error is raised.
fn call(lua: &Lua, arguments: &MultiValue) -> mlua::Result<LuaValue> {
    match perform(arguments) {
        Resp::Error(message) => Err(Failure::Table(message.into_owned()).into()),
        reply => convert::to_lua(lua, reply),
    }
}

/// `redis.pcall`: an error is returned.
fn pcall(lua: &Lua, arguments: &MultiValue) -> mlua::Result<LuaValue> {
    convert::to_lua(lua, perform(arguments))
}

fn perform(arguments: &MultiValue) -> Resp {
    if arguments.is_empty() {
        return Resp::Error(
            "ERR Please specify at least one argument for this redis lib call".into(),
        );
    }
    match arguments.iter().map(convert::argument).collect::<Option<Vec<Bytes>>>() {
        Some(arguments) => {
            with_running(|running| running.redis.run_for_script(running.now_us, &arguments))
        }
        None => {
            Resp::Error("ERR Lua redis lib command arguments must be strings or integers".into())
        }
    }
}

/// An error's first word is its code, so a single word gets one.
fn error_reply(lua: &Lua, arguments: &Variadic<LuaValue>) -> mlua::Result<LuaValue> {
    let Some(text) = only_string(arguments) else { return wrong_arguments(lua) };
    let text = text.strip_prefix('-').unwrap_or(&text);
    let coded = if text.contains(' ') { text.to_owned() } else { format!("ERR {text}") };
    single(lua, "err", &coded)
}

fn status_reply(lua: &Lua, arguments: &Variadic<LuaValue>) -> mlua::Result<LuaValue> {
    match only_string(arguments) {
        Some(text) => single(lua, "ok", &text),
        None => wrong_arguments(lua),
    }
}

fn only_string(arguments: &Variadic<LuaValue>) -> Option<String> {
    match arguments.as_slice() {
        [LuaValue::String(text)] => Some(text.to_string_lossy()),
        _ => None,
    }
}

fn wrong_arguments(lua: &Lua) -> mlua::Result<LuaValue> {
    single(lua, "err", "ERR wrong number or type of arguments")
}

fn sha1hex(lua: &Lua, arguments: &Variadic<LuaValue>) -> mlua::Result<LuaValue> {
    let [argument] = arguments.as_slice() else {
        return Err(Failure::Table("ERR wrong number of arguments".into()).into());
    };
    let text = lua.coerce_string(argument.clone())?;
    let sha1 = Sha1::of(&text.map(|text| text.as_bytes().to_vec()).unwrap_or_default());
    Ok(LuaValue::String(lua.create_string(sha1.as_bytes())?))
}

/// `math.random` as Lua has it, errors included.
fn random(lua: &Lua, bounds: &Variadic<LuaValue>) -> mlua::Result<f64> {
    let bound = |index: usize| Ok::<_, mlua::Error>(number(lua, bounds, index, "random")?.floor());
    let fraction = with_running(|running| running.random.fraction());
    let (low, high) = match bounds.len() {
        0 => return Ok(fraction),
        1 => (1.0, bound(0)?),
        2 => (bound(0)?, bound(1)?),
        _ => return Err(raised(lua, "wrong number of arguments")),
    };
    if high < low {
        let text = format!("bad argument #{} to 'random' (interval is empty)", bounds.len());
        return Err(raised(lua, &text));
    }
    Ok((fraction * (high - low + 1.0)).floor() + low)
}

fn random_seed(lua: &Lua, arguments: &Variadic<LuaValue>) -> mlua::Result<()> {
    let seed = number(lua, arguments, 0, "randomseed")? as i64 as u32;
    with_running(|running| running.random = Random::seeded(seed));
    Ok(())
}

/// The number among a function's arguments, or the error that Lua's own functions raise.
fn number(lua: &Lua, arguments: &[LuaValue], index: usize, function: &str) -> mlua::Result<f64> {
    let argument = arguments.get(index).cloned().unwrap_or(LuaValue::Nil);
    let name = if arguments.is_empty() { "no value" } else { argument.type_name() };
    let expected = || {
        let place = index + 1;
        raised(lua, &format!("bad argument #{place} to '{function}' (number expected, got {name})"))
    };
    lua.coerce_number(argument.clone())?.ok_or_else(expected)
}

/// An error text with the line of the script before it.
fn raised(lua: &Lua, text: &str) -> mlua::Error {
    Failure::Text(format!("{}{text}", failure::position(lua))).into()
}
