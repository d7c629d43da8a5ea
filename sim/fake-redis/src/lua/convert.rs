//! Values between Lua and RESP, as <https://redis.io/docs/latest/develop/programmability/lua-api/>
//! defines: a Lua number becomes an integer, a list ends at its first nil, and nil is false.

use bytes::Bytes;
use mlua::{Lua, Table, Value as LuaValue};

use super::{
    super::{Resp, number::seventeen_digits, resp::text_of},
    arguments::truncated,
    with_running,
};

/// How deep lists may be nested in a script's result.
const DEPTH_LIMIT: usize = 200;

/// What a script returned.
pub(super) fn to_resp(value: &LuaValue) -> mlua::Result<Resp> {
    let too_deep = Resp::Error("ERR reached lua stack limit".into());
    let resp3 = with_running(|running| running.resp3);
    Ok(Shape { resp3 }.value(value, DEPTH_LIMIT)?.unwrap_or(too_deep))
}

/// How values are read, which depends on the protocol that the script speaks.
#[derive(Clone, Copy)]
struct Shape {
    resp3: bool,
}

/// Each function answers `None` if it is nested too deep.
impl Shape {
    fn value(self, value: &LuaValue, depth: usize) -> mlua::Result<Option<Resp>> {
        Ok(Some(match value {
            LuaValue::Boolean(yes) if self.resp3 => Resp::Boolean(*yes),
            LuaValue::Boolean(true) => Resp::Integer(1),
            LuaValue::Integer(number) => Resp::Integer(*number),
            LuaValue::Number(number) => Resp::Integer(truncated(*number)),
            LuaValue::String(text) => Resp::Bulk(Bytes::copy_from_slice(&text.as_bytes())),
            LuaValue::Table(table) => return self.table(table, depth),
            _ => Resp::Nil,
        }))
    }

    fn table(self, table: &Table, depth: usize) -> mlua::Result<Option<Resp>> {
        if let LuaValue::String(message) = table.raw_get("err")? {
            return Ok(Some(Resp::Error(one_line(&message).into())));
        }
        if let LuaValue::String(status) = table.raw_get("ok")? {
            return Ok(Some(Resp::Simple(one_line(&status).into())));
        }
        let Some(depth) = depth.checked_sub(1) else { return Ok(None) };
        // Most tables are lists, which are told from the others by their first item at no cost.
        if matches!(table.raw_get(1)?, LuaValue::Nil)
            && let Some(reply) = self.special(table, depth)?
        {
            return Ok(reply);
        }
        self.list(table, depth)
    }

    fn list(self, table: &Table, depth: usize) -> mlua::Result<Option<Resp>> {
        let mut replies = Vec::new();
        for index in 1_i64.. {
            let value = table.raw_get(index)?;
            if matches!(value, LuaValue::Nil) {
                break;
            }
            let Some(reply) = self.value(&value, depth)? else { return Ok(None) };
            replies.push(reply);
        }
        Ok(Some(Resp::Array(replies)))
    }

    /// What only RESP3 has, as tables with one field.
    fn special(self, table: &Table, depth: usize) -> mlua::Result<Option<Option<Resp>>> {
        match table.raw_get("double")? {
            LuaValue::Integer(number) => return Ok(Some(Some(double(number as f64)))),
            LuaValue::Number(number) => return Ok(Some(Some(double(number)))),
            _ => {}
        }
        if let LuaValue::Table(map) = table.raw_get("map")? {
            return self.map(&map, depth).map(Some);
        }
        if let LuaValue::Table(set) = table.raw_get("set")? {
            return self.set(&set, depth).map(Some);
        }
        if let LuaValue::String(digits) = table.raw_get("big_number")? {
            let digits = one_line(&digits);
            let digits = Resp::bytes_of(&digits).into_owned();
            return Ok(Some(Some(Resp::BigNumber(digits.into()))));
        }
        if let LuaValue::Table(verbatim) = table.raw_get("verbatim_string")?
            && let LuaValue::String(text) = verbatim.raw_get("string")?
            && let LuaValue::String(_) = verbatim.raw_get("format")?
        {
            let text = Bytes::copy_from_slice(&text.as_bytes());
            return Ok(Some(Some(Resp::Verbatim(text))));
        }
        Ok(None)
    }

    fn map(self, map: &Table, depth: usize) -> mlua::Result<Option<Resp>> {
        let mut pairs = Vec::new();
        for pair in map.pairs::<LuaValue, LuaValue>() {
            let (name, value) = pair?;
            let Some(name) = self.value(&name, depth)? else { return Ok(None) };
            let Some(value) = self.value(&value, depth)? else { return Ok(None) };
            pairs.push((name, value));
        }
        Ok(Some(Resp::Map(pairs)))
    }

