//! `cmsgpack.unpack`, `unpack_one` and `unpack_limit`.

use mlua::{Lua, MultiValue, Value as LuaValue};
use rmp::Marker;

use super::{Arguments, raised};
use crate::lua::{budget, failure::Failure};

/// How deep lists and maps may be nested.
const DEEPEST: usize = 1_000;

/// At most `limit` values from `offset` on. With a limit, the first result is where to go on, or
/// -1 at the end.
pub(super) fn unpack(
    arguments: Arguments<'_>,
    limit: i64,
    offset: i64,
) -> mlua::Result<MultiValue> {
    let data = arguments.string(0)?;
    let data = data.as_bytes();
    let refused = |text: String| Err(raised(arguments.lua, &text));
    let length = data.len();
    let (Ok(from), Ok(most)) = (usize::try_from(offset), usize::try_from(limit)) else {
        return refused(format!(
            "Invalid request to unpack with offset of {offset} and limit of {length}."
        ));
    };
    let Some(rest) = data.get(from..) else {
        return refused(format!("Start offset {offset} greater than input length {length}."));
    };
    let all = limit == 0 && offset == 0;
    let mut reader = Reader { lua: arguments.lua, rest };
    let mut values = Vec::new();
    while !reader.rest.is_empty() && (all || values.len() < most) {
        values.push(reader.value(0)?);
    }
    if !all {
        let read = length - reader.rest.len();
        let next = if reader.rest.is_empty() { -1.0 } else { read as f64 };
        values.insert(0, LuaValue::Number(next));
    }
    Ok(MultiValue::from_vec(values))
}

struct Reader<'a> {
    lua: &'a Lua,
    rest: &'a [u8],
}

impl Reader<'_> {
    fn value(&mut self, depth: usize) -> mlua::Result<LuaValue> {
        budget::spend(1)?;
        let [marker] = self.bytes()?;
        let signed = |number: i64| LuaValue::Number(number as f64);
        Ok(match Marker::from_u8(marker) {
            Marker::FixPos(number) => signed(number.into()),
            Marker::FixNeg(number) => signed(number.into()),
            Marker::Null => LuaValue::Nil,
            Marker::False => LuaValue::Boolean(false),
            Marker::True => LuaValue::Boolean(true),
            Marker::U8 => signed(u8::from_be_bytes(self.bytes()?).into()),
            Marker::U16 => signed(u16::from_be_bytes(self.bytes()?).into()),
            Marker::U32 => signed(u32::from_be_bytes(self.bytes()?).into()),
            // What is beyond the signed ones wraps around, as in the original.
            Marker::U64 | Marker::I64 => signed(i64::from_be_bytes(self.bytes()?)),
            Marker::I8 => signed(i8::from_be_bytes(self.bytes()?).into()),
            Marker::I16 => signed(i16::from_be_bytes(self.bytes()?).into()),
            Marker::I32 => signed(i32::from_be_bytes(self.bytes()?).into()),
            Marker::F32 => LuaValue::Number(f32::from_be_bytes(self.bytes()?).into()),
            Marker::F64 => LuaValue::Number(f64::from_be_bytes(self.bytes()?)),
            Marker::FixStr(length) => self.string(length.into())?,
            Marker::Str8 => {
                let length = u8::from_be_bytes(self.bytes()?);
                self.string(length.into())?
            }
            Marker::Str16 => {
                let length = self.length16()?;
                self.string(length)?
            }
            Marker::Str32 => {
                let length = self.length32()?;
                self.string(length)?
            }
            Marker::FixArray(length) => self.array(length.into(), depth)?,
            Marker::Array16 => {
                let length = self.length16()?;
                self.array(length, depth)?
            }
            Marker::Array32 => {
                let length = self.length32()?;
                self.array(length, depth)?
            }
            Marker::FixMap(length) => self.map(length.into(), depth)?,
            Marker::Map16 => {
                let length = self.length16()?;
                self.map(length, depth)?
            }
            Marker::Map32 => {
                let length = self.length32()?;
                self.map(length, depth)?
            }
            _ => return Err(raised(self.lua, "Bad data format in input.")),
        })
    }

    fn length16(&mut self) -> mlua::Result<usize> {
        Ok(u16::from_be_bytes(self.bytes()?).into())
    }

    fn length32(&mut self) -> mlua::Result<usize> {
        Ok(u32::from_be_bytes(self.bytes()?) as usize)
    }

    fn bytes<const LENGTH: usize>(&mut self) -> mlua::Result<[u8; LENGTH]> {
        let (bytes, rest) = self.rest.split_first_chunk().ok_or_else(|| self.missing())?;
        self.rest = rest;
        Ok(*bytes)
    }

    fn string(&mut self, length: usize) -> mlua::Result<LuaValue> {
        let (text, rest) = self.rest.split_at_checked(length).ok_or_else(|| self.missing())?;
        self.rest = rest;
        budget::spend_bytes(length)?;
        Ok(LuaValue::String(self.lua.create_string(text)?))
    }

    fn array(&mut self, length: usize, depth: usize) -> mlua::Result<LuaValue> {
        let depth = self.deeper(depth)?;
        let table = self.lua.create_table()?;
        for index in 1..=length {
            table.raw_set(index, self.value(depth)?)?;
        }
        Ok(LuaValue::Table(table))
    }

    fn map(&mut self, length: usize, depth: usize) -> mlua::Result<LuaValue> {
        let depth = self.deeper(depth)?;
        let table = self.lua.create_table()?;
        for _ in 0..length {
            let (name, value) = (self.value(depth)?, self.value(depth)?);
            if name.is_nil() {
                return Err(Failure::Text("table index is nil".into()).into());
            }
            if matches!(name, LuaValue::Number(number) if number.is_nan()) {
                return Err(Failure::Text("table index is NaN".into()).into());
            }
            table.raw_set(name, value)?;
        }
        Ok(LuaValue::Table(table))
    }

    fn deeper(&self, depth: usize) -> mlua::Result<usize> {
        if depth == DEEPEST {
            return Err(raised(self.lua, "stack overflow"));
        }
        Ok(depth + 1)
    }

    fn missing(&self) -> mlua::Error {
        raised(self.lua, "Missing bytes in input.")
    }
}
