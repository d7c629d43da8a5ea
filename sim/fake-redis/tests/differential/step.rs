//! What a case is made of, and how it is shown: as the lines that `redis-cli` would be given.

use std::fmt;

use bytes::Bytes;

use crate::{reply::escaped, words};

/// How many connections a case has.
pub(crate) const SESSIONS: usize = 3;

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Step {
    /// One command of one connection.
    Command { session: usize, words: Vec<Bytes> },
    /// Both servers' clocks move forward.
    Advance { ms: u64 },
}

impl Step {
    pub(crate) fn command(session: usize, line: &str) -> Self {
        let words = line.split(' ').map(|word| Bytes::copy_from_slice(word.as_bytes())).collect();
        Self::Command { session, words }
    }

    /// What is sent.
    pub(crate) fn words(&self) -> &[Bytes] {
        match self {
            Self::Command { words, .. } => words,
            Self::Advance { .. } => &[],
        }
    }
}

/// The command that is run in the end: the one that a script is only the wrapping of.
pub(crate) fn effective(words: &[Bytes]) -> &[Bytes] {
    match words {
        [eval, script, count, rest @ ..]
            if eval.eq_ignore_ascii_case(b"eval")
                && (script == words::CALL || script == words::PCALL)
                && count == "0" =>
        {
            rest
        }
        _ => words,
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Command { session, words } => {
                let shown: Vec<_> = words.iter().map(quoted).collect();
                write!(f, "{session}> {}", shown.join(" "))
            }
            Self::Advance { ms } => write!(f, "-- {ms} ms later"),
        }
    }
}

fn quoted(word: &Bytes) -> String {
    let plain = |byte: &u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\'' | b'\\');
    if !word.is_empty() && word.iter().all(plain) {
        String::from_utf8_lossy(word).into_owned()
    } else {
        format!("\"{}\"", escaped(word))
    }
}