    fn set(self, set: &Table, depth: usize) -> mlua::Result<Option<Resp>> {
        let mut members = Vec::new();
        for pair in set.pairs::<LuaValue, LuaValue>() {
            let Some(member) = self.value(&pair?.0, depth)? else { return Ok(None) };
            members.push(member);
        }
        Ok(Some(Resp::Set(members)))
    }
}

fn double(number: f64) -> Resp {
    Resp::Double(seventeen_digits(number).into())
}

/// A status or an error must not break the protocol's line.
pub(super) fn one_line(text: &mlua::LuaString) -> String {
    text_of(&text.as_bytes()).replace(['\r', '\n'], " ")
}

/// What a command answered to a script. An error is a table, too: raising it is another matter.
pub(super) fn to_lua(lua: &Lua, reply: Resp) -> mlua::Result<LuaValue> {
    let resp3 = with_running(|running| running.resp3);
    if resp3 { rich(lua, reply) } else { plain(lua, reply.plain()) }
}

fn plain(lua: &Lua, reply: Resp) -> mlua::Result<LuaValue> {
    Ok(match reply {
        Resp::Array(replies) => list(lua, replies, plain)?,
        Resp::Bulk(bytes) => LuaValue::String(lua.create_string(&bytes)?),
        Resp::Error(message) => error(lua, &message)?,
        Resp::Integer(number) => LuaValue::Number(number as f64),
        Resp::Simple(status) => single(lua, "ok", &status)?,
        _ => LuaValue::Boolean(false),
    })
}

/// The same in the words of RESP3.
fn rich(lua: &Lua, reply: Resp) -> mlua::Result<LuaValue> {
    Ok(match reply {
        Resp::Array(replies) | Resp::Push(replies) => list(lua, replies, rich)?,
        Resp::BigNumber(digits) => field(lua, "big_number", lua.create_string(&digits)?)?,
        Resp::Boolean(yes) => LuaValue::Boolean(yes),
        Resp::Double(text) => {
            let number = std::str::from_utf8(&text).ok().and_then(|text| text.parse::<f64>().ok());
            field(lua, "double", number)?
        }
        Resp::Entries(pairs) | Resp::Map(pairs) => {
            let map = lua.create_table_with_capacity(0, pairs.len())?;
            for (name, value) in pairs {
                map.raw_set(rich(lua, name)?, rich(lua, value)?)?;
            }
            field(lua, "map", map)?
        }
        Resp::Pairs(pairs) => {
            let pairs = pairs.into_iter().map(|(left, right)| Resp::Array(vec![left, right]));
            list(lua, pairs.collect(), rich)?
        }
        Resp::Nil | Resp::NilArray => LuaValue::Nil,
        Resp::Set(members) => {
            let set = lua.create_table_with_capacity(0, members.len())?;
            for member in members {
                set.raw_set(rich(lua, member)?, true)?;
            }
            field(lua, "set", set)?
        }
        Resp::Verbatim(text) => {
            let verbatim = lua.create_table()?;
            verbatim.raw_set("format", "txt")?;
            verbatim.raw_set("string", lua.create_string(&text)?)?;
            field(lua, "verbatim_string", verbatim)?
        }
        reply => plain(lua, reply)?,
    })
}

fn list(
    lua: &Lua,
    replies: Vec<Resp>,
    each: fn(&Lua, Resp) -> mlua::Result<LuaValue>,
) -> mlua::Result<LuaValue> {
    let items = replies.into_iter().map(|reply| Item { reply, each });
    Ok(LuaValue::Table(lua.create_sequence_from(items)?))
}

/// Made when it is pushed: the binding has room for some 8,000 values that are held at a time.
struct Item {
    reply: Resp,
    each: fn(&Lua, Resp) -> mlua::Result<LuaValue>,
}

impl mlua::IntoLua for Item {
    fn into_lua(self, lua: &Lua) -> mlua::Result<LuaValue> {
        (self.each)(lua, self.reply)
    }
}

fn field(lua: &Lua, name: &str, value: impl mlua::IntoLua) -> mlua::Result<LuaValue> {
    let table = lua.create_table_with_capacity(0, 1)?;
    table.raw_set(name, value)?;
    Ok(LuaValue::Table(table))
}

/// A command's error, with the mark by which Redis knows that it is counted already.
pub(super) fn error(lua: &Lua, message: &str) -> mlua::Result<LuaValue> {
    let table = lua.create_table_with_capacity(0, 2)?;
    table.raw_set("err", lua.create_string(Resp::bytes_of(message))?)?;
    table.raw_set("ignore_error_stats_update", true)?;
    Ok(LuaValue::Table(table))
}

/// A table with one field of text.
pub(super) fn single(lua: &Lua, name: &str, text: &str) -> mlua::Result<LuaValue> {
    field(lua, name, lua.create_string(Resp::bytes_of(text))?)
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
