//! What the sandbox needs from Rust: `redis.call` and its like.

use bytes::Bytes;
use mlua::{Lua, MultiValue, Table, Value as LuaValue, Variadic};

use super::{
    super::{Resp, command::NotFound, resp::text_of, script::Sha1},
    MEMORY_LIMIT,
    arguments::{Arguments, raised},
    basics, bits, budget,
    convert::{self, single},
    explain,
    failure::Failure,
    json, msgpack, packing, pattern,
    random::Random,
    text, with_running,
};

/// What a call of a command counts for, in instructions.
const CALL: u64 = 100;

/// The functions for `sandbox.lua`, by name.
pub(super) fn functions(lua: &Lua) -> mlua::Result<Table> {
    let table = lua.create_table()?;
    table.raw_set("check", lua.create_function(budget::check)?)?;
    table.raw_set("charge", lua.create_function(|_, ()| budget::spend(CALL))?)?;
    table.raw_set("explain", lua.create_function(explain::explain)?)?;
    table.raw_set("plain", lua.create_function(explain::plain)?)?;
    table.raw_set("random", lua.create_function(|lua, bounds| random(lua, &bounds))?)?;
    table.raw_set("randomseed", lua.create_function(|lua, seed| random_seed(lua, &seed))?)?;
    let behind = lua.create_table()?;
    table.raw_set("basics", basics::functions(lua, &behind)?)?;
    table.raw_set("insert", text::insert(lua, behind.clone())?)?;
    table.raw_set("behind", behind)?;
    table.raw_set("rep", text::repeat(lua)?)?;
    table.raw_set("bit", bits::library(lua)?)?;
    table.raw_set("cjson", json::library(lua)?)?;
    table.raw_set("cmsgpack", msgpack::library(lua)?)?;
    table.raw_set("redis", redis(lua)?)?;
    table.raw_set("struct", packing::library(lua)?)?;
    let globals = lua.globals();
    pattern::replace(lua, &globals.raw_get("string")?, &globals.raw_get("pcall")?)?;
    Ok(table)
}

/// The library `redis`, without its constants.
fn redis(lua: &Lua) -> mlua::Result<Table> {
    let table = lua.create_table()?;
    table.raw_set("acl_check_cmd", lua.create_function(|_, args| acl_check_cmd(&args))?)?;
    table.raw_set("call", lua.create_function(|lua, arguments| call(lua, &arguments))?)?;
    table.raw_set("error_reply", lua.create_function(|lua, args| error_reply(lua, &args))?)?;
    table.raw_set("log", lua.create_function(|lua, args| log(lua, &args))?)?;
    table.raw_set("pcall", lua.create_function(|lua, arguments| pcall(lua, &arguments))?)?;
    table.raw_set("set_repl", lua.create_function(|lua, args| set_repl(lua, &args))?)?;
    table.raw_set("setresp", lua.create_function(|lua, args| set_resp(lua, &args))?)?;
    table.raw_set("sha1hex", lua.create_function(|lua, text| sha1hex(lua, &text))?)?;
    table.raw_set("status_reply", lua.create_function(|lua, args| status_reply(lua, &args))?)?;
    Ok(table)
}

/// `redis.call`: an error is raised.
fn call(lua: &Lua, arguments: &MultiValue) -> mlua::Result<LuaValue> {
    unlimited(lua, || {
        let words = words(arguments).map_err(table_error)?;
        match perform(&words)? {
            Resp::Error(message) => Err(Failure::Reply(message.into_owned()).into()),
            reply => convert::to_lua(lua, reply),
        }
    })
}

/// `redis.pcall`: an error is returned.
fn pcall(lua: &Lua, arguments: &MultiValue) -> mlua::Result<LuaValue> {
    unlimited(lua, || match words(arguments) {
        Ok(words) => convert::to_lua(lua, perform(&words)?),
        Err(text) => single(lua, "err", text),
    })
}

/// Runs `f` without the limit of memory, under which each allocation on the way to Lua costs a
/// protected call. What was allocated still counts afterwards.
fn unlimited<R>(lua: &Lua, f: impl FnOnce() -> mlua::Result<R>) -> mlua::Result<R> {
    let limit = lua.set_memory_limit(0)?;
    if limit > 0 && lua.used_memory() > MEMORY_LIMIT {
        lua.set_memory_limit(limit)?;
        return Err(Failure::Text("not enough memory".into()).into());
    }
    let result = f();
    lua.set_memory_limit(limit)?;
    result
}

fn perform(words: &[Bytes]) -> mlua::Result<Resp> {
    with_running(|running| {
        running.budget.spend(CALL)?;
        Ok(running.redis.run_for_script(running.now_us, words, &mut running.access))
    })
}

