//! Ranges of indexes, as several families take them.

use std::ops::Range;

/// The places from `start` to `stop`, both of which may count from the end, in something of this
/// length.
pub(super) fn indexes(start: i64, stop: i64, length: usize) -> Range<usize> {
    let length = i64::try_from(length).unwrap_or(i64::MAX);
    let from_end = |index: i64| if index < 0 { index.saturating_add(length) } else { index };
    let start = from_end(start).max(0);
    let stop = from_end(stop).min(length - 1);
    if start > stop {
        return 0..0;
    }
    let place = |index: i64| usize::try_from(index).unwrap_or(0);
    place(start)..place(stop) + 1
}

#[cfg(test)]
mod tests {
    use super::indexes;

    #[test]
    fn negative_indexes_count_from_the_end() {
        for (start, stop, length, expected) in [
            (0, -1, 3, 0..3),
            (-2, -1, 3, 1..3),
            (-100, 100, 3, 0..3),
            (2, 1, 3, 0..0),
            (3, 5, 3, 0..0),
            (0, -4, 3, 0..0),
            (0, -1, 0, 0..0),
            (i64::MIN, i64::MAX, 2, 0..2),
        ] {
            assert_eq!(indexes(start, stop, length), expected, "{start} {stop} {length}");
        }
    }
}
