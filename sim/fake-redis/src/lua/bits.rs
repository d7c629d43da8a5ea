//! The library `bit`: bitwise operations on numbers of 32 bits.

use mlua::{Lua, Table, Value as LuaValue, Variadic};

use super::arguments::Arguments;

/// The library, by name of function.
pub(super) fn library(lua: &Lua) -> mlua::Result<Table> {
    let bit = lua.create_table()?;
    one(lua, &bit, "tobit", |number| number)?;
    one(lua, &bit, "bnot", |number| !number)?;
    one(lua, &bit, "bswap", u32::swap_bytes)?;
    many(lua, &bit, "band", |all, next| all & next)?;
    many(lua, &bit, "bor", |all, next| all | next)?;
    many(lua, &bit, "bxor", |all, next| all ^ next)?;
    shift(lua, &bit, "lshift", |number, by| number << by)?;
    shift(lua, &bit, "rshift", |number, by| number >> by)?;
    shift(lua, &bit, "arshift", |number, by| (number.cast_signed() >> by).cast_unsigned())?;
    shift(lua, &bit, "rol", u32::rotate_left)?;
    shift(lua, &bit, "ror", u32::rotate_right)?;
    bit.raw_set(
        "tohex",
        lua.create_function(|lua, values: Variadic<LuaValue>| {
            to_hex(Arguments::new(lua, &values))
        })?,
    )?;
    Ok(bit)
}

fn one(lua: &Lua, bit: &Table, name: &str, operation: fn(u32) -> u32) -> mlua::Result<()> {
    let function = lua.create_function(move |lua, values: Variadic<LuaValue>| {
        Ok(signed(operation(bits(Arguments::new(lua, &values), 0)?)))
    })?;
    bit.raw_set(name, function)
}

fn many(lua: &Lua, bit: &Table, name: &str, operation: fn(u32, u32) -> u32) -> mlua::Result<()> {
    let function = lua.create_function(move |lua, values: Variadic<LuaValue>| {
        let arguments = Arguments::new(lua, &values);
        let mut all = bits(arguments, 0)?;
        for index in 1..arguments.len() {
            all = operation(all, bits(arguments, index)?);
        }
        Ok(signed(all))
    })?;
    bit.raw_set(name, function)
}

/// Only the lowest five bits of the distance count.
fn shift(lua: &Lua, bit: &Table, name: &str, operation: fn(u32, u32) -> u32) -> mlua::Result<()> {
    let function = lua.create_function(move |lua, values: Variadic<LuaValue>| {
        let arguments = Arguments::new(lua, &values);
        let by = bits(arguments, 1)? & 31;
        Ok(signed(operation(bits(arguments, 0)?, by)))
    })?;
    bit.raw_set(name, function)
}

/// A number in hexadecimal, of so many digits; in capitals if that number is negative.
fn to_hex(arguments: Arguments<'_>) -> mlua::Result<String> {
    let number = bits(arguments, 0)?;
    let digits = match arguments.values.get(1) {
        None => 8,
        Some(_) => bits(arguments, 1)?.cast_signed(),
    };
    let shown = digits.unsigned_abs().min(8) as usize;
    let text = if digits < 0 { format!("{number:08X}") } else { format!("{number:08x}") };
    Ok(text[8 - shown..].to_owned())
}

/// The lowest 32 bits of a number, rounded to the nearest even integer. Adding this constant moves
/// them to the end of the number's representation.
fn bits(arguments: Arguments<'_>, index: usize) -> mlua::Result<u32> {
    const SHIFT: f64 = 6_755_399_441_055_744.0;
    Ok((arguments.number(index)? + SHIFT).to_bits() as u32)
}

fn signed(bits: u32) -> f64 {
    f64::from(bits.cast_signed())
}
