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
    table.raw_set("explain", lua.create_function(|lua, error| failure::explain(lua, error))?)?;
    table.raw_set("pcall", lua.create_function(|lua, arguments| pcall(lua, &arguments))?)?;
    table.raw_set("plain", lua.create_function(|lua, error| failure::plain(lua, error))?)?;
    table.raw_set("random", lua.create_function(|lua, bounds| random(lua, &bounds))?)?;
    table.raw_set("randomseed", lua.create_function(|_, seed| random_seed(seed))?)?;
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

fn random(lua: &Lua, bounds: &Variadic<f64>) -> mlua::Result<f64> {
    let refused = |text: &str| {
        let text = format!("{}{text}", failure::position(lua));
        Err(Failure::Text(text).into())
    };
    let fraction = with_running(|running| running.random.fraction());
    match *bounds.as_slice() {
        [] => Ok(fraction),
        [high] if high.floor() < 1.0 => refused("bad argument #1 to 'random' (interval is empty)"),
        [high] => Ok((fraction * high.floor()).floor() + 1.0),
        [low, high] if high.floor() < low.floor() => {
            refused("bad argument #2 to 'random' (interval is empty)")
        }
        [low, high] => {
            let (low, high) = (low.floor(), high.floor());
            Ok((fraction * (high - low + 1.0)).floor() + low)
        }
        _ => refused("wrong number of arguments"),
    }
}

fn random_seed(seed: f64) -> mlua::Result<()> {
    with_running(|running| running.random = Random::seeded(seed as i64 as u32));
    Ok(())
}
