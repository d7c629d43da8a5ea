//! How a value was changed, as what takes it back.

use std::sync::Arc;

use bytes::Bytes;

use super::{
    ELEMENT, Value, hash::FieldStep, list::ItemStep, set::MemberStep, sorted_set::ScoreStep,
    stream::StreamSteps,
};

/// Strings up to this length are kept whole.
const SHORT: usize = 64;

/// What takes back one change of a value.
#[derive(Debug)]
pub(crate) enum Steps {
    Nothing,
    Text(Bytes),
    /// These bytes were at this place; what is there now ends so many bytes before the end.
    Part {
        place: usize,
        old: Bytes,
        rest: usize,
    },
    Hash(Vec<FieldStep>),
    List(Vec<ItemStep>),
    Set(Vec<MemberStep>),
    SortedSet(Vec<ScoreStep>),
    Stream(Box<StreamSteps>),
}

impl Value {
    /// Begins to note how it changes. Gives what has to be kept for that: the string, if it is one.
    pub(crate) fn begin_trace(&mut self) -> Option<Bytes> {
        match self {
            Self::String(text) => return Some(text.clone()),
            Self::Hash(fields) => Arc::make_mut(fields).trace().begin(),
            Self::List(items) => Arc::make_mut(items).trace().begin(),
            Self::Set(members) => Arc::make_mut(members).trace().begin(),
            Self::SortedSet(members) => Arc::make_mut(members).trace().begin(),
            Self::Stream(stream) => Arc::make_mut(stream).begin_trace(),
        }
        None
    }

    /// How it has changed since. Another type of value must not take its place meanwhile.
    pub(crate) fn end_trace(&mut self, text: Option<Bytes>) -> Steps {
        match self {
            Self::String(new) => text.map_or(Steps::Nothing, |old| changed(old, new)),
            Self::Hash(fields) => Steps::Hash(Arc::make_mut(fields).trace().end()),
            Self::List(items) => Steps::List(Arc::make_mut(items).trace().end()),
            Self::Set(members) => Steps::Set(Arc::make_mut(members).trace().end()),
            Self::SortedSet(members) => Steps::SortedSet(Arc::make_mut(members).trace().end()),
            Self::Stream(stream) => Steps::Stream(Box::new(Arc::make_mut(stream).end_trace())),
        }
    }

    /// Takes a change back.
    pub(crate) fn undo(&mut self, steps: &Steps) {
        match (self, steps) {
            (Self::String(text), Steps::Text(old)) => *text = old.clone(),
            (Self::String(text), Steps::Part { place, old, rest }) => {
                *text = [&text[..*place], old, &text[text.len() - rest..]].concat().into();
            }
            (Self::Hash(fields), Steps::Hash(steps)) => Arc::make_mut(fields).undo(steps),
            (Self::List(items), Steps::List(steps)) => Arc::make_mut(items).undo(steps),
            (Self::Set(members), Steps::Set(steps)) => Arc::make_mut(members).undo(steps),
            (Self::SortedSet(members), Steps::SortedSet(steps)) => {
                Arc::make_mut(members).undo(steps);
            }
            (Self::Stream(stream), Steps::Stream(steps)) => Arc::make_mut(stream).undo(steps),
            // Nothing, or of another type, which never happens: see `end_trace`.
            _ => {}
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

/// How a string has changed.
fn changed(old: Bytes, new: &Bytes) -> Steps {
    if old.len() <= SHORT {
        return if old == *new { Steps::Nothing } else { Steps::Text(old) };
    }
    let place = alike(&old, new);
    let (left, right) = (&old[place..], &new[place..]);
    let same = left.iter().rev().zip(right.iter().rev()).take_while(|(a, b)| a == b).count();
    if left.len() == same && right.len() == same {
        return Steps::Nothing;
    }
    let old = Bytes::copy_from_slice(&left[..left.len() - same]);
    Steps::Part { place, old, rest: same }
}

/// How many bytes are the same at the begin.
fn alike(left: &[u8], right: &[u8]) -> usize {
    const PIECE: usize = 256;
    let pieces = left.chunks(PIECE).zip(right.chunks(PIECE));
    let begin = pieces.take_while(|(a, b)| a == b && a.len() == PIECE).count() * PIECE;
    let rest = left[begin..].iter().zip(&right[begin..]);
    begin + rest.take_while(|(a, b)| a == b).count()
}

impl Steps {
    pub(crate) fn is_nothing(&self) -> bool {
        match self {
            Self::Nothing => true,
            Self::Text(_) | Self::Part { .. } => false,
            Self::Hash(steps) => steps.is_empty(),
            Self::List(steps) => steps.is_empty(),
            Self::Set(steps) => steps.is_empty(),
            Self::SortedSet(steps) => steps.is_empty(),
            Self::Stream(steps) => steps.is_nothing(),
        }
    }

    /// About how many bytes of memory they take.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Nothing => 0,
            Self::Text(old) | Self::Part { old, .. } => old.len(),
            Self::Hash(steps) => steps.iter().map(|step| step.bytes() + ELEMENT).sum(),
            Self::List(steps) => steps.iter().map(|step| step.bytes() + ELEMENT).sum(),
            Self::Set(steps) => steps.iter().map(|step| step.bytes() + ELEMENT).sum(),
            Self::SortedSet(steps) => steps.iter().map(|(name, _)| name.len() + ELEMENT).sum(),
            Self::Stream(steps) => steps.bytes(),
        }
    }
}
