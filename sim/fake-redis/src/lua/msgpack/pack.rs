//! `cmsgpack.pack`.

use mlua::{MultiValue, Table, Value as LuaValue};
use rmp::encode::{self, ValueWriteError};

use super::{Arguments, raised};
use crate::lua::{MEMORY_LIMIT, budget};

/// How deep tables are followed. What is deeper becomes nil.
const DEEPEST: usize = 16;

/// How many values are packed at once: Lua has twice the room.
const MOST: usize = 4_000;

/// All arguments, one behind the other.
pub(super) fn pack(arguments: Arguments<'_>) -> mlua::Result<MultiValue> {
    if arguments.len() == 0 {
        let text = "bad argument #0 to 'pack' (MessagePack pack needs input.)";
        return Err(raised(arguments.lua, text));
    }
    if arguments.len() > MOST {
        let text = "bad argument #0 to 'pack' (Too many arguments for MessagePack pack.)";
        return Err(raised(arguments.lua, text));
    }
    let mut bytes = Vec::new();
    for value in arguments.values {
        write(&mut bytes, value, 0)?;
    }
    Ok(MultiValue::from_iter([LuaValue::String(arguments.lua.create_string(bytes)?)]))
}

fn write(bytes: &mut Vec<u8>, value: &LuaValue, depth: usize) -> mlua::Result<()> {
    budget::spend(1)?;
    match value {
        LuaValue::String(text) => {
            let text = text.as_bytes();
            budget::spend_bytes(text.len())?;
            encode::write_str_len(bytes, length(text.len())?).map_err(written)?;
            bytes.extend_from_slice(&text);
        }
        LuaValue::Boolean(yes) => encode::write_bool(bytes, *yes).map_err(mlua::Error::external)?,
        LuaValue::Integer(number) => integer(bytes, *number)?,
        LuaValue::Number(number) => self::number(bytes, *number)?,
        LuaValue::Table(table) if depth < DEEPEST => self::table(bytes, table, depth + 1)?,
        _ => encode::write_nil(bytes).map_err(mlua::Error::external)?,
    }
    if bytes.len() > MEMORY_LIMIT {
        return Err(mlua::Error::MemoryError("not enough memory".into()));
    }
    Ok(())
}

fn integer(bytes: &mut Vec<u8>, number: i64) -> mlua::Result<()> {
    encode::write_sint(bytes, number).map(drop).map_err(written)
}

/// A whole number becomes an integer, another one the shortest that is equal.
fn number(bytes: &mut Vec<u8>, number: f64) -> mlua::Result<()> {
    let whole = number as i64;
    if whole as f64 == number && whole != i64::MAX {
        integer(bytes, whole)
    } else if f64::from(number as f32) == number {
        encode::write_f32(bytes, number as f32).map_err(written)
    } else {
        encode::write_f64(bytes, number).map_err(written)
    }
}

fn table(bytes: &mut Vec<u8>, table: &Table, depth: usize) -> mlua::Result<()> {
    // Looked through twice, since Lua does not let many of its values be held at once.
    let (mut number, mut last) = (0, Some(0));
    for pair in table.pairs::<LuaValue, LuaValue>() {
        let index = match pair?.0 {
            LuaValue::Integer(index) if index > 0 => usize::try_from(index).ok(),
            _ => None,
        };
        last = last.zip(index).map(|(last, index)| index.max(last));
        number += 1;
    }
    if last == Some(number) {
        encode::write_array_len(bytes, length(number)?).map_err(written)?;
        for index in 1..=number {
            write(bytes, &table.raw_get(index)?, depth)?;
        }
        return Ok(());
    }
    encode::write_map_len(bytes, length(number)?).map_err(written)?;
    for pair in table.pairs::<LuaValue, LuaValue>() {
        let (name, value) = pair?;
        write(bytes, &name, depth)?;
        write(bytes, &value, depth)?;
    }
    Ok(())
}

fn length(length: usize) -> mlua::Result<u32> {
    u32::try_from(length).map_err(mlua::Error::external)
}

fn written(error: ValueWriteError<std::io::Error>) -> mlua::Error {
    mlua::Error::external(error)
}
