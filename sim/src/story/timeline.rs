//! What happened, as a timeline that a person can read aloud.
//!
//! Calls that nothing disturbed are one line each, calls in vain are counted, and a whole stay under
//! the lock that went as it should is one line, too. What explains the end is told in full.

mod calls;
mod debounced;
mod fold;
mod words;

use calls::Calls;
use words::Narrator;

use crate::history::{Event, TokenId};
use crate::story::{
    History,
    record::{Record, Seen},
};
use crate::words::{client, fence};

/// One line of a timeline.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    /// When, in true microseconds.
    pub(crate) at: u64,
    pub(crate) kind: LineKind,
    pub(crate) text: String,
}

/// What a line is about, as far as lines can be told together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LineKind {
    /// A client asked for the lock and got it, undisturbed.
    Gets(TokenId),
    /// A client acted.
    Acts(TokenId),
    /// A client gave the lock up, undisturbed.
    Frees(TokenId),
    /// A client asked for the lock and did not get it, undisturbed.
    InVain(u8),
    /// A client's whole stay under the lock went as it should.
    Stay(TokenId),
    /// A fault was injected or took effect.
    Fault,
    /// Anything else.
    Other,
}

/// The story's timeline.
pub(crate) fn timeline(story: &History) -> Vec<Line> {
    let calls = Calls::of(&story.events);
    let mut teller = Narrator::of(story, &calls);
    let told = story.events.iter().enumerate();
    let lines =
        told.filter_map(|(index, &(at, ref event))| teller.emit(index, at, event)).collect();
    fold::fold(lines, &story.names)
}

/// What the resource makes of what two holders wrote, after the promise was broken.
pub(crate) fn aftermath(record: &Record) -> Vec<Line> {
    let (Some(clash), Some((_, index))) = (record.clash, &record.violation) else {
        return Vec::new();
    };
    let later = record.seen[index + 1..].iter();
    let wrote = later.filter_map(|(at, seen)| match *seen {
        Seen::Event(Event::Wrote { token, fence: number, accepted, .. })
            if token == clash.older || token == clash.newer =>
        {
            let (verb, old) = if accepted { ("takes", "") } else { ("refuses", "the old ") };
            let (who, fence) = (client(token.client()), fence(number));
            let text = format!("the resource {verb} {who}'s write with {old}{fence}");
            Some(Line { at: *at, kind: LineKind::Other, text })
        }
        _ => None,
    });
    wrote.collect()
}

/// A timeline as text: the times in ms, aligned, and a star where a fault occurs.
pub(crate) fn print(lines: &[Line]) -> Vec<String> {
    let times: Vec<String> = lines.iter().map(|line| instant(line.at)).collect();
    let width = times.iter().map(String::len).max().unwrap_or(0);
    lines
        .iter()
        .zip(times)
        .map(|(line, time)| {
            let mark = if line.kind == LineKind::Fault { '*' } else { ' ' };
            format!("{time:>width$} ms {mark} {}", line.text)
        })
        .collect()
}

/// A true time in ms with one decimal.
fn instant(micros: u64) -> String {
    let tenths = micros / 100;
    format!("{}.{}", tenths / 10, tenths % 10)
}
