//! The basic functions that must see through the guards of the sandbox, or hide the host.
//!
//! They are in Rust because a function in Lua would take the script's place on the stack when it is
//! called last, and an error could no longer tell the script's line.

use mlua::{Function, Lua, MultiValue, Table, Value as LuaValue, Variadic};

use super::{
    arguments::{Arguments, raised},
    failure::Failure,
    with_running,
};

const READONLY: &str = "Attempt to modify a readonly table";

/// The functions, by name. `guarded` has what is behind each table that is only to be read.
pub(super) fn functions(lua: &Lua, guarded: &Table) -> mlua::Result<Table> {
    let table = lua.create_table()?;
    let globals = lua.globals();
    let next: Function = globals.raw_get("next")?;
    let next_behind = next_behind(lua, guarded, &next)?;
    with(lua, &table, "pairs", guarded, move |arguments, guarded| {
        let table = arguments.table(0)?;
        let next = if guarded.contains_key(&table)? { &next_behind } else { &next };
        let all = [LuaValue::Function(next.clone()), LuaValue::Table(table), LuaValue::Nil];
        Ok(MultiValue::from_iter(all))
    })?;
    with(lua, &table, "rawget", guarded, |arguments, guarded| {
        let table = arguments.table(0)?;
        let real: Option<Table> = guarded.raw_get(&table)?;
        one(real.unwrap_or(table).raw_get(arguments.get(1))?)
    })?;
    with(lua, &table, "rawset", guarded, |arguments, guarded| {
        let table = writable(arguments.table(0)?, guarded)?;
        match arguments.get(1) {
            LuaValue::Nil => Err(raised(arguments.lua, "table index is nil")),
            LuaValue::Number(number) if number.is_nan() => {
                Err(raised(arguments.lua, "table index is NaN"))
            }
            key => {
                table.raw_set(key, arguments.get(2))?;
                one(LuaValue::Table(table))
            }
        }
    })?;
    with(lua, &table, "setmetatable", guarded, set_metatable)?;
    let text_of: Function = globals.raw_get("tostring")?;
    with(lua, &table, "tostring", guarded, move |arguments, _| to_string(arguments, &text_of))?;
    Ok(table)
}

/// A table that may be changed.
pub(super) fn writable(table: Table, guarded: &Table) -> mlua::Result<Table> {
    if guarded.contains_key(&table)? {
        return Err(Failure::Text(READONLY.into()).into());
    }
    Ok(table)
}

fn with(
    lua: &Lua,
    table: &Table,
    name: &str,
    guarded: &Table,
    function: impl Fn(Arguments<'_>, &Table) -> mlua::Result<MultiValue> + 'static,
) -> mlua::Result<()> {
    let guarded = guarded.clone();
    let function = lua.create_function(move |lua, values: Variadic<LuaValue>| {
        function(Arguments::new(lua, &values), &guarded)
    })?;
    table.raw_set(name, function)
}

fn next_behind(lua: &Lua, guarded: &Table, next: &Function) -> mlua::Result<Function> {
    let (guarded, next) = (guarded.clone(), next.clone());
    lua.create_function(move |_, (table, key): (Table, LuaValue)| {
        let real: Table = guarded.raw_get(table)?;
        next.call::<MultiValue>((real, key))
    })
}

fn set_metatable(arguments: Arguments<'_>, guarded: &Table) -> mlua::Result<MultiValue> {
    let table = arguments.table(0)?;
    let meta = match (arguments.get(1), arguments.len()) {
        (LuaValue::Nil, 2..) => None,
        (LuaValue::Table(meta), _) => Some(meta),
        _ => return Err(arguments.bad(1, "nil or table expected")),
    };
    let table = writable(table, guarded)?;
    if let Some(old) = table.metatable()
        && !old.raw_get::<LuaValue>("__metatable")?.is_nil()
    {
        return Err(raised(arguments.lua, "cannot change a protected metatable"));
    }
    table.set_metatable(meta)?;
    one(LuaValue::Table(table))
}

/// Where a value is in memory differs from run to run, so it is told by a number instead.
fn to_string(arguments: Arguments<'_>, text_of: &Function) -> mlua::Result<MultiValue> {
    if arguments.len() == 0 {
        return Err(arguments.bad(0, "value expected"));
    }
    let value = arguments.get(0);
    let kind = match &value {
        LuaValue::Table(table) => match table.metatable() {
            Some(meta) if meta.contains_key("__tostring")? => return text_of.call(value),
            _ => "table",
        },
        LuaValue::Function(_) => "function",
        LuaValue::Thread(_) => "thread",
        _ => return text_of.call(value),
    };
    let number = number(arguments.lua, value)?;
    one(LuaValue::String(arguments.lua.create_string(format!("{kind}: 0x{number:08x}"))?))
}

/// The same number for the same value as long as the script runs.
fn number(lua: &Lua, value: LuaValue) -> mlua::Result<i64> {
    let numbers = match with_running(|running| running.numbers.clone()) {
        Some(numbers) => numbers,
        None => {
            let numbers = lua.create_table()?;
            with_running(|running| running.numbers = Some(numbers.clone()));
            numbers
        }
    };
    if let Some(number) = numbers.raw_get::<Option<i64>>(&value)? {
        return Ok(number);
    }
    let number = numbers.raw_get::<Option<i64>>("last")?.unwrap_or(0) + 1;
    numbers.raw_set("last", number)?;
    numbers.raw_set(value, number)?;
    Ok(number)
}

fn one(value: LuaValue) -> mlua::Result<MultiValue> {
    Ok(MultiValue::from_iter([value]))
}
