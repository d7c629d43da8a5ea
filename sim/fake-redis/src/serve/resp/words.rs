//! A command as people type it: words, some of them in quotes.

use bytes::{BufMut, Bytes, BytesMut};

/// The words of a line; `None` if a quote is not closed, or a word goes on behind one.
pub(super) fn words(line: &[u8]) -> Option<Vec<Bytes>> {
    let mut words = Vec::new();
    let mut rest = line;
    loop {
        rest = rest.trim_ascii_start();
        if rest.is_empty() || rest[0] == 0 {
            return Some(words);
        }
        let (word, behind) = word(rest)?;
        words.push(word);
        rest = behind;
    }
}

fn word(line: &[u8]) -> Option<(Bytes, &[u8])> {
    let (mut word, mut rest) = (BytesMut::new(), line);
    while let Some((&byte, behind)) = rest.split_first() {
        match byte {
            b' ' | b'\t' | b'\n' | b'\r' | 0 => break,
            b'"' | b'\'' => {
                let behind = quoted(byte, behind, &mut word)?;
                let ended = behind.first().is_none_or(u8::is_ascii_whitespace);
                return ended.then(|| (word.freeze(), behind));
            }
            _ => {
                word.put_u8(byte);
                rest = behind;
            }
        }
    }
    Some((word.freeze(), rest))
}

/// Adds what stands before the next `quote` to `word`, and gives what stands behind it.
fn quoted<'a>(quote: u8, line: &'a [u8], word: &mut BytesMut) -> Option<&'a [u8]> {
    let mut rest = line;
    loop {
        let (&byte, behind) = rest.split_first()?;
        rest = behind;
        match (byte, rest) {
            (b'\\', [b'\'', behind @ ..]) if quote == b'\'' => {
                word.put_u8(b'\'');
                rest = behind;
            }
            (b'\\', [b'x', high, low, behind @ ..])
                if quote == b'"' && high.is_ascii_hexdigit() && low.is_ascii_hexdigit() =>
            {
                word.put_u8(digit(*high) << 4 | digit(*low));
                rest = behind;
            }
            (b'\\', [escaped, behind @ ..]) if quote == b'"' => {
                word.put_u8(unescaped(*escaped));
                rest = behind;
            }
            (byte, _) if byte == quote => return Some(rest),
            (byte, _) => word.put_u8(byte),
        }
    }
}

fn unescaped(byte: u8) -> u8 {
    match byte {
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'b' => 8,
        b'a' => 7,
        other => other,
    }
}

fn digit(hex: u8) -> u8 {
    match hex {
        b'0'..=b'9' => hex - b'0',
        _ => (hex | 32) - b'a' + 10,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_cut_and_unquoted_as_redis_does() {
        type Words<'a> = &'a [&'a [u8]];
        let table: [(&[u8], Option<Words<'_>>); 9] = [
            (b"", Some(&[])),
            (b"  a  b ", Some(&[b"a", b"b"])),
            (b"\"a b\" 'c d'", Some(&[b"a b", b"c d"])),
            (b"\"\\x41\\n\\\"\\q\" '\\'\\n'", Some(&[b"A\n\"q", b"'\\n"])),
            (b"a\"b c\"", Some(&[b"ab c"])),
            (b"\"\"", Some(&[b""])),
            (b"\"a\"b", None),
            (b"\"a", None),
            (b"'a\\", None),
        ];
        for (line, expected) in table {
            let expected = expected.map(|words| words.to_vec());
            let found = words(line);
            let found = found.as_ref().map(|words| words.iter().map(|word| &word[..]).collect());
            assert_eq!(found, expected, "{line:?}");
        }
    }
}
