//! Lua's patterns: `find`, `match`, `gmatch` and `gsub` as in Lua 5.1.
//!
//! Lua's own are recursive and have no bound: a short pattern may take hours, or all of the stack.
//! These count their steps towards the script's budget, and refuse a pattern that is too deep.

mod matcher;
mod substitute;

use std::cell::Cell;

use mlua::{Function, Lua, LuaString, MultiValue, Table, Value as LuaValue, Variadic};

use super::{
    arguments::{Arguments, raised},
    budget,
};
use matcher::{Capture, Fault, Matcher};

/// Puts the functions into the library `string`. `pcall` is Lua's own.
pub(super) fn replace(lua: &Lua, string: &Table, pcall: &Function) -> mlua::Result<()> {
    string.raw_set("find", function(lua, |arguments| find(arguments, true))?)?;
    string.raw_set("match", function(lua, |arguments| find(arguments, false))?)?;
    let gmatch = function(lua, gmatch)?;
    string.raw_set("gfind", &gmatch)?;
    string.raw_set("gmatch", gmatch)?;
    let pcall = pcall.clone();
    string.raw_set("gsub", function(lua, move |arguments| substitute::gsub(arguments, &pcall))?)
}

fn function(
    lua: &Lua,
    function: impl Fn(Arguments<'_>) -> mlua::Result<MultiValue> + 'static,
) -> mlua::Result<Function> {
    lua.create_function(move |lua, values: Variadic<LuaValue>| {
        function(Arguments::new(lua, &values))
    })
}

fn find(arguments: Arguments<'_>, tell_place: bool) -> mlua::Result<MultiValue> {
    let (text, pattern) = (arguments.string(0)?, arguments.string(1)?);
    let (text, pattern) = (text.as_bytes(), pattern.as_bytes());
    let first = start(arguments.integer_or(2, 1)?, text.len());
    let literal = arguments.values.get(3).is_some_and(is_true) || !has_special(&pattern);
    if tell_place && literal {
        return Ok(match find_literal(&text, &pattern, first)? {
            Some(place) => places(place, place + pattern.len()).into_iter().collect(),
            None => MultiValue::from_iter([LuaValue::Nil]),
        });
    }
    let mut matcher = Matcher::new(&text, &pattern);
    let found = search(arguments.lua, &mut matcher, first)?;
    let Some((begin, end)) = found else { return Ok(MultiValue::from_iter([LuaValue::Nil])) };
    let mut values = Vec::new();
    if tell_place {
        values.extend(places(begin, end));
    }
    if !tell_place || matcher.count() > 0 {
        values.extend(captures(arguments.lua, &matcher, begin, end)?);
    }
    Ok(MultiValue::from_vec(values))
}

fn gmatch(arguments: Arguments<'_>) -> mlua::Result<MultiValue> {
    let (text, pattern) = (arguments.string(0)?, arguments.string(1)?);
    let next = Cell::new(0);
    let iterator = arguments.lua.create_function(move |lua, ()| {
        let (values, go_on) = next_match(lua, &text, &pattern, next.get())?;
        next.set(go_on);
        Ok(values)
    })?;
    Ok(MultiValue::from_iter([LuaValue::Function(iterator)]))
}

/// The next match from `from` on, and where to go on behind it. `^` has no meaning here.
fn next_match(
    lua: &Lua,
    text: &LuaString,
    pattern: &LuaString,
    from: usize,
) -> mlua::Result<(MultiValue, usize)> {
    let (text, pattern) = (text.as_bytes(), pattern.as_bytes());
    let mut matcher = Matcher::literal_caret(&text, &pattern);
    let found = if from > text.len() { None } else { search(lua, &mut matcher, from)? };
    let Some((begin, end)) = found else {
        return Ok((MultiValue::from_iter([LuaValue::Nil]), text.len() + 1));
    };
    let values = captures(lua, &matcher, begin, end)?;
    Ok((MultiValue::from_vec(values), end + usize::from(begin == end)))
}

/// The first match from `first` on.
fn search(
    lua: &Lua,
    matcher: &mut Matcher<'_>,
    first: usize,
) -> mlua::Result<Option<(usize, usize)>> {
    let found = matcher.search(first);
    budget::spend(matcher.take_steps())?;
    found.map_err(|fault| fault.raised(lua))
}

/// What a match gives: its captures, or all of it if there are none.
fn captures(
    lua: &Lua,
    matcher: &Matcher<'_>,
    begin: usize,
    end: usize,
) -> mlua::Result<Vec<LuaValue>> {
    (0..matcher.count().max(1)).map(|index| capture(lua, matcher, index, begin, end)).collect()
}

fn capture(
    lua: &Lua,
    matcher: &Matcher<'_>,
    index: usize,
    begin: usize,
    end: usize,
) -> mlua::Result<LuaValue> {
    Ok(match matcher.capture(index, begin, end).map_err(|fault| fault.raised(lua))? {
        Capture::Place(place) => LuaValue::Number(place as f64),
        Capture::Text(text) => LuaValue::String(lua.create_string(text)?),
    })
}

impl Fault {
    fn raised(self, lua: &Lua) -> mlua::Error {
        match self {
            Self::Pattern(text) => raised(lua, text),
            // The steps were charged, so this is not reached with any budget left.
            Self::Steps => raised(lua, "pattern took too long"),
        }
    }
}

/// Where a search begins that was asked to begin at `place`; a negative one counts from the end.
fn start(place: i64, length: usize) -> usize {
    let from_end = i64::try_from(length).unwrap_or(i64::MAX);
    let place = if place < 0 { from_end.saturating_add(place) } else { place.saturating_sub(1) };
    usize::try_from(place).unwrap_or(0).min(length)
}

/// The first place and the last, counted from 1.
fn places(begin: usize, end: usize) -> [LuaValue; 2] {
    [LuaValue::Number((begin + 1) as f64), LuaValue::Number(end as f64)]
}

fn is_true(value: &LuaValue) -> bool {
    !matches!(value, LuaValue::Nil | LuaValue::Boolean(false))
}

fn has_special(pattern: &[u8]) -> bool {
    pattern.iter().take_while(|byte| **byte != 0).any(|byte| b"^$*+?.([%-".contains(byte))
}

fn find_literal(text: &[u8], wanted: &[u8], from: usize) -> mlua::Result<Option<usize>> {
    let rest = &text[from..];
    budget::spend_bytes(rest.len())?;
    Ok(memchr::memmem::find(rest, wanted).map(|place| from + place))
}
