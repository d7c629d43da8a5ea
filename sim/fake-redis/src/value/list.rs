//! A list's items.

use std::{
    collections::{VecDeque, vec_deque},
    mem,
    ops::{Deref, Range},
};

use bytes::Bytes;

use super::aside::Trace;

/// The items of a list. It is read as a [`VecDeque`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Items {
    items: VecDeque<Bytes>,
    trace: Trace<ItemStep>,
}

/// What takes back one change of a list.
#[derive(Debug)]
pub(crate) enum ItemStep {
    PopFront,
    PopBack,
    PushFront(Bytes),
    PushBack(Bytes),
    Set(usize, Bytes),
    Remove(usize),
    /// Puts items at the places that they have then, in ascending order.
    Insert(Vec<(usize, Bytes)>),
}

impl Items {
    /// Adds an item to the front.
    pub fn push_front(&mut self, item: Bytes) {
        self.trace.note(|| ItemStep::PopFront);
        self.items.push_front(item);
    }

    /// Adds an item to the end.
    pub fn push_back(&mut self, item: Bytes) {
        self.trace.note(|| ItemStep::PopBack);
        self.items.push_back(item);
    }

    /// Removes the first item.
    pub fn pop_front(&mut self) -> Option<Bytes> {
        let item = self.items.pop_front()?;
        self.trace.note(|| ItemStep::PushFront(item.clone()));
        Some(item)
    }

    /// Removes the last item.
    pub fn pop_back(&mut self) -> Option<Bytes> {
        let item = self.items.pop_back()?;
        self.trace.note(|| ItemStep::PushBack(item.clone()));
        Some(item)
    }

    /// Replaces the item at a place. No such place: nothing happens.
    pub fn set(&mut self, place: usize, item: Bytes) {
        if let Some(old) = self.items.get_mut(place) {
            let old = mem::replace(old, item);
            self.trace.note(|| ItemStep::Set(place, old));
        }
    }

    /// Inserts an item at a place, which is not beyond the end.
    pub fn insert(&mut self, place: usize, item: Bytes) {
        self.trace.note(|| ItemStep::Remove(place));
        self.items.insert(place, item);
    }

    /// Removes the items at these places, which ascend.
    pub fn remove_at(&mut self, places: &[usize]) {
        let mut at = 0;
        let mut left = places.iter().peekable();
        let (trace, mut removed) = (self.trace.0.is_some(), Vec::new());
        self.items.retain(|item| {
            let keep = left.next_if_eq(&&at).is_none();
            if !keep && trace {
                removed.push((at, item.clone()));
            }
            at += 1;
            keep
        });
        self.trace.note(|| ItemStep::Insert(removed));
    }

    /// Keeps only the items of a range, which is within the list.
    pub fn keep(&mut self, kept: Range<usize>) {
        while self.items.len() > kept.end {
            self.pop_back();
        }
        (0..kept.start).for_each(|_| drop(self.pop_front()));
        if self.items.len() < self.items.capacity() / 4 {
            self.items.shrink_to(self.items.len() * 2);
        }
    }

    pub(super) fn trace(&mut self) -> &mut Trace<ItemStep> {
        &mut self.trace
    }

    /// Takes steps back, the last one first.
    pub(super) fn undo(&mut self, steps: &[ItemStep]) {
        let items = &mut self.items;
        for step in steps.iter().rev() {
            match step {
                ItemStep::PopFront => drop(items.pop_front()),
                ItemStep::PopBack => drop(items.pop_back()),
                ItemStep::PushFront(item) => items.push_front(item.clone()),
                ItemStep::PushBack(item) => items.push_back(item.clone()),
                ItemStep::Set(place, item) => items[*place] = item.clone(),
                ItemStep::Remove(place) => drop(items.remove(*place)),
                ItemStep::Insert(back) => {
                    let mut left = mem::take(items).into_iter();
                    for (place, item) in back {
                        items.extend(left.by_ref().take(place - items.len()));
                        items.push_back(item.clone());
                    }
                    items.extend(left);
                }
            }
        }
    }
}

impl ItemStep {
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::PopFront | Self::PopBack | Self::Remove(_) => 0,
            Self::PushFront(item) | Self::PushBack(item) | Self::Set(_, item) => item.len(),
            Self::Insert(back) => back.iter().map(|(_, item)| item.len() + super::ELEMENT).sum(),
        }
    }
}

impl Deref for Items {
    type Target = VecDeque<Bytes>;

    fn deref(&self) -> &VecDeque<Bytes> {
        &self.items
    }
}

impl FromIterator<Bytes> for Items {
    fn from_iter<I: IntoIterator<Item = Bytes>>(items: I) -> Self {
        Self { items: items.into_iter().collect(), trace: Trace::default() }
    }
}

impl<'a> IntoIterator for &'a Items {
    type Item = &'a Bytes;
    type IntoIter = vec_deque::Iter<'a, Bytes>;

    fn into_iter(self) -> Self::IntoIter {
        self.items.iter()
    }
}
