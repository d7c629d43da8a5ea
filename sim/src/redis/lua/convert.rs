//! Values between Lua and RESP, as <https://redis.io/docs/latest/develop/programmability/lua-api/>
//! defines: a Lua number becomes an integer, a list ends at its first nil, and nil is false.

use bytes::Bytes;
use mlua::{Lua, Table, Value as LuaValue};

use super::super::{Resp, number::seventeen_digits};

/// How deep lists may be nested in a script's result.
const DEPTH_LIMIT: usize = 200;

/// What a script returned.
pub(super) fn to_resp(value: &LuaValue) -> mlua::Result<Resp> {
    let too_deep = Resp::Error("ERR reached lua stack limit".into());
    Ok(nested_to_resp(value, DEPTH_LIMIT)?.unwrap_or(too_deep))
}

/// `None` if it is nested too deep.
fn nested_to_resp(value: &LuaValue, depth: usize) -> mlua::Result<Option<Resp>> {
    Ok(Some(match value {
        LuaValue::Boolean(true) => Resp::Integer(1),
        LuaValue::Integer(number) => Resp::Integer(*number),
        LuaValue::Number(number) => Resp::Integer(truncated(*number)),
        LuaValue::String(text) => Resp::Bulk(Bytes::copy_from_slice(&text.as_bytes())),
        LuaValue::Table(table) => return table_to_resp(table, depth),
        _ => Resp::Nil,
    }))
}

fn table_to_resp(table: &Table, depth: usize) -> mlua::Result<Option<Resp>> {
    if let LuaValue::String(message) = table.raw_get("err")? {
        return Ok(Some(Resp::Error(one_line(&message).into())));
    }
    if let LuaValue::String(status) = table.raw_get("ok")? {
        return Ok(Some(Resp::Simple(one_line(&status).into())));
    }
    let Some(depth) = depth.checked_sub(1) else { return Ok(None) };
    let mut replies = Vec::new();
    for index in 1_i64.. {
        let value = table.raw_get(index)?;
        if matches!(value, LuaValue::Nil) {
            break;
        }
        let Some(reply) = nested_to_resp(&value, depth)? else { return Ok(None) };
        replies.push(reply);
    }
    Ok(Some(Resp::Array(replies)))
}

/// A status or an error must not break the protocol's line.
pub(super) fn one_line(text: &mlua::LuaString) -> String {
    text.to_string_lossy().replace(['\r', '\n'], " ")
}

/// C's conversion to a 64-bit integer as the common processors do it: what does not fit becomes
/// the least one.
fn truncated(number: f64) -> i64 {
    let fits = (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&number);
    if fits { number as i64 } else { i64::MIN }
}

/// What a command answered to a script. An error is a table, too: raising it is another matter.
pub(super) fn to_lua(lua: &Lua, reply: Resp) -> mlua::Result<LuaValue> {
    Ok(match reply.plain() {
        Resp::Array(replies) => {
            let table = lua.create_table_with_capacity(replies.len(), 0)?;
            for reply in replies {
                table.raw_push(to_lua(lua, reply)?)?;
            }
            LuaValue::Table(table)
        }
        Resp::Bulk(bytes) => LuaValue::String(lua.create_string(&bytes)?),
        Resp::Error(message) => single(lua, "err", &message)?,
        Resp::Integer(number) => LuaValue::Number(number as f64),
        Resp::Simple(status) => single(lua, "ok", &status)?,
        _ => LuaValue::Boolean(false),
    })
}

/// A table with one field.
pub(super) fn single(lua: &Lua, name: &str, text: &str) -> mlua::Result<LuaValue> {
    let table = lua.create_table_with_capacity(0, 1)?;
    table.raw_set(name, text)?;
    Ok(LuaValue::Table(table))
}

/// A command's argument; `None` if it is neither a string nor a number.
pub(super) fn argument(value: &LuaValue) -> Option<Bytes> {
    match value {
        // The binding reports every whole number as an integer, which Lua 5.1 has not.
        LuaValue::Integer(number) if number.unsigned_abs() < 100_000_000_000_000_000 => {
            Some(number.to_string().into())
        }
        LuaValue::Integer(number) => Some(seventeen_digits(*number as f64).into()),
        LuaValue::Number(number) => Some(seventeen_digits(*number).into()),
        LuaValue::String(text) => Some(Bytes::copy_from_slice(&text.as_bytes())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_an_integer_becomes_the_least_one() {
        assert_eq!([3.99, -3.99].map(truncated), [3, -3]);
        assert_eq!([1e300, -1e300, f64::NAN].map(truncated), [i64::MIN; 3]);
    }
}
