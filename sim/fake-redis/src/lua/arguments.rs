//! The arguments of a function, checked with the errors that Lua's own functions raise.

use mlua::{Lua, LuaString, Table, Value as LuaValue};

use super::failure::{self, Failure};

/// What a function was called with; indexes begin at 0.
#[derive(Clone, Copy)]
pub(super) struct Arguments<'a> {
    pub(super) lua: &'a Lua,
    pub(super) values: &'a [LuaValue],
}

impl<'a> Arguments<'a> {
    pub(super) fn new(lua: &'a Lua, values: &'a [LuaValue]) -> Self {
        Self { lua, values }
    }

    pub(super) fn len(self) -> usize {
        self.values.len()
    }

    pub(super) fn get(self, index: usize) -> LuaValue {
        self.values.get(index).cloned().unwrap_or(LuaValue::Nil)
    }

    /// A string, or a number as its text.
    pub(super) fn string(self, index: usize) -> mlua::Result<LuaString> {
        let text = match self.get(index) {
            LuaValue::String(text) => Some(text),
            number @ (LuaValue::Integer(_) | LuaValue::Number(_)) => {
                self.lua.coerce_string(number)?
            }
            _ => None,
        };
        text.ok_or_else(|| self.expected(index, "string"))
    }

    /// A number, or a text that is one.
    pub(super) fn number(self, index: usize) -> mlua::Result<f64> {
        let number = match self.get(index) {
            LuaValue::Boolean(_) => None,
            value => self.lua.coerce_number(value)?,
        };
        number.ok_or_else(|| self.expected(index, "number"))
    }

    /// A number without its fraction.
    pub(super) fn integer(self, index: usize) -> mlua::Result<i64> {
        Ok(truncated(self.number(index)?))
    }

    /// The same, or `otherwise` if it is absent or nil.
    pub(super) fn integer_or(self, index: usize, otherwise: i64) -> mlua::Result<i64> {
        match self.get(index) {
            LuaValue::Nil => Ok(otherwise),
            _ => self.integer(index),
        }
    }

    pub(super) fn table(self, index: usize) -> mlua::Result<Table> {
        match self.get(index) {
            LuaValue::Table(table) => Ok(table),
            _ => Err(self.expected(index, "table")),
        }
    }

    fn expected(self, index: usize, expected: &str) -> mlua::Error {
        let found = self.values.get(index).map_or("no value", type_name);
        self.bad(index, &format!("{expected} expected, got {found}"))
    }

    /// The error that says what is wrong with an argument.
    pub(super) fn bad(self, index: usize, what: &str) -> mlua::Error {
        let (name, method) = self.name();
        let text = match (index + 1, method) {
            (1, true) => format!("calling '{name}' on bad self ({what})"),
            (place, _) => {
                let place = place - usize::from(method);
                format!("bad argument #{place} to '{name}' ({what})")
            }
        };
        raised(self.lua, &text)
    }

    /// How the script calls the running function, and whether as a method.
    fn name(self) -> (String, bool) {
        let names = self.lua.inspect_stack(0, |frame| {
            let names = frame.names();
            (names.name.map(String::from), names.name_what == Some("method"))
        });
        match names {
            Some((Some(name), method)) => (name, method),
            _ => ("?".into(), false),
        }
    }
}

/// An error text with the line of the script before it.
pub(super) fn raised(lua: &Lua, text: &str) -> mlua::Error {
    Failure::Text(format!("{}{text}", failure::position(lua))).into()
}

/// The name of a value's type, as Lua says it.
pub(super) fn type_name(value: &LuaValue) -> &'static str {
    match value {
        LuaValue::Integer(_) => "number",
        LuaValue::LightUserData(_) | LuaValue::Error(_) => "userdata",
        value => value.type_name(),
    }
}

/// C's conversion to a 64-bit integer as the common processors do it: what does not fit becomes
/// the least one.
pub(super) fn truncated(number: f64) -> i64 {
    let fits = (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&number);
    if fits { number as i64 } else { i64::MIN }
}
