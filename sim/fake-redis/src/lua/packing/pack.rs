//! `struct.pack`.

use super::{Format, Item};
use crate::lua::{
    MEMORY_LIMIT,
    arguments::{Arguments, raised},
    budget,
};

/// The values after the format, as it says.
pub(super) fn pack(arguments: Arguments<'_>) -> mlua::Result<Vec<u8>> {
    let text = arguments.string(0)?;
    let mut format = Format::new(arguments, &text.as_bytes());
    let mut bytes = Vec::new();
    let mut index = 1;
    while let Some(item) = format.next()? {
        bytes.resize(bytes.len() + format.padding(item, bytes.len())?, 0);
        match item {
            Item::Control => continue,
            Item::Padding => {
                bytes.push(0);
                continue;
            }
            Item::Unknown(letter) => return Err(format.unknown(letter)),
            Item::Signed(size) | Item::Unsigned(size) => {
                let number = arguments.padded_number(index)?;
                integer(&mut bytes, number, size, format.little);
            }
            Item::Float => {
                let number = (arguments.padded_number(index)? as f32).to_le_bytes();
                ordered(&mut bytes, &number, format.little);
            }
            Item::Double => {
                let number = arguments.padded_number(index)?.to_le_bytes();
                ordered(&mut bytes, &number, format.little);
            }
            Item::Chars(_) | Item::Text => chars(&mut bytes, arguments, index, item)?,
        }
        index += 1;
        budget::spend(1)?;
    }
    Ok(bytes)
}

fn chars(
    bytes: &mut Vec<u8>,
    arguments: Arguments<'_>,
    index: usize,
    item: Item,
) -> mlua::Result<()> {
    let text = arguments.string(index)?;
    let text = text.as_bytes();
    let size = match item {
        Item::Chars(size) if size > 0 => size,
        _ => text.len(),
    };
    // The original has gone on to the next argument by then.
    let taken = text.get(..size).ok_or_else(|| arguments.bad(index + 1, "string too short"))?;
    if bytes.len() + taken.len() > MEMORY_LIMIT {
        return Err(raised(arguments.lua, "not enough memory"));
    }
    budget::spend_bytes(taken.len())?;
    bytes.extend_from_slice(taken);
    if item == Item::Text {
        bytes.push(0);
    }
    Ok(())
}

/// The lowest bytes of the number; what is beyond 64 bits is 0.
fn integer(bytes: &mut Vec<u8>, number: f64, size: usize, little: bool) {
    let number = if number < 0.0 { (number as i64).cast_unsigned() } else { number as u64 };
    let mut all = [0; 32];
    all[..8].copy_from_slice(&number.to_le_bytes());
    ordered(bytes, &all[..size], little);
}

fn ordered(bytes: &mut Vec<u8>, number: &[u8], little: bool) {
    if little {
        bytes.extend_from_slice(number);
    } else {
        bytes.extend(number.iter().rev());
    }
}

impl Arguments<'_> {
    /// A number. What is absent is nil here, since the original pushes one behind the last.
    fn padded_number(self, index: usize) -> mlua::Result<f64> {
        if index >= self.len() {
            return Err(self.bad(index, "number expected, got nil"));
        }
        self.number(index)
    }
}
