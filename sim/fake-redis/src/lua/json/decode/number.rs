//! Numbers, as C's `strtod` reads them.

/// Whether what begins here is a number to C but not to JSON.
pub(super) fn is_odd(text: &[u8]) -> bool {
    if text.first() == Some(&b'+') {
        return true;
    }
    let text = text.strip_prefix(b"-").unwrap_or(text);
    match text {
        [b'0', next, ..] => next.eq_ignore_ascii_case(&b'x') || next.is_ascii_digit(),
        _ => starts_with(text, b"inf") || starts_with(text, b"nan"),
    }
}

/// The number at the beginning of `text`, and how long it is.
pub(super) fn read(text: &[u8]) -> Option<(f64, usize)> {
    let sign = usize::from(matches!(text.first(), Some(b'+' | b'-')));
    let (number, length) = without_sign(&text[sign..])?;
    let number = if text[0] == b'-' { -number } else { number };
    Some((number, sign + length))
}

fn without_sign(text: &[u8]) -> Option<(f64, usize)> {
    for (word, number) in
        [(&b"infinity"[..], f64::INFINITY), (b"inf", f64::INFINITY), (b"nan", f64::NAN)]
    {
        if starts_with(text, word) {
            return Some((number, word.len()));
        }
    }
    hexadecimal(text).or_else(|| decimal(text))
}

fn starts_with(text: &[u8], word: &[u8]) -> bool {
    text.get(..word.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(word))
}

fn hexadecimal(text: &[u8]) -> Option<(f64, usize)> {
    let text = starts_with(text, b"0x").then(|| &text[2..])?;
    let count = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    let value = |byte: &u8| char::from(*byte).to_digit(16).map_or(0.0, f64::from);
    let mut length = count(text);
    let mut number = text[..length].iter().fold(0.0, |all, digit| all * 16.0 + value(digit));
    let mut found = length;
    if text.get(length) == Some(&b'.') {
        let fraction = count(&text[length + 1..]);
        let digits = &text[length + 1..length + 1 + fraction];
        number += digits.iter().rev().fold(0.0, |all, digit| (all + value(digit)) / 16.0);
        found += fraction;
        length += 1 + fraction;
    }
    if found == 0 {
        return None;
    }
    if let Some((exponent, digits)) = power(&text[length..]) {
        number *= 2.0_f64.powi(exponent);
        length += digits;
    }
    Some((number, 2 + length))
}

/// `p3`: a power of two, and how long it is.
fn power(text: &[u8]) -> Option<(i32, usize)> {
    let rest = text.strip_prefix(b"p").or_else(|| text.strip_prefix(b"P"))?;
    let sign = usize::from(matches!(rest.first(), Some(b'+' | b'-')));
    let digits = rest[sign..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let text = std::str::from_utf8(rest.get(..sign + digits).filter(|_| digits > 0)?).ok()?;
    Some((text.parse().unwrap_or(i32::MAX), 1 + sign + digits))
}

fn decimal(text: &[u8]) -> Option<(f64, usize)> {
    let digits = |from: usize| text[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let whole = digits(0);
    let mut length = whole;
    let mut fraction = 0;
    if text.get(length) == Some(&b'.') {
        fraction = digits(length + 1);
        length += 1 + fraction;
    }
    if whole + fraction == 0 {
        return None;
    }
    if matches!(text.get(length), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(text.get(length + 1), Some(b'+' | b'-')));
        let exponent = digits((length + 1 + sign).min(text.len()));
        if exponent > 0 {
            length += 1 + sign + exponent;
        }
    }
    let number = std::str::from_utf8(&text[..length]).ok()?.parse().ok()?;
    Some((number, length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_much_as_is_a_number_is_read() {
        for (text, number, length) in [
            ("12,", 12.0, 2),
            ("-1.5e3]", -1_500.0, 6),
            ("1e", 1.0, 1),
            ("1e+x", 1.0, 1),
            ("5.", 5.0, 2),
            ("0x1fz", 31.0, 4),
            ("0x", 0.0, 1),
            ("0x1.8p3,", 12.0, 7),
            ("0x1p", 1.0, 3),
            ("-Infinity", f64::NEG_INFINITY, 9),
        ] {
            assert_eq!(read(text.as_bytes()), Some((number, length)), "{text}");
        }
        assert_eq!([&b"-"[..], b".", b"x", b"-x"].map(read), [None; 4]);
    }
}
