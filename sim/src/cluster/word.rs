//! The decisions of a run as a word.

use std::fmt;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};

use crate::{
    decide::{Decisions, Kind, Site},
    schedule::{push_number, take_number},
};

/// What every such word begins with.
const PREFIX: &str = "lc1_";

/// This is not a word for [`Cluster::replay`](super::Cluster::replay).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WordError;

impl fmt::Display for WordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "this is not the word of a run, or it is damaged: copy all of it, from {PREFIX} to its \
             end"
        )
    }
}

impl std::error::Error for WordError {}

/// The word for these decisions.
pub(crate) fn of(decisions: &Decisions) -> String {
    let mut bytes = Vec::new();
    for (site, &choice) in decisions {
        bytes.extend([site.kind as u8, site.actor]);
        push_number(&mut bytes, site.occurrence);
        push_number(&mut bytes, choice);
    }
    bytes.extend(crc32fast::hash(&bytes).to_be_bytes());
    format!("{PREFIX}{}", BASE64_URL_SAFE_NO_PAD.encode(bytes))
}

/// The decisions of this word.
pub(super) fn parse(word: &str) -> Result<Decisions, WordError> {
    let body = word.trim().strip_prefix(PREFIX).ok_or(WordError)?;
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(body).map_err(|_| WordError)?;
    let (mut bytes, sum) = bytes.split_last_chunk::<4>().ok_or(WordError)?;
    if crc32fast::hash(bytes).to_be_bytes() != *sum {
        return Err(WordError);
    }
    let mut decisions = Decisions::new();
    while let Some((&[kind, actor], rest)) = bytes.split_first_chunk::<2>() {
        bytes = rest;
        let kind = Kind::from_number(kind).ok_or(WordError)?;
        let occurrence = take_number(&mut bytes).ok_or(WordError)?;
        let choice = take_number(&mut bytes).ok_or(WordError)?;
        decisions.insert(Site { kind, actor, occurrence }, choice);
    }
    if bytes.is_empty() { Ok(decisions) } else { Err(WordError) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_gives_its_decisions_back_and_a_damaged_one_none() {
        let site = |kind, actor, occurrence| Site { kind, actor, occurrence };
        let decisions = Decisions::from([
            (site(Kind::ClientPause, 1, 300), 2),
            (site(Kind::Order, 0, 1), 70_000),
        ]);
        let word = of(&decisions);
        assert_eq!(parse(&word), Ok(decisions));
        assert_eq!(parse(&of(&Decisions::new())), Ok(Decisions::new()));
        assert_eq!(parse(&word[..word.len() - 2]), Err(WordError));
        assert_eq!(parse(&word[1..]), Err(WordError));
    }
}
