//! A format string, one option after the other.

use std::option::Option as Maybe;

use crate::lua::arguments::{Arguments, raised};

/// The alignment of numbers unless a format asks for another, after `!`.
const NATURAL_ALIGNMENT: usize = 8;
/// The size of C's `int`.
const INT: usize = 4;
/// The largest integer.
const LARGEST: usize = 32;

/// What one letter of a format stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Option {
    Signed(usize),
    Unsigned(usize),
    Float,
    Double,
    /// So many bytes; with 0 as many as there are.
    Chars(usize),
    /// A string that ends with a zero.
    Text,
    Padding,
    /// Changes how others are read.
    Control,
    /// A letter without a meaning.
    Unknown(u8),
}

/// The state of reading a format.
pub(super) struct Format<'a> {
    arguments: Arguments<'a>,
    rest: Vec<u8>,
    next: usize,
    pub(super) little: bool,
    alignment: usize,
}

impl Option {
    pub(super) fn size(self) -> usize {
        match self {
            Self::Signed(size) | Self::Unsigned(size) | Self::Chars(size) => size,
            Self::Float => 4,
            Self::Double => 8,
            Self::Padding => 1,
            Self::Text | Self::Control | Self::Unknown(_) => 0,
        }
    }
}

impl<'a> Format<'a> {
    pub(super) fn new(arguments: Arguments<'a>, text: &[u8]) -> Self {
        let end = text.iter().position(|byte| *byte == 0).unwrap_or(text.len());
        Self { arguments, rest: text[..end].to_vec(), next: 0, little: true, alignment: 1 }
    }

    /// The next option, or `None` at the end.
    pub(super) fn next(&mut self) -> mlua::Result<Maybe<Option>> {
        let Some(letter) = self.rest.get(self.next).copied() else { return Ok(None) };
        self.next += 1;
        Ok(Some(match letter {
            b'b' => Option::Signed(1),
            b'B' => Option::Unsigned(1),
            b'h' => Option::Signed(2),
            b'H' => Option::Unsigned(2),
            b'l' => Option::Signed(8),
            b'L' | b'T' => Option::Unsigned(8),
            b'i' => Option::Signed(self.integer_size()?),
            b'I' => Option::Unsigned(self.integer_size()?),
            b'f' => Option::Float,
            b'd' => Option::Double,
            b'x' => Option::Padding,
            b's' => Option::Text,
            b'c' => Option::Chars(self.digits()?.unwrap_or(1)),
            b'>' | b'<' | b'!' | b' ' => {
                self.control(letter)?;
                Option::Control
            }
            other => Option::Unknown(other),
        }))
    }

    fn control(&mut self, letter: u8) -> mlua::Result<()> {
        match letter {
            b'>' => self.little = false,
            b'<' => self.little = true,
            b'!' => {
                let alignment = self.digits()?.unwrap_or(NATURAL_ALIGNMENT);
                if !alignment.is_power_of_two() {
                    let text = format!("alignment {alignment} is not a power of 2");
                    return Err(raised(self.arguments.lua, &text));
                }
                self.alignment = alignment;
            }
            _ => {}
        }
        Ok(())
    }

    fn integer_size(&mut self) -> mlua::Result<usize> {
        let size = self.digits()?.unwrap_or(INT);
        if size > LARGEST {
            let text = format!("integral size {size} is larger than limit of {LARGEST}");
            return Err(raised(self.arguments.lua, &text));
        }
        Ok(size)
    }

    fn digits(&mut self) -> mlua::Result<Maybe<usize>> {
        let digits = &self.rest[self.next..];
        let length = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if length == 0 {
            return Ok(None);
        }
        let number = digits[..length]
            .iter()
            .try_fold(0_i32, |all, digit| all.checked_mul(10)?.checked_add(i32::from(digit - b'0')))
            .and_then(|number| usize::try_from(number).ok());
        self.next += length;
        number.map(Some).ok_or_else(|| raised(self.arguments.lua, "integral size overflow"))
    }

    /// How many bytes go before `option` at `position`, so that it is aligned.
    pub(super) fn padding(&self, option: Option, position: usize) -> mlua::Result<usize> {
        let size = option.size();
        if size == 0 || matches!(option, Option::Chars(_)) {
            return Ok(0);
        }
        let alignment = size.min(self.alignment);
        if alignment <= 1 {
            return Ok(0);
        }
        let behind = position & (alignment - 1);
        Ok((alignment - behind) & (alignment - 1))
    }

    /// The error for a letter without a meaning.
    pub(super) fn unknown(&self, letter: u8) -> mlua::Error {
        let letter = char::from(letter);
        self.arguments.bad(0, &format!("invalid format option '{letter}'"))
    }
}
