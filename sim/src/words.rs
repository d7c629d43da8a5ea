//! The small words that all stories share.

pub mod store;

use crate::{
    decide::Address,
    history::{self, Awaited},
};

/// A client's name: A, B, C…
pub fn client(number: history::Client) -> char {
    char::from(b'A' + number.min(25))
}

/// A fence: the last digits of a long one, by which those of one run differ.
pub fn fence(number: u64) -> String {
    match number {
        0 => "no fence".into(),
        1..10_000_000 => format!("fence {number}"),
        _ => format!("fence …{:07}", number % 10_000_000),
    }
}

/// The fences in a text as [`fence`] writes them.
pub(crate) fn short_fences(text: &str) -> String {
    let short = |word: &str| match word.parse::<u64>() {
        Ok(number) if number >= 1 << 50 => format!("…{:07}", number % 10_000_000),
        _ => word.to_owned(),
    };
    text.split(' ').map(short).collect::<Vec<_>>().join(" ")
}

/// A length of time: `300 ms`, `1.2 s`.
pub fn span(micros: u64) -> String {
    match micros {
        1_000_000.. => format!("{} s", decimal(micros, 1_000_000)),
        _ => format!("{} ms", decimal(micros, 1_000)),
    }
}

fn decimal(number: u64, unit: u64) -> String {
    let tenths = (number * 10 + unit / 2) / unit;
    match tenths % 10 {
        0 => (tenths / 10).to_string(),
        rest => format!("{}.{rest}", tenths / 10),
    }
}

/// The value that a choice stands for; the last one if it is out of range, as in a replay.
pub fn pick<T: Copy>(values: &[T], choice: u32) -> T {
    values[(choice as usize).min(values.len() - 1)]
}

/// The request that a decision is about, if it is about a request.
pub fn request(address: Address) -> String {
    format!("request {} of client {}", address.occurrence, client(address.actor))
}

/// The message that a decision is about: requests have even numbers, replies odd ones, and writes
/// to the resource and notifications of releases wires of their own.
pub fn message(address: Address) -> String {
    let (who, number) = (client(address.actor & 0x3f), address.occurrence);
    if address.actor & 0xc0 == 0x40 {
        return format!("notification {number} of client {who}");
    }
    if address.actor & 0x80 != 0 {
        return format!("write {number} of client {who}");
    }
    let reply = if number % 2 == 1 { "the reply to " } else { "" };
    format!("{reply}request {} of client {who}", number / 2)
}

/// So many of them: `1 decision`, `2 decisions`.
pub fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// What a caller waits for.
pub fn awaited(awaited: Awaited) -> &'static str {
    match awaited {
        Awaited::Acquire | Awaited::Wait => "the lock",
        Awaited::Extend => "its extension",
        Awaited::Release => "its release",
        Awaited::Hold => "its work under a held lock",
        Awaited::Clear => "what it may have left behind",
        Awaited::Work => "the next piece of its work",
        Awaited::Kept => "the next piece of its work, while the lease is renewed",
        Awaited::Call => "its call",
        Awaited::Flush => "its flush",
        Awaited::Sweep => "its sweep",
        Awaited::Cancel => "its cancellation",
    }
}

/// How wide text may get: no more columns than every terminal has.
pub const WIDTH: usize = 80;

/// The words of `text` in as many lines of at most [`WIDTH`] columns as they need: the first begins
/// with `first`, the others as far in.
#[must_use]
pub fn wrap(first: &str, text: &str) -> String {
    let indent = first.chars().count();
    let (mut wrapped, mut column) = (first.to_owned(), indent);
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let width = word.chars().count();
        if column > indent && column + 1 + width > WIDTH {
            wrapped += &format!("\n{:indent$}", "");
            column = indent;
        } else if column > indent {
            wrapped.push(' ');
            column += 1;
        }
        wrapped += word;
        column += width;
    }
    wrapped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decide::DecisionKind;

    #[test]
    fn a_length_of_time_is_short_to_say() {
        assert_eq!(span(300_000), "300 ms");
        assert_eq!(span(1_500), "1.5 ms");
        assert_eq!(span(1_200_000), "1.2 s");
        assert_eq!(span(2_000_000), "2 s");
    }

    #[test]
    fn a_long_line_is_broken_between_words() {
        let text = wrap("- ", &"word ".repeat(30));
        assert!(text.lines().all(|line| line.len() <= 97), "{text}");
        assert!(text.lines().skip(1).all(|line| line.starts_with("  word")), "{text}");
        assert_eq!(wrap("- ", "short"), "- short");
    }

    #[test]
    fn a_message_is_a_request_a_reply_or_a_write() {
        let address =
            |actor, occurrence| Address { kind: DecisionKind::Latency, actor, occurrence };
        assert_eq!(message(address(0, 6)), "request 3 of client A");
        assert_eq!(message(address(1, 7)), "the reply to request 3 of client B");
        assert_eq!(message(address(0x82, 2)), "write 2 of client C");
        assert_eq!(message(address(0x41, 3)), "notification 3 of client B");
    }
}
