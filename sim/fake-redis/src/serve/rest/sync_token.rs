//! The number of a write, as the opaque text that clients send back.

/// Digits in the order of their values, without those that look like others.
const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// The text for a number, as long for each, so that texts sort as their numbers do.
pub(super) fn encode(number: u64) -> String {
    let digit = |place: u32| char::from(DIGITS[(number >> (5 * place)) as usize % 32]);
    (0..13).rev().map(digit).collect()
}

/// The number in a text; 0, which asks for nothing, if it is not one of ours.
pub(super) fn decode(text: &[u8]) -> u64 {
    let digit = |byte: &u8| DIGITS.iter().position(|digit| digit == byte);
    let step = |number: u64, byte: &u8| Some(number << 5 | digit(byte)? as u64);
    if text.len() == 13 { text.iter().try_fold(0, step).unwrap_or(0) } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_names_its_write_and_a_strange_one_none() {
        for number in [0, 1, 31, 32, 1_000_000, u64::MAX] {
            assert_eq!(decode(encode(number).as_bytes()), number);
        }
        assert!(encode(31) < encode(32));
        for strange in ["", "t1", "0000000000O00", "zzzzzzzzzzzzz"] {
            assert_eq!(decode(strange.as_bytes()), 0, "{strange}");
        }
    }
}
