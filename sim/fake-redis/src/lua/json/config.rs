//! The settings of `cjson`, and the functions that change and tell them.

use mlua::{MultiValue, Value as LuaValue};

use crate::lua::{arguments::Arguments, with_running};

/// How a script wants its JSON. Every script begins with the defaults; in a real server they are
/// those that the last script left behind.
#[derive(Clone, Copy, Debug)]
pub(in crate::lua) struct Config {
    pub(super) sparse: Sparse,
    pub(super) encode_depth: usize,
    pub(super) decode_depth: usize,
    pub(super) digits: usize,
    pub(super) keep_buffer: bool,
    pub(super) encode_invalid: Invalid,
    pub(super) decode_invalid: bool,
}

/// When a list has too many holes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sparse {
    /// Whether it becomes an object then, instead of an error.
    pub(super) convert: bool,
    /// How many times as many places as items it may have. 0: any number.
    pub(super) ratio: usize,
    /// Up to so many places it may have any number of holes.
    pub(super) safe: usize,
}

/// What becomes of numbers that JSON cannot tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Invalid {
    Refused,
    AsTheyAre,
    Null,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            sparse: Sparse { convert: false, ratio: 2, safe: 10 },
            encode_depth: 1_000,
            decode_depth: 1_000,
            digits: 14,
            keep_buffer: true,
            encode_invalid: Invalid::Refused,
            decode_invalid: true,
        }
    }
}

pub(super) fn encode_sparse_array(arguments: Arguments<'_>) -> mlua::Result<MultiValue> {
    at_most(arguments, 3)?;
    let mut sparse = with_running(|running| running.json.sparse);
    set_switch(arguments, 0, &mut sparse.convert)?;
    set_number(arguments, 1, 0, i32::MAX as usize, &mut sparse.ratio)?;
    set_number(arguments, 2, 0, i32::MAX as usize, &mut sparse.safe)?;
    with_running(|running| running.json.sparse = sparse);
    let numbers = [sparse.ratio, sparse.safe].map(|number| LuaValue::Number(number as f64));
    Ok([LuaValue::Boolean(sparse.convert)].into_iter().chain(numbers).collect())
}

pub(super) fn encode_max_depth(arguments: Arguments<'_>) -> mlua::Result<MultiValue> {
    number(arguments, i32::MAX as usize, |config| &mut config.encode_depth)
}

pub(super) fn decode_max_depth(arguments: Arguments<'_>) -> mlua::Result<MultiValue> {
    number(arguments, i32::MAX as usize, |config| &mut config.decode_depth)
}

pub(super) fn encode_number_precision(arguments: Arguments<'_>) -> mlua::Result<MultiValue> {
    number(arguments, 14, |config| &mut config.digits)
}

pub(super) fn encode_keep_buffer(arguments: Arguments<'_>) -> mlua::Result<MultiValue> {
    switch(arguments, |config| &mut config.keep_buffer)
}

pub(super) fn decode_invalid_numbers(arguments: Arguments<'_>) -> mlua::Result<MultiValue> {
    switch(arguments, |config| &mut config.decode_invalid)
}

pub(super) fn encode_invalid_numbers(arguments: Arguments<'_>) -> mlua::Result<MultiValue> {
    at_most(arguments, 1)?;
    let invalid = match arguments.get(0) {
        LuaValue::Nil => with_running(|running| running.json.encode_invalid),
        LuaValue::Boolean(true) => Invalid::AsTheyAre,
        LuaValue::Boolean(false) => Invalid::Refused,
        _ => match &*option(arguments, 0)? {
            "off" => Invalid::Refused,
            "on" => Invalid::AsTheyAre,
            "null" => Invalid::Null,
            other => return Err(arguments.bad(0, &format!("invalid option '{other}'"))),
        },
    };
    with_running(|running| running.json.encode_invalid = invalid);
    let told = match invalid {
        Invalid::Refused => LuaValue::Boolean(false),
        Invalid::AsTheyAre => LuaValue::Boolean(true),
        Invalid::Null => LuaValue::String(arguments.lua.create_string("null")?),
    };
    Ok(MultiValue::from_iter([told]))
}

fn at_most(arguments: Arguments<'_>, most: usize) -> mlua::Result<()> {
    if arguments.len() > most {
        return Err(arguments.bad(most, "found too many arguments"));
    }
    Ok(())
}

fn number(
    arguments: Arguments<'_>,
    most: usize,
    field: fn(&mut Config) -> &mut usize,
) -> mlua::Result<MultiValue> {
    at_most(arguments, 1)?;
    let mut setting = with_running(|running| *field(&mut running.json));
    set_number(arguments, 0, 1, most, &mut setting)?;
    with_running(|running| *field(&mut running.json) = setting);
    Ok(MultiValue::from_iter([LuaValue::Number(setting as f64)]))
}

fn switch(
    arguments: Arguments<'_>,
    field: fn(&mut Config) -> &mut bool,
) -> mlua::Result<MultiValue> {
    at_most(arguments, 1)?;
    let mut setting = with_running(|running| *field(&mut running.json));
    set_switch(arguments, 0, &mut setting)?;
    with_running(|running| *field(&mut running.json) = setting);
    Ok(MultiValue::from_iter([LuaValue::Boolean(setting)]))
}

fn set_number(
    arguments: Arguments<'_>,
    index: usize,
    least: usize,
    most: usize,
    setting: &mut usize,
) -> mlua::Result<()> {
    if arguments.get(index).is_nil() {
        return Ok(());
    }
    let number = usize::try_from(arguments.integer(index)?).ok();
    let number = number.filter(|number| (least..=most).contains(number));
    *setting = number.ok_or_else(|| {
        arguments.bad(index, &format!("expected integer between {least} and {most}"))
    })?;
    Ok(())
}

fn set_switch(arguments: Arguments<'_>, index: usize, setting: &mut bool) -> mlua::Result<()> {
    *setting = match arguments.get(index) {
        LuaValue::Nil => return Ok(()),
        LuaValue::Boolean(yes) => yes,
        _ => match &*option(arguments, index)? {
            "off" => false,
            "on" => true,
            other => return Err(arguments.bad(index, &format!("invalid option '{other}'"))),
        },
    };
    Ok(())
}

fn option(arguments: Arguments<'_>, index: usize) -> mlua::Result<String> {
    Ok(arguments.string(index)?.to_string_lossy())
}
