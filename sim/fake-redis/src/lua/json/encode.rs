//! `cjson.encode`.

use mlua::{Lua, Table, Value as LuaValue};

use super::{
    config::{Config, Invalid},
    decode::DEEPEST,
};
use crate::{
    lua::{
        MEMORY_LIMIT,
        arguments::{raised, type_name},
        budget,
    },
    number::digits,
};

/// `value` as JSON. An object's fields come in the order in which Lua visits them.
pub(super) fn encode(lua: &Lua, config: Config, value: &LuaValue) -> mlua::Result<Vec<u8>> {
    let mut encoder = Encoder { lua, config, text: Vec::new() };
    encoder.value(value, 0)?;
    Ok(encoder.text)
}

struct Encoder<'a> {
    lua: &'a Lua,
    config: Config,
    text: Vec<u8>,
}

impl Encoder<'_> {
    fn value(&mut self, value: &LuaValue, depth: usize) -> mlua::Result<()> {
        match value {
            LuaValue::String(text) => self.string(&text.as_bytes())?,
            LuaValue::Integer(number) => self.number(*number as f64)?,
            LuaValue::Number(number) => self.number(*number)?,
            LuaValue::Boolean(true) => self.text.extend_from_slice(b"true"),
            LuaValue::Boolean(false) => self.text.extend_from_slice(b"false"),
            LuaValue::Table(table) => self.table(table, depth + 1)?,
            LuaValue::Nil => self.text.extend_from_slice(b"null"),
            LuaValue::LightUserData(pointer) if pointer.0.is_null() => {
                self.text.extend_from_slice(b"null");
            }
            other => return Err(self.refused(type_name(other), "type not supported")),
        }
        if self.text.len() > MEMORY_LIMIT {
            return Err(raised(self.lua, "not enough memory"));
        }
        budget::spend(1)
    }

    fn table(&mut self, table: &Table, depth: usize) -> mlua::Result<()> {
        if depth > self.config.encode_depth.min(DEEPEST) {
            let text = format!("Cannot serialise, excessive nesting ({depth})");
            return Err(raised(self.lua, &text));
        }
        match self.places(table)? {
            Some(places) => self.list(table, places, depth),
            None => self.object(table, depth),
        }
    }

    /// How many places a list has, or `None` for an object.
    fn places(&self, table: &Table) -> mlua::Result<Option<usize>> {
        let (mut places, mut items) = (0_usize, 0_usize);
        for pair in table.pairs::<LuaValue, LuaValue>() {
            let index = match pair?.0 {
                LuaValue::Integer(number) => usize::try_from(number).ok(),
                _ => None,
            };
            let Some(index) = index.filter(|index| *index > 0 && *index <= i32::MAX as usize)
            else {
                return Ok(None);
            };
            places = places.max(index);
            items += 1;
        }
        budget::spend(items as u64)?;
        let sparse = self.config.sparse;
        let holes =
            sparse.ratio > 0 && places > items.saturating_mul(sparse.ratio) && places > sparse.safe;
        if holes && !sparse.convert {
            return Err(self.refused("table", "excessively sparse array"));
        }
        Ok(if holes || places == 0 { None } else { Some(places) })
    }

    fn list(&mut self, table: &Table, places: usize, depth: usize) -> mlua::Result<()> {
        self.text.push(b'[');
        for index in 1..=places {
            if index > 1 {
                self.text.push(b',');
            }
            self.value(&table.raw_get(index)?, depth)?;
        }
        self.text.push(b']');
        Ok(())
    }

    fn object(&mut self, table: &Table, depth: usize) -> mlua::Result<()> {
        self.text.push(b'{');
        let mut first = true;
        for pair in table.pairs::<LuaValue, LuaValue>() {
            let (name, value) = pair?;
            if !std::mem::take(&mut first) {
                self.text.push(b',');
            }
            match &name {
                LuaValue::String(name) => self.string(&name.as_bytes())?,
                LuaValue::Integer(number) => self.number_name(*number as f64)?,
                LuaValue::Number(number) => self.number_name(*number)?,
                other => {
                    let why = "table key must be a number or string";
                    return Err(self.refused(type_name(other), why));
                }
            }
            self.text.push(b':');
            self.value(&value, depth)?;
        }
        self.text.push(b'}');
        Ok(())
    }

    fn number_name(&mut self, number: f64) -> mlua::Result<()> {
        self.text.push(b'"');
        self.number(number)?;
        self.text.push(b'"');
        Ok(())
    }

    fn string(&mut self, text: &[u8]) -> mlua::Result<()> {
        budget::spend_bytes(text.len())?;
        self.text.push(b'"');
        for byte in text {
            match byte {
                b'"' | b'\\' | b'/' => self.text.extend_from_slice(&[b'\\', *byte]),
                b'\x08' => self.text.extend_from_slice(b"\\b"),
                b'\x0c' => self.text.extend_from_slice(b"\\f"),
                b'\n' => self.text.extend_from_slice(b"\\n"),
                b'\r' => self.text.extend_from_slice(b"\\r"),
                b'\t' => self.text.extend_from_slice(b"\\t"),
                0..0x20 | 0x7f => self.text.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
                _ => self.text.push(*byte),
            }
        }
        self.text.push(b'"');
        Ok(())
    }

    fn number(&mut self, number: f64) -> mlua::Result<()> {
        if number.is_finite() || self.config.encode_invalid == Invalid::AsTheyAre {
            let text =
                if number.is_nan() { "nan".into() } else { digits(number, self.config.digits) };
            self.text.extend_from_slice(text.as_bytes());
        } else if self.config.encode_invalid == Invalid::Null {
            self.text.extend_from_slice(b"null");
        } else {
            return Err(self.refused("number", "must not be NaN or Inf"));
        }
        Ok(())
    }

    fn refused(&self, what: &str, why: &str) -> mlua::Error {
        raised(self.lua, &format!("Cannot serialise {what}: {why}"))
    }
}
