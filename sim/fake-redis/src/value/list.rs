//! A list's items.

use std::{
    collections::{VecDeque, vec_deque},
    iter, mem,
    ops::{Deref, Range},
};

use bytes::Bytes;

use super::log::{Steps, Trace};

/// The items of a list. It is read as a [`VecDeque`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Items {
    items: VecDeque<Bytes>,
    trace: Trace,
}

/// What takes back one change of a list.
enum ItemStep {
    PopFront,
    PopBack,
    PushFront(Bytes),
    PushBack(Bytes),
    Set(usize, Bytes),
    Remove(usize),
    /// Puts items at the places that they have then, in ascending order.
    Insert(Vec<(usize, Bytes)>),
}

/// How each is written.
const POP_FRONT: u8 = 0;
const POP_BACK: u8 = 1;
const PUSH_FRONT: u8 = 2;
const PUSH_BACK: u8 = 3;
const SET: u8 = 4;
const REMOVE: u8 = 5;
const INSERT: u8 = 6;

impl Items {
    /// Adds an item to the front.
    pub(crate) fn push_front(&mut self, item: Bytes) {
        self.trace.note(|log| log.tag(POP_FRONT));
        self.items.push_front(item);
    }

    /// Adds an item to the end.
    pub fn push_back(&mut self, item: Bytes) {
        self.trace.note(|log| log.tag(POP_BACK));
        self.items.push_back(item);
    }

    /// Removes the first item.
    pub fn pop_front(&mut self) -> Option<Bytes> {
        let item = self.items.pop_front()?;
        self.trace.note(|log| log.text_after(PUSH_FRONT, &item));
        Some(item)
    }

    /// Removes the last item.
    pub(crate) fn pop_back(&mut self) -> Option<Bytes> {
        let item = self.items.pop_back()?;
        self.trace.note(|log| log.text_after(PUSH_BACK, &item));
        Some(item)
    }

    /// Replaces the item at a place. No such place: nothing happens.
    pub fn set(&mut self, place: usize, item: Bytes) {
        if let Some(old) = self.items.get_mut(place) {
            let old = mem::replace(old, item);
            self.trace.note(|log| {
                log.place_after(SET, place);
                log.text(&old);
            });
        }
    }

    /// Inserts an item at a place, which is not beyond the end.
    pub fn insert(&mut self, place: usize, item: Bytes) {
        self.trace.note(|log| log.place_after(REMOVE, place));
        self.items.insert(place, item);
    }

    /// Removes the items at these places, which ascend.
    pub(crate) fn remove_at(&mut self, places: &[usize]) {
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
        self.trace.note(|log| {
            log.place_after(INSERT, removed.len());
            for (place, item) in &removed {
                log.place(*place);
                log.text(item);
            }
        });
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

    pub(super) fn trace(&mut self) -> &mut Trace {
        &mut self.trace
    }

    /// Takes steps back, the last one first.
    pub(super) fn undo(&mut self, mut steps: Steps<'_>) {
        let items = &mut self.items;
        let steps: Vec<_> = iter::from_fn(|| ItemStep::read(&mut steps)).collect();
        for step in steps.into_iter().rev() {
            match step {
                ItemStep::PopFront => drop(items.pop_front()),
                ItemStep::PopBack => drop(items.pop_back()),
                ItemStep::PushFront(item) => items.push_front(item),
                ItemStep::PushBack(item) => items.push_back(item),
                ItemStep::Set(place, item) => items[place] = item,
                ItemStep::Remove(place) => drop(items.remove(place)),
                ItemStep::Insert(back) => {
                    let mut left = mem::take(items).into_iter();
                    for (place, item) in back {
                        items.extend(left.by_ref().take(place - items.len()));
                        items.push_back(item);
                    }
                    items.extend(left);
                }
            }
        }
    }
}

impl ItemStep {
    fn read(steps: &mut Steps<'_>) -> Option<Self> {
        Some(match steps.tag()? {
            POP_FRONT => Self::PopFront,
            POP_BACK => Self::PopBack,
            PUSH_FRONT => Self::PushFront(steps.text()?),
            PUSH_BACK => Self::PushBack(steps.text()?),
            SET => Self::Set(steps.place()?, steps.text()?),
            REMOVE => Self::Remove(steps.place()?),
            _ => {
                let number = steps.place()?;
                let back = (0..number).map(|_| Some((steps.place()?, steps.text()?)));
                Self::Insert(back.collect::<Option<_>>()?)
            }
        })
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
