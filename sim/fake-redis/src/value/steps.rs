//! How a value is changed, as what takes it back.

use std::sync::Arc;

use bytes::Bytes;

use super::{
    ELEMENT, Members, Value,
    log::{Log, Steps, Trace},
};

/// Strings up to this length are kept whole.
const SHORT: usize = 64;

/// What a value was before a change, as far as it does not note itself how it changes.
pub(crate) enum Before {
    Collection,
    Short([u8; SHORT], usize),
    Long(Bytes),
}

/// How a string's change is written, or a whole one.
const TEXT: u8 = 0;
/// Its bytes from a place on were others; what is there now ends so many bytes before the end.
const PART: u8 = 1;
/// How a collection is written that has just become empty.
const HASH: u8 = 2;
const LIST: u8 = 3;
const SET: u8 = 4;
const SORTED_SET: u8 = 5;

impl Value {
    /// Begins to note in the log how it changes. Gives what has to be kept for that.
    pub(crate) fn begin_trace(&mut self, log: &mut Trace) -> Before {
        let trace = match self {
            Self::String(text) => return Before::of(text),
            Self::Hash(fields) => Arc::make_mut(fields).trace(),
            Self::List(items) => Arc::make_mut(items).trace(),
            Self::Set(members) => Arc::make_mut(members).trace(),
            Self::SortedSet(members) => Arc::make_mut(members).trace(),
            Self::Stream(stream) => Arc::make_mut(stream).begin_trace(),
        };
        trace.0 = log.0.take();
        Before::Collection
    }

    /// Ends that, and gives the log back. Another type of value must not have taken its place
    /// meanwhile.
    pub(crate) fn end_trace(&mut self, log: &mut Trace, before: Before) {
        let trace = match self {
            Self::String(new) => {
                log.note(|log| before.write(new, log));
                return;
            }
            Self::Hash(fields) => Arc::make_mut(fields).trace(),
            Self::List(items) => Arc::make_mut(items).trace(),
            Self::Set(members) => Arc::make_mut(members).trace(),
            Self::SortedSet(members) => Arc::make_mut(members).trace(),
            Self::Stream(stream) => Arc::make_mut(stream).trace(),
        };
        log.0 = trace.0.take();
        if let (Self::Stream(stream), Some(log)) = (self, &mut log.0) {
            log.step(|log| Arc::make_mut(stream).end_trace(log));
        }
    }

    /// Takes a change back.
    pub(crate) fn undo(&mut self, steps: Steps<'_>) {
        match self {
            Self::String(text) => _ = undo_text(text, steps),
            Self::Hash(fields) => Arc::make_mut(fields).undo(steps),
            Self::List(items) => Arc::make_mut(items).undo(steps),
            Self::Set(members) => Arc::make_mut(members).undo(steps),
            Self::SortedSet(members) => Arc::make_mut(members).undo(steps),
            Self::Stream(stream) => Arc::make_mut(stream).undo(steps),
        }
    }

    /// Writes it whole.
    pub(crate) fn write(self, log: &mut Log) {
        match self {
            Self::String(text) if text.len() <= SHORT => log.text_after(TEXT, &text),
            Self::Hash(fields) if fields.is_empty() => log.tag(HASH),
            Self::List(items) if items.is_empty() => log.tag(LIST),
            Self::Set(members) if members.is_empty() => {
                log.place_after(SET, usize::from(members.is_sorted()));
            }
            Self::SortedSet(members) if members.is_empty() => log.tag(SORTED_SET),
            value => {
                let bytes = value.bytes();
                log.thing(value, bytes);
            }
        }
    }

    /// What was written whole.
    pub(crate) fn read(mut steps: Steps<'_>) -> Option<Self> {
        match steps.tag() {
            Some(HASH) => Some(Self::Hash(Arc::default())),
            Some(LIST) => Some(Self::List(Arc::default())),
            Some(SET) => Some(Self::Set(Arc::new(Members::empty(steps.place()? == 1)))),
            Some(SORTED_SET) => Some(Self::SortedSet(Arc::default())),
            Some(_) => steps.text().map(Self::String),
            None => steps.thing().cloned(),
        }
    }

    /// About how many bytes of memory it takes.
    pub(crate) fn bytes(&self) -> usize {
        let one = |text: &Bytes| text.len() + ELEMENT;
        match self {
            Self::String(text) => text.len(),
            Self::Hash(fields) => fields.iter().map(|(name, text)| one(name) + one(text)).sum(),
            Self::List(items) => items.iter().map(one).sum(),
            Self::Set(members) => members.iter().map(one).sum(),
            Self::SortedSet(members) => members.iter().map(|(_, name)| one(name) + ELEMENT).sum(),
            Self::Stream(stream) => stream.bytes(),
        }
    }
}

impl Before {
    fn of(text: &Bytes) -> Self {
        if text.len() > SHORT {
            return Self::Long(text.clone());
        }
        let mut short = [0; SHORT];
        short[..text.len()].copy_from_slice(text);
        Self::Short(short, text.len())
    }

    /// Writes how a string has changed.
    fn write(self, new: &Bytes, log: &mut Log) {
        match self {
            Self::Collection => {}
            Self::Short(old, length) => {
                let old = &old[..length];
                if old != new {
                    log.tag(TEXT);
                    log.short_text(old);
                }
            }
            Self::Long(old) => write_changed(&old, new, log),
        }
    }
}

fn write_changed(old: &Bytes, new: &Bytes, log: &mut Log) {
    let place = alike(old, new);
    let (left, right) = (&old[place..], &new[place..]);
    let same = left.iter().rev().zip(right.iter().rev()).take_while(|(a, b)| a == b).count();
    if left.len() == same && right.len() == same {
        return;
    }
    log.place_after(PART, place);
    log.place(same);
    log.text(&Bytes::copy_from_slice(&left[..left.len() - same]));
}

fn undo_text(text: &mut Bytes, mut steps: Steps<'_>) -> Option<()> {
    *text = match steps.tag()? {
        PART => {
            let (place, rest) = (steps.place()?, steps.place()?);
            [&text[..place], &steps.text()?, &text[text.len() - rest..]].concat().into()
        }
        _ => steps.text()?,
    };
    Some(())
}

/// How many bytes are the same at the begin.
fn alike(left: &[u8], right: &[u8]) -> usize {
    const PIECE: usize = 256;
    let pieces = left.chunks(PIECE).zip(right.chunks(PIECE));
    let begin = pieces.take_while(|(a, b)| a == b && a.len() == PIECE).count() * PIECE;
    let rest = left[begin..].iter().zip(&right[begin..]);
    begin + rest.take_while(|(a, b)| a == b).count()
}
