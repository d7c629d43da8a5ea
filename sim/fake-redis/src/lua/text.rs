//! The functions on strings and tables that plain Lua would let run without a bound.

use mlua::{Function, Lua, Table, Value as LuaValue, Variadic};

use super::{
    MEMORY_LIMIT,
    arguments::{Arguments, raised, truncated},
    basics, budget,
    failure::Failure,
};

/// `string.rep`: a huge result is refused before it is begun.
pub(super) fn repeat(lua: &Lua) -> mlua::Result<Function> {
    lua.create_function(|lua, values: Variadic<LuaValue>| {
        let arguments = Arguments::new(lua, &values);
        let text = arguments.string(0)?;
        let times = truncated(arguments.number(1)?) as i32;
        let times = usize::try_from(times).unwrap_or(0);
        let length = text.as_bytes().len().saturating_mul(times);
        if length > MEMORY_LIMIT {
            return Err(Failure::Text("not enough memory".into()).into());
        }
        budget::spend_bytes(length)?;
        lua.create_string(text.as_bytes().repeat(times))
    })
}

/// `table.insert`, which must not write to the tables that are `guarded`.
pub(super) fn insert(lua: &Lua, guarded: Table) -> mlua::Result<Function> {
    lua.create_function(move |lua, values: Variadic<LuaValue>| {
        let arguments = Arguments::new(lua, &values);
        let table = basics::writable(arguments.table(0)?, &guarded)?;
        match arguments.len() {
            2 => table.raw_set(table.raw_len() + 1, &values[1]),
            3 => {
                let end = table.raw_len() as i64 + 1;
                let place = i64::from(arguments.integer(1)? as i32);
                let moved = usize::try_from(end.saturating_sub(place)).unwrap_or(0);
                budget::spend(moved as u64)?;
                for index in (place..end).rev() {
                    table.raw_set(index + 1, table.raw_get::<LuaValue>(index)?)?;
                }
                table.raw_set(place, &values[2])
            }
            _ => Err(raised(lua, "wrong number of arguments to 'insert'")),
        }
    })
}
