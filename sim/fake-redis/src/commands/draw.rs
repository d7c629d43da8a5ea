//! Drawing members of a collection.

use bytes::Bytes;

use super::super::{
    command::{Refusal, integer, word},
    random::Random,
};

/// The number to draw, and whether the word `with` follows: of `HRANDFIELD` and `ZRANDMEMBER`.
pub(super) fn options(number: &[u8], rest: &[Bytes], with: &str) -> Result<(i64, bool), Refusal> {
    let number = integer(number)?;
    if number == i64::MIN {
        let text =
            format!("ERR value is out of range, value must between {} and {}", -i64::MAX, i64::MAX);
        return Err(Refusal(text.into()));
    }
    match rest {
        [] => Ok((number, false)),
        [option] if &*word(option) == with.as_bytes() => {
            if !(-i64::MAX / 2..=i64::MAX / 2).contains(&number) {
                return Err(Refusal("ERR value is out of range".into()));
            }
            Ok((number, true))
        }
        _ => Err(Refusal::SYNTAX),
    }
}

/// Places below `length`, which is above 0: different ones if `number` is positive, any if it is
/// negative. All of them keep their order.
pub(super) fn places(random: &mut Random, number: i64, length: usize) -> Vec<usize> {
    let wanted = usize::try_from(number.unsigned_abs()).unwrap_or(usize::MAX);
    if number < 0 {
        (0..wanted).map(|_| random.below(length)).collect()
    } else if wanted >= length {
        (0..length).collect()
    } else {
        random.distinct(wanted, length)
    }
}
