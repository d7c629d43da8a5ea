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

/// How many members are drawn at most if one may come again: as many as a command has arguments.
const DRAWN: usize = 1 << 20;

/// Places below `length`, which is above 0: different ones if `number` is positive, any if it is
/// negative. All of them keep their order. Refuses more than [`DRAWN`] of the latter, which Redis
/// would list for ever.
pub(super) fn places(
    random: &mut Random,
    number: i64,
    length: usize,
) -> Result<Vec<usize>, Refusal> {
    let wanted = usize::try_from(number.unsigned_abs()).unwrap_or(usize::MAX);
    Ok(if number < 0 {
        if wanted > DRAWN {
            let text = format!("ERR value is out of range, at most {DRAWN} members are drawn");
            return Err(Refusal(text.into()));
        }
        (0..wanted).map(|_| random.below(length)).collect()
    } else if wanted >= length {
        (0..length).collect()
    } else {
        random.distinct(wanted, length)
    })
}

/// Refuses to list more bytes than a string can hold: a long member may be drawn many times.
pub(super) fn check_bytes(lengths: impl Iterator<Item = usize>) -> Result<(), Refusal> {
    let mut total = 0_usize;
    for length in lengths {
        total = total.saturating_add(length);
        if total > super::strings::LENGTH_LIMIT {
            return Err(Refusal("ERR what is drawn is too long for one reply".into()));
        }
    }
    Ok(())
}
