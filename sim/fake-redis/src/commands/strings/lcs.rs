//! `LCS`: the longest sequence of bytes that two strings have in common, gaps allowed.

use std::{iter, ops::RangeInclusive};

use bytes::Bytes;

use super::{Answer, Call, LENGTH_LIMIT, Refusal, Resp, count, integer, word};

pub(super) fn lcs(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let string = |key: &Bytes| {
        let text = call.string(key);
        text.map_err(|_| Refusal("ERR The specified keys must contain string values".into()))
    };
    let (left, right) = (string(&arguments[1])?, string(&arguments[2])?);
    let options = Options::parse(&arguments[3..])?;
    let text = |found: Option<&Bytes>| found.cloned().unwrap_or_default();
    let (left, right) = (text(left), text(right));
    let table = Table::of(&left, &right)?;
    if options.length && !options.places {
        return Ok(count(table.length()));
    }
    let pairs = table.pairs(&left, &right);
    if options.places {
        return Ok(options.places_of(table.length(), &pairs));
    }
    Ok(Resp::Bulk(pairs.iter().rev().map(|(place, _)| left[*place]).collect()))
}

#[derive(Debug, Default)]
struct Options {
    length: bool,
    places: bool,
    with_length: bool,
    at_least: usize,
}

impl Options {
    fn parse(options: &[Bytes]) -> Result<Self, Refusal> {
        let mut parsed = Self::default();
        let mut rest = options;
        while let [option, behind @ ..] = rest {
            rest = behind;
            match (&*word(option), behind) {
                (b"IDX", _) => parsed.places = true,
                (b"LEN", _) => parsed.length = true,
                (b"WITHMATCHLEN", _) => parsed.with_length = true,
                (b"MINMATCHLEN", [number, behind @ ..]) => {
                    parsed.at_least = usize::try_from(integer(number)?).unwrap_or(0);
                    rest = behind;
                }
                _ => return Err(Refusal::SYNTAX),
            }
        }
        if parsed.places && parsed.length {
            let text = "ERR If you want both the length and indexes, please just use IDX.";
            return Err(Refusal(text.into()));
        }
        Ok(parsed)
    }

    /// Where the pieces are that both have, last ones first.
    fn places_of(&self, length: usize, pairs: &[(usize, usize)]) -> Resp {
        let together = |next: &(usize, usize), last: &(usize, usize)| {
            last.0 + 1 == next.0 && last.1 + 1 == next.1
        };
        let piece = |piece: &[(usize, usize)]| {
            let ((from, to), long) = (piece.last().zip(piece.first())?, piece.len());
            let places = [from.0..=to.0, from.1..=to.1].map(range).into_iter();
            let length = self.with_length.then(|| count(long));
            (long >= self.at_least).then(|| Resp::Array(places.chain(length).collect()))
        };
        let pieces = pairs.chunk_by(together).filter_map(piece).collect();
        let name = |name: &'static str| Resp::Bulk(name.into());
        Resp::Map(vec![(name("matches"), Resp::Array(pieces)), (name("len"), count(length))])
    }
}

fn range(places: RangeInclusive<usize>) -> Resp {
    Resp::Array(vec![count(*places.start()), count(*places.end())])
}

/// How much any two beginnings have in common.
struct Table {
    lengths: Vec<u32>,
    width: usize,
}

impl Table {
    fn of(left: &[u8], right: &[u8]) -> Result<Self, Refusal> {
        let width = right.len() + 1;
        let size = (left.len() + 1).checked_mul(width);
        let size =
            size.filter(|size| *size <= LENGTH_LIMIT / size_of::<u32>()).ok_or_else(|| {
                let text =
                    "ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len";
                Refusal(text.into())
            })?;
        let mut table = Self { lengths: vec![0; size], width };
        for (row, byte) in left.iter().enumerate() {
            for (column, other) in right.iter().enumerate() {
                table.lengths[(row + 1) * width + column + 1] = if byte == other {
                    table.at(row, column) + 1
                } else {
                    table.at(row, column + 1).max(table.at(row + 1, column))
                };
            }
        }
        Ok(table)
    }

    /// Of the first `rows` bytes of one and the first `columns` of the other.
    fn at(&self, rows: usize, columns: usize) -> u32 {
        self.lengths[rows * self.width + columns]
    }

    fn length(&self) -> usize {
        self.lengths.last().map_or(0, |length| *length as usize)
    }

    /// The places of the bytes that both have, last ones first.
    fn pairs(&self, left: &[u8], right: &[u8]) -> Vec<(usize, usize)> {
        let (mut rows, mut columns) = (left.len(), right.len());
        let next = iter::from_fn(|| {
            while rows > 0 && columns > 0 {
                if left[rows - 1] == right[columns - 1] {
                    (rows, columns) = (rows - 1, columns - 1);
                    return Some((rows, columns));
                }
                // Of two ways that lose nothing, Redis shortens the second string.
                if self.at(rows - 1, columns) > self.at(rows, columns - 1) {
                    rows -= 1;
                } else {
                    columns -= 1;
                }
            }
            None
        });
        next.collect()
    }
}
