//! What stands for one character in a pattern: itself, `.`, `%a` or a set.

use super::Fault;

/// A part of the pattern that stands for one character.
#[derive(Clone, Copy, Debug)]
pub(super) struct Item {
    begin: usize,
    pub(super) end: usize,
}

impl Item {
    /// The one that begins at `begin`.
    pub(super) fn at(pattern: &[u8], begin: usize) -> Result<Self, Fault> {
        let end = match pattern[begin] {
            b'%' if begin + 1 == pattern.len() => {
                return Err(Fault::Pattern("malformed pattern (ends with '%')"));
            }
            b'%' => begin + 2,
            b'[' => set_end(pattern, begin + 1)?,
            _ => begin + 1,
        };
        Ok(Self { begin, end })
    }
}

/// The place behind the `]` that ends a set. Its first character may be a `]` that is meant.
fn set_end(pattern: &[u8], begin: usize) -> Result<usize, Fault> {
    let mut next = begin + usize::from(pattern.get(begin) == Some(&b'^'));
    loop {
        let byte = pattern.get(next).ok_or(Fault::Pattern("malformed pattern (missing ']')"))?;
        next += 1;
        if *byte == b'%' && next < pattern.len() {
            next += 1;
        }
        if pattern.get(next) == Some(&b']') {
            return Ok(next + 1);
        }
    }
}

/// Whether `item` stands for `byte`.
pub(super) fn single(pattern: &[u8], item: Item, byte: u8) -> bool {
    match pattern[item.begin] {
        b'.' => true,
        b'%' => is_in_class(byte, pattern[item.begin + 1]),
        b'[' => is_in_set(byte, &pattern[item.begin + 1..item.end - 1]),
        literal => literal == byte,
    }
}

fn is_in_set(byte: u8, set: &[u8]) -> bool {
    let (set, wanted) = match set.strip_prefix(b"^") {
        Some(rest) => (rest, false),
        None => (set, true),
    };
    let mut rest = set;
    loop {
        rest = match rest {
            [] => return !wanted,
            [b'%', class, ..] if is_in_class(byte, *class) => return wanted,
            [b'%', _, rest @ ..] => rest,
            [low, b'-', high, rest @ ..] => {
                if (*low..=*high).contains(&byte) {
                    return wanted;
                }
                rest
            }
            [literal, ..] if *literal == byte => return wanted,
            [_, rest @ ..] => rest,
        };
    }
}

/// Whether `byte` is of a class, in the locale "C". A capital letter means all others.
fn is_in_class(byte: u8, class: u8) -> bool {
    let is = match class.to_ascii_lowercase() {
        b'a' => byte.is_ascii_alphabetic(),
        b'c' => byte.is_ascii_control(),
        b'd' => byte.is_ascii_digit(),
        b'l' => byte.is_ascii_lowercase(),
        b'p' => byte.is_ascii_punctuation(),
        b's' => byte.is_ascii_whitespace() || byte == 0x0b,
        b'u' => byte.is_ascii_uppercase(),
        b'w' => byte.is_ascii_alphanumeric(),
        b'x' => byte.is_ascii_hexdigit(),
        b'z' => byte == 0,
        _ => return class == byte,
    };
    is != class.is_ascii_uppercase()
}
