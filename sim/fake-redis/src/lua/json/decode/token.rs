//! The words of a JSON text.

use super::number;

/// A word, and where it is: the first character is 1.
#[derive(Debug)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) place: usize,
}

#[derive(Debug, PartialEq)]
pub(super) enum Kind {
    ObjectBegin,
    ObjectEnd,
    ArrayBegin,
    ArrayEnd,
    String(Vec<u8>),
    Number(f64),
    Boolean(bool),
    Null,
    Colon,
    Comma,
    End,
    Error(&'static str),
}

/// Reads one word after the other.
pub(super) struct Tokens<'a> {
    text: &'a [u8],
    next: usize,
    /// Whether numbers are read that are none in JSON, such as `inf` and `0x10`.
    lenient: bool,
}

impl Kind {
    /// What an error calls it.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::ObjectBegin => "T_OBJ_BEGIN",
            Self::ObjectEnd => "T_OBJ_END",
            Self::ArrayBegin => "T_ARR_BEGIN",
            Self::ArrayEnd => "T_ARR_END",
            Self::String(_) => "T_STRING",
            Self::Number(_) => "T_NUMBER",
            Self::Boolean(_) => "T_BOOLEAN",
            Self::Null => "T_NULL",
            Self::Colon => "T_COLON",
            Self::Comma => "T_COMMA",
            Self::End => "T_END",
            Self::Error(what) => what,
        }
    }
}

impl<'a> Tokens<'a> {
    pub(super) fn new(text: &'a [u8], lenient: bool) -> Self {
        Self { text, next: 0, lenient }
    }

    /// How many characters are read.
    pub(super) fn place(&self) -> usize {
        self.next
    }

    /// The next word; after an error, the same error.
    pub(super) fn next(&mut self) -> Token {
        let rest = &self.text[self.next..];
        self.next += rest.iter().take_while(|byte| b" \t\n\r".contains(byte)).count();
        let place = self.next + 1;
        let Some(first) = self.text.get(self.next) else { return Token { kind: Kind::End, place } };
        let single = match first {
            b'{' => Kind::ObjectBegin,
            b'}' => Kind::ObjectEnd,
            b'[' => Kind::ArrayBegin,
            b']' => Kind::ArrayEnd,
            b':' => Kind::Colon,
            b',' => Kind::Comma,
            b'"' => return self.string(),
            _ => return Token { kind: self.word(), place },
        };
        self.next += 1;
        Token { kind: single, place }
    }

    fn word(&mut self) -> Kind {
        let rest = &self.text[self.next..];
        let odd = number::is_odd(rest);
        if rest[0] == b'-' || rest[0].is_ascii_digit() {
            return if odd && !self.lenient {
                Kind::Error("invalid number")
            } else {
                self.number()
            };
        }
        for (text, kind) in [
            (&b"true"[..], Kind::Boolean(true)),
            (b"false", Kind::Boolean(false)),
            (b"null", Kind::Null),
        ] {
            if rest.starts_with(text) {
                self.next += text.len();
                return kind;
            }
        }
        if odd && self.lenient { self.number() } else { Kind::Error("invalid token") }
    }

    fn number(&mut self) -> Kind {
        let Some((number, length)) = number::read(&self.text[self.next..]) else {
            return Kind::Error("invalid number");
        };
        self.next += length;
        Kind::Number(number)
    }

    fn string(&mut self) -> Token {
        let place = self.next + 1;
        self.next += 1;
        let mut text = Vec::new();
        loop {
            let error = |what, next| Token { kind: Kind::Error(what), place: next + 1 };
            match self.text.get(self.next) {
                None => return error("unexpected end of string", self.next),
                Some(b'"') => break,
                Some(b'\\') => match escape(&self.text[self.next + 1..]) {
                    Ok((character, length)) => {
                        text.extend_from_slice(&character);
                        self.next += 1 + length;
                    }
                    Err(what) => return error(what, self.next),
                },
                Some(byte) => {
                    text.push(*byte);
                    self.next += 1;
                }
            }
        }
        self.next += 1;
        Token { kind: Kind::String(text), place }
    }
}

/// What an escape behind its backslash says, and how long it is.
fn escape(text: &[u8]) -> Result<(Vec<u8>, usize), &'static str> {
    let byte = match text.first() {
        Some(byte @ (b'"' | b'\\' | b'/')) => *byte,
        Some(b'b') => b'\x08',
        Some(b'f') => b'\x0c',
        Some(b'n') => b'\n',
        Some(b'r') => b'\r',
        Some(b't') => b'\t',
        Some(b'u') => return unicode(text).ok_or("invalid unicode escape code"),
        _ => return Err("invalid escape code"),
    };
    Ok((vec![byte], 1))
}

/// `uXXXX`, or two of them that make one character.
fn unicode(text: &[u8]) -> Option<(Vec<u8>, usize)> {
    let high = unit(text)?;
    let (character, length) = match high {
        0xd800..0xdc00 => {
            let low = unit(text.get(5..)?.strip_prefix(b"\\")?)?;
            let low = (0xdc00..0xe000).contains(&low).then_some(low)?;
            (0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00), 11)
        }
        other => (other, 5),
    };
    let character = char::from_u32(character)?;
    Some((character.encode_utf8(&mut [0; 4]).as_bytes().to_vec(), length))
}

fn unit(text: &[u8]) -> Option<u32> {
    let digits = text.strip_prefix(b"u")?.get(..4)?;
    let digits = digits.iter().all(u8::is_ascii_hexdigit).then_some(digits)?;
    u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}
