//! `struct.unpack`.

use mlua::{MultiValue, Value as LuaValue};

use super::{Format, Item};
use crate::lua::{
    arguments::{Arguments, raised},
    budget,
};

/// What the bytes say by the format, and the place behind them.
pub(super) fn unpack(arguments: Arguments<'_>) -> mlua::Result<MultiValue> {
    let (text, data) = (arguments.string(0)?, arguments.string(1)?);
    let data = data.as_bytes();
    let mut format = Format::new(arguments, &text.as_bytes());
    let offset = arguments.integer_or(2, 1)?;
    if offset == 0 {
        return Err(arguments.bad(2, "offset must be 1 or greater"));
    }
    // A negative one wraps around to the far end, where there is nothing.
    let mut position = usize::try_from(offset - 1).unwrap_or(usize::MAX);
    let mut values = Vec::new();
    while let Some(item) = format.next()? {
        position = position.saturating_add(format.padding(item, position)?);
        let short = || arguments.bad(1, "data string too short");
        let behind = data.get(position..).ok_or_else(short)?;
        let bytes = behind.get(..item.size()).ok_or_else(short)?;
        position += bytes.len();
        match item {
            Item::Control | Item::Padding => {}
            Item::Unknown(letter) => return Err(format.unknown(letter)),
            Item::Signed(_) => values.push(number(signed(bytes, format.little))),
            Item::Unsigned(_) => values.push(number(unsigned(bytes, format.little) as f64)),
            Item::Float | Item::Double => values.push(number(float(bytes, format.little))),
            Item::Text | Item::Chars(_) => {
                let text = match item {
                    Item::Text => up_to_zero(arguments, behind)?,
                    Item::Chars(0) => counted(arguments, behind, &mut values)?,
                    _ => bytes,
                };
                position += text.len() - bytes.len() + usize::from(item == Item::Text);
                budget::spend_bytes(text.len())?;
                values.push(LuaValue::String(arguments.lua.create_string(text)?));
            }
        }
        budget::spend(1)?;
    }
    values.push(number((position + 1) as f64));
    Ok(MultiValue::from_vec(values))
}

fn up_to_zero<'a>(arguments: Arguments<'_>, behind: &'a [u8]) -> mlua::Result<&'a [u8]> {
    let end = behind.iter().position(|byte| *byte == 0);
    let end = end.ok_or_else(|| raised(arguments.lua, "unfinished string in data"))?;
    Ok(&behind[..end])
}

/// As many as the number before says, which it replaces.
fn counted<'a>(
    arguments: Arguments<'_>,
    behind: &'a [u8],
    values: &mut Vec<LuaValue>,
) -> mlua::Result<&'a [u8]> {
    let Some(LuaValue::Number(size)) = values.last() else {
        return Err(raised(arguments.lua, "format 'c0' needs a previous size"));
    };
    let text = behind.get(..*size as usize);
    values.pop();
    text.ok_or_else(|| arguments.bad(1, "data string too short"))
}

fn number(number: f64) -> LuaValue {
    LuaValue::Number(number)
}

/// The lowest 64 bits.
fn unsigned(bytes: &[u8], little: bool) -> u64 {
    let digit = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
    if little { bytes.iter().rev().fold(0, digit) } else { bytes.iter().fold(0, digit) }
}

fn signed(bytes: &[u8], little: bool) -> f64 {
    let unused = 64 - 8 * u32::try_from(bytes.len().clamp(1, 8)).unwrap_or(8);
    ((unsigned(bytes, little) << unused).cast_signed() >> unused) as f64
}

fn float(bytes: &[u8], little: bool) -> f64 {
    let bits = unsigned(bytes, little);
    if bytes.len() == 4 { f64::from(f32::from_bits(bits as u32)) } else { f64::from_bits(bits) }
}
