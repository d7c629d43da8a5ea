//! `gsub`.

use mlua::{Function, LuaString, MultiValue, Table, Value as LuaValue};

use super::{Matcher, capture, captures, is_true};
use crate::lua::{
    MEMORY_LIMIT,
    arguments::{Arguments, raised, type_name},
    budget,
    failure::Failure,
    pattern::matcher::Capture,
};

/// What takes the place of a match.
enum By {
    Text(LuaString),
    Function(Function),
    Table(Table),
}

/// Replaces the matches of a pattern. Errors of a function pass through `pcall`, Lua's own, so that
/// they arrive as they were raised.
pub(super) fn gsub(arguments: Arguments<'_>, pcall: &Function) -> mlua::Result<MultiValue> {
    let (text, pattern) = (arguments.string(0)?, arguments.string(1)?);
    let (text, pattern) = (text.as_bytes(), pattern.as_bytes());
    let most = arguments.integer_or(3, i64::try_from(text.len() + 1).unwrap_or(i64::MAX))?;
    let by = replacement(arguments)?;
    let mut matcher = Matcher::new(&text, &pattern);
    let (mut result, mut place, mut replaced) = (Vec::new(), 0, 0_i64);
    while replaced < most {
        let found = matcher.at(place);
        budget::spend(matcher.take_steps() + 1)?;
        let end = found.map_err(|fault| fault.raised(arguments.lua))?;
        if let Some(end) = end {
            replaced += 1;
            substitute(arguments, &matcher, &by, pcall, (place, end), &mut result)?;
        }
        match end {
            Some(end) if end > place => place = end,
            _ if place < text.len() => {
                result.push(text[place]);
                place += 1;
            }
            _ => break,
        }
        if matcher.is_anchored() {
            break;
        }
    }
    result.extend_from_slice(&text[place..]);
    let result = arguments.lua.create_string(result)?;
    Ok([LuaValue::String(result), LuaValue::Number(replaced as f64)].into_iter().collect())
}

fn replacement(arguments: Arguments<'_>) -> mlua::Result<By> {
    match arguments.get(2) {
        LuaValue::Function(function) => Ok(By::Function(function)),
        LuaValue::Table(table) => Ok(By::Table(table)),
        LuaValue::String(_) | LuaValue::Integer(_) | LuaValue::Number(_) => {
            arguments.string(2).map(By::Text)
        }
        _ => Err(arguments.bad(2, "string/function/table expected")),
    }
}

fn substitute(
    arguments: Arguments<'_>,
    matcher: &Matcher<'_>,
    by: &By,
    pcall: &Function,
    (begin, end): (usize, usize),
    result: &mut Vec<u8>,
) -> mlua::Result<()> {
    let lua = arguments.lua;
    let value = match by {
        By::Text(template) => {
            expand(arguments, matcher, &template.as_bytes(), (begin, end), result)?;
            return bounded(arguments, result);
        }
        By::Table(table) => table.get(capture(lua, matcher, 0, begin, end)?)?,
        By::Function(function) => {
            let mut values = vec![LuaValue::Function(function.clone())];
            values.extend(captures(lua, matcher, begin, end)?);
            match pcall.call(MultiValue::from_vec(values))? {
                (true, value) => value,
                (false, LuaValue::Error(error)) => return Err(*error),
                (false, error) => return Err(Failure::raise_again(lua, error)?),
            }
        }
    };
    match lua.coerce_string(value.clone()) {
        _ if !is_true(&value) => {
            let Capture::Text(matched) = matcher.whole(begin, end) else { return Ok(()) };
            result.extend_from_slice(matched);
        }
        Ok(Some(text)) => result.extend_from_slice(&text.as_bytes()),
        _ => {
            let name = type_name(&value);
            return Err(raised(lua, &format!("invalid replacement value (a {name})")));
        }
    }
    bounded(arguments, result)
}

/// A text in which `%0` stands for the match and `%1` for its first capture.
fn expand(
    arguments: Arguments<'_>,
    matcher: &Matcher<'_>,
    template: &[u8],
    (begin, end): (usize, usize),
    result: &mut Vec<u8>,
) -> mlua::Result<()> {
    let mut bytes = template.iter();
    while let Some(byte) = bytes.next() {
        if *byte != b'%' {
            result.push(*byte);
            continue;
        }
        let captured = match bytes.next() {
            Some(b'0') => matcher.whole(begin, end),
            Some(digit) if digit.is_ascii_digit() => matcher
                .capture(usize::from(digit - b'1'), begin, end)
                .map_err(|fault| fault.raised(arguments.lua))?,
            // As in C, there is a zero behind the end.
            other => {
                result.push(other.copied().unwrap_or(0));
                continue;
            }
        };
        match captured {
            Capture::Text(text) => result.extend_from_slice(text),
            Capture::Place(place) => result.extend_from_slice(place.to_string().as_bytes()),
        }
    }
    Ok(())
}

fn bounded(arguments: Arguments<'_>, result: &[u8]) -> mlua::Result<()> {
    if result.len() > MEMORY_LIMIT {
        return Err(raised(arguments.lua, "not enough memory"));
    }
    Ok(())
}
