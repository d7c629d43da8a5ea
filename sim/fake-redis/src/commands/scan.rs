//! Listing a large thing in pages.
//!
//! A page holds what comes next in the order of hashes, and the cursor is the place in that order:
//! so what stays is listed exactly once, whatever comes and goes meanwhile. What Redis keeps in one
//! piece, a small collection, comes whole, as there.

use bytes::Bytes;

use super::super::{
    Resp,
    command::{Refusal, integer, word},
    glob::matches,
    keyspace::place_of,
};

/// The options of `SCAN` and its like.
#[derive(Debug)]
pub(super) struct Scan {
    pub(super) count: usize,
    pub(super) pattern: Option<Bytes>,
    /// The type that keys must have, as `TYPE` names it.
    pub(super) kind: Option<Bytes>,
}

impl Scan {
    /// Reads the options behind the cursor; `with_type` if `TYPE` is one.
    pub(super) fn parse(options: &[Bytes], with_type: bool) -> Result<Self, Refusal> {
        let mut scan = Self { count: 10, pattern: None, kind: None };
        for option in options.chunks(2) {
            let [name, value] = option else { return Err(Refusal::SYNTAX) };
            match &*word(name) {
                b"COUNT" => {
                    let count = usize::try_from(integer(value)?).map_err(|_| Refusal::SYNTAX)?;
                    scan.count = if count == 0 { return Err(Refusal::SYNTAX) } else { count };
                }
                b"MATCH" => scan.pattern = Some(value.clone()),
                b"TYPE" if with_type => scan.kind = Some(value.to_ascii_lowercase().into()),
                _ => return Err(Refusal::SYNTAX),
            }
        }
        Ok(scan)
    }

    pub(super) fn wants(&self, name: &[u8]) -> bool {
        self.pattern.as_ref().is_none_or(|pattern| matches(pattern, name))
    }

    /// A page of a collection, which comes `whole` if Redis keeps it in one piece.
    pub(super) fn page<'a, T>(
        &self,
        cursor: u64,
        whole: bool,
        items: impl Iterator<Item = (&'a Bytes, T)>,
        show: impl Fn(&Bytes, T) -> Vec<Resp>,
    ) -> Resp {
        let (next, items) =
            if whole { (0, items.collect()) } else { next_page(cursor, self.count, items) };
        let wanted = items.into_iter().filter(|(name, _)| self.wants(name));
        reply(next, wanted.flat_map(|(name, item)| show(name, item)).collect())
    }
}

/// At least `count` of the items from `cursor` on, and the cursor of the rest.
fn next_page<'a, T>(
    cursor: u64,
    count: usize,
    items: impl Iterator<Item = (&'a Bytes, T)>,
) -> (u64, Vec<(&'a Bytes, T)>) {
    let placed = items.map(|(name, item)| (place_of(name), name, item));
    let mut rest: Vec<_> = placed.filter(|(place, ..)| *place >= cursor).collect();
    rest.sort_unstable_by_key(|(place, name, _)| (*place, *name));
    let last = rest.get(count - 1).map(|(place, ..)| *place);
    let end = last.map_or(rest.len(), |last| rest.partition_point(|(place, ..)| *place <= last));
    let next = rest.get(end).map_or(0, |(place, ..)| *place);
    rest.truncate(end);
    (next, rest.into_iter().map(|(_, name, item)| (name, item)).collect())
}

/// The cursor with what was found.
pub(super) fn reply(next: u64, found: Vec<Resp>) -> Resp {
    Resp::Array(vec![Resp::Bulk(next.to_string().into()), Resp::Array(found)])
}

/// A cursor as C reads an unsigned number: a negative one wraps, and no digits are 0.
pub(super) fn cursor(text: &[u8]) -> Result<u64, Refusal> {
    let refused = || Refusal("ERR invalid cursor".into());
    let text = str::from_utf8(text).map_err(|_| refused())?;
    if text.is_empty() {
        return Ok(0);
    }
    match text.strip_prefix('-') {
        Some(digits) if !digits.starts_with(['+', '-']) => {
            digits.parse::<u64>().map(u64::wrapping_neg).map_err(|_| refused())
        }
        _ => text.parse().map_err(|_| refused()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_list_what_stays_exactly_once() {
        let mut names: Vec<Bytes> = (0..1_000).map(|number| number.to_string().into()).collect();
        let (mut cursor, mut seen) = (0, Vec::new());
        loop {
            let (next, page) = next_page(cursor, 7, names.iter().map(|name| (name, ())));
            assert!(page.len() >= 7 || next == 0);
            seen.extend(page.into_iter().map(|(name, ())| name.clone()));
            // The odd ones from 500 on go, others come.
            names.pop_if(|name| name.len() == 3 && name[2] % 2 == 1);
            names.insert(0, format!("new{next}").into());
            if next == 0 {
                break;
            }
            cursor = next;
        }
        for stays in 0..500 {
            let name = Bytes::from(stays.to_string());
            assert_eq!(seen.iter().filter(|other| **other == name).count(), 1, "{stays}");
        }
    }
}
