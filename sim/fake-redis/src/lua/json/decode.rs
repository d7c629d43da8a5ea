//! `cjson.decode`.

mod number;
mod token;

use mlua::{Lua, Value as LuaValue};

use super::config::Config;
use crate::lua::{arguments::raised, budget};
use token::{Kind, Token, Tokens};

/// The value that `text` says.
pub(super) fn decode(lua: &Lua, config: Config, text: &[u8]) -> mlua::Result<LuaValue> {
    budget::spend_bytes(text.len())?;
    if text.len() >= 2 && text[..2].contains(&0) {
        return Err(raised(lua, "JSON parser does not support UTF-16 or UTF-32"));
    }
    let tokens = Tokens::new(text, config.decode_invalid);
    let mut decoder = Decoder { lua, tokens, deepest: config.decode_depth.min(DEEPEST) };
    let first = decoder.tokens.next();
    let value = decoder.value(first, 0)?;
    let last = decoder.tokens.next();
    decoder.expect(last.kind == Kind::End, "the end", &last)?;
    Ok(value)
}

/// However deep a script allows.
pub(super) const DEEPEST: usize = 1_000;

struct Decoder<'a> {
    lua: &'a Lua,
    tokens: Tokens<'a>,
    deepest: usize,
}

impl Decoder<'_> {
    fn value(&mut self, token: Token, depth: usize) -> mlua::Result<LuaValue> {
        budget::spend(1)?;
        Ok(match token.kind {
            Kind::String(text) => LuaValue::String(self.lua.create_string(text)?),
            Kind::Number(number) => LuaValue::Number(number),
            Kind::Boolean(yes) => LuaValue::Boolean(yes),
            Kind::Null => LuaValue::NULL,
            Kind::ObjectBegin => self.object(self.deeper(depth)?)?,
            Kind::ArrayBegin => self.array(self.deeper(depth)?)?,
            _ => return Err(self.unexpected("value", &token)),
        })
    }

    fn object(&mut self, depth: usize) -> mlua::Result<LuaValue> {
        let table = self.lua.create_table()?;
        let mut token = self.tokens.next();
        if token.kind == Kind::ObjectEnd {
            return Ok(LuaValue::Table(table));
        }
        loop {
            let Kind::String(name) = token.kind else {
                return Err(self.unexpected("object key string", &token));
            };
            let colon = self.tokens.next();
            self.expect(colon.kind == Kind::Colon, "colon", &colon)?;
            let first = self.tokens.next();
            table.raw_set(self.lua.create_string(name)?, self.value(first, depth)?)?;
            token = self.tokens.next();
            if token.kind == Kind::ObjectEnd {
                return Ok(LuaValue::Table(table));
            }
            self.expect(token.kind == Kind::Comma, "comma or object end", &token)?;
            token = self.tokens.next();
        }
    }

    fn array(&mut self, depth: usize) -> mlua::Result<LuaValue> {
        let table = self.lua.create_table()?;
        let mut token = self.tokens.next();
        if token.kind == Kind::ArrayEnd {
            return Ok(LuaValue::Table(table));
        }
        for index in 1_i64.. {
            table.raw_set(index, self.value(token, depth)?)?;
            token = self.tokens.next();
            if token.kind == Kind::ArrayEnd {
                break;
            }
            self.expect(token.kind == Kind::Comma, "comma or array end", &token)?;
            token = self.tokens.next();
        }
        Ok(LuaValue::Table(table))
    }

    fn deeper(&self, depth: usize) -> mlua::Result<usize> {
        let depth = depth + 1;
        if depth > self.deepest {
            let place = self.tokens.place();
            let text =
                format!("Found too many nested data structures ({depth}) at character {place}");
            return Err(raised(self.lua, &text));
        }
        Ok(depth)
    }

    fn expect(&self, met: bool, expected: &str, token: &Token) -> mlua::Result<()> {
        if met { Ok(()) } else { Err(self.unexpected(expected, token)) }
    }

    fn unexpected(&self, expected: &str, token: &Token) -> mlua::Error {
        let (found, place) = (token.kind.name(), token.place);
        raised(self.lua, &format!("Expected {expected} but found {found} at character {place}"))
    }
}