/// The words of a command, or what is wrong with them.
fn words(arguments: &MultiValue) -> Result<Vec<Bytes>, &'static str> {
    if arguments.is_empty() {
        return Err("ERR Please specify at least one argument for this redis lib call");
    }
    let words = arguments.iter().map(convert::argument).collect::<Option<_>>();
    words.ok_or("ERR Lua redis lib command arguments must be strings or integers")
}

/// Whether the user for whom the script runs may run a command.
fn acl_check_cmd(arguments: &MultiValue) -> mlua::Result<bool> {
    let words = words(arguments).map_err(table_error)?;
    let table = with_running(|running| running.access.table);
    match table.find_by_name(&words) {
        Err(NotFound::Unknown | NotFound::Subcommand) => {
            Err(table_error("ERR Invalid command passed to redis.acl_check_cmd()"))
        }
        Err(NotFound::Arity(_)) => Ok(true),
        Ok(spec) => Ok(with_running(|running| {
            let user = running.redis.service.as_ref().and_then(|service| service.user.as_ref());
            user.is_none_or(|user| user.check(spec, &words).is_ok())
        })),
    }
}

/// Checks the arguments. There is no log.
fn log(lua: &Lua, arguments: &Variadic<LuaValue>) -> mlua::Result<()> {
    if arguments.len() < 2 {
        return Err(table_error("ERR redis.log() requires two arguments or more."));
    }
    let level = match &arguments[0] {
        level @ (LuaValue::Integer(_) | LuaValue::Number(_)) => lua.coerce_number(level.clone())?,
        _ => return Err(table_error("ERR First argument must be a number (log level).")),
    };
    match level {
        Some(level) if (0.0..4.0).contains(&level.trunc()) => Ok(()),
        _ => Err(table_error("ERR Invalid debug level.")),
    }
}

/// Checks the arguments. Whole scripts are not replicated, but what they changed.
fn set_repl(lua: &Lua, arguments: &Variadic<LuaValue>) -> mlua::Result<()> {
    let [flags] = arguments.as_slice() else {
        return Err(table_error("ERR redis.set_repl() requires two arguments."));
    };
    let flags = lua.coerce_number(flags.clone())?.unwrap_or(0.0);
    if (0.0..4.0).contains(&flags.trunc()) {
        return Ok(());
    }
    let text = "ERR Invalid replication flags. Use REPL_AOF, REPL_REPLICA, REPL_ALL or REPL_NONE.";
    Err(table_error(text))
}

fn set_resp(lua: &Lua, arguments: &Variadic<LuaValue>) -> mlua::Result<()> {
    let [version] = arguments.as_slice() else {
        return Err(table_error("ERR redis.setresp() requires one argument."));
    };
    let version = lua.coerce_number(version.clone())?.unwrap_or(0.0).trunc();
    if version != 2.0 && version != 3.0 {
        return Err(table_error("ERR RESP version must be 2 or 3."));
    }
    with_running(|running| running.resp3 = version == 3.0);
    Ok(())
}

fn table_error(text: &str) -> mlua::Error {
    Failure::Table(text.into()).into()
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

/// As [`text_of`] gives it.
fn only_string(arguments: &Variadic<LuaValue>) -> Option<String> {
    match arguments.as_slice() {
        [LuaValue::String(text)] => Some(text_of(&text.as_bytes()).into_owned()),
        _ => None,
    }
}

fn wrong_arguments(lua: &Lua) -> mlua::Result<LuaValue> {
    single(lua, "err", "ERR wrong number or type of arguments")
}

fn sha1hex(lua: &Lua, arguments: &Variadic<LuaValue>) -> mlua::Result<LuaValue> {
    let [argument] = arguments.as_slice() else {
        return Err(table_error("ERR wrong number of arguments"));
    };
    let text = lua.coerce_string(argument.clone())?;
    let sha1 = Sha1::of(&text.map(|text| text.as_bytes().to_vec()).unwrap_or_default());
    Ok(LuaValue::String(lua.create_string(sha1.as_bytes())?))
}

/// `math.random` as Lua has it, errors included.
fn random(lua: &Lua, bounds: &Variadic<LuaValue>) -> mlua::Result<f64> {
    let arguments = Arguments::new(lua, bounds);
    let bound = |index: usize| Ok::<_, mlua::Error>(arguments.number(index)?.floor());
    let fraction = with_running(|running| running.redis.lua_random.fraction());
    let (low, high) = match arguments.len() {
        0 => return Ok(fraction),
        1 => (1.0, bound(0)?),
        2 => (bound(0)?, bound(1)?),
        _ => return Err(raised(lua, "wrong number of arguments")),
    };
    if high < low {
        return Err(arguments.bad(bounds.len() - 1, "interval is empty"));
    }
    Ok((fraction * (high - low + 1.0)).floor() + low)
}

fn random_seed(lua: &Lua, arguments: &Variadic<LuaValue>) -> mlua::Result<()> {
    let seed = Arguments::new(lua, arguments).integer(0)? as u32;
    with_running(|running| running.redis.lua_random = Random::seeded(seed));
    Ok(())
}
