//! Changes as what takes them back: bytes one behind the other, so that a change costs no
//! allocation. What is too old, or too much, is forgotten.

use std::{any::Any, collections::VecDeque};

use bytes::Bytes;

use super::{ELEMENT, aside::Aside};

/// Texts up to this length are copied, others shared.
const COPIED: usize = 256;

/// How many bytes a piece of the log has, about: it is forgotten whole.
const PIECE: usize = 64 << 10;

/// A log has at least so many pieces, however small it is.
const PIECES: usize = 16;

/// The records of changes, newest last, within so much memory. Those of one batch belong together:
/// if one of them is forgotten, all of them are.
#[derive(Debug)]
pub(crate) struct Log {
    /// The last one is being written.
    pieces: VecDeque<Piece>,
    spare: Option<Piece>,
    /// What all of them take.
    size: usize,
    most: usize,
    /// The number of the next record.
    next: u64,
    /// The number of the first record of the running batch.
    batch: u64,
    /// Where the record begins that is being written: in the bytes and the things of its piece.
    open: (usize, usize),
    /// What was before is not kept.
    since_us: u64,
    /// Whether the running batch is more than is kept.
    too_much: bool,
}

/// Lent to what is being changed.
pub(crate) type Trace = Aside<Box<Log>>;

#[derive(Debug, Default)]
struct Piece {
    /// The number of its first record.
    first: u64,
    /// The number of the first record in it that begins a batch.
    first_batch: Option<u64>,
    bytes: Vec<u8>,
    /// With about how many bytes each takes.
    things: Vec<(Thing, usize)>,
    size: usize,
    /// When the last batch ended that has changes in it, if all of them have.
    ended_us: Option<u64>,
}

/// What is kept as it is.
type Thing = Box<dyn Any + Send + Sync>;

/// A record, as it is read.
#[derive(Debug)]
pub(crate) enum Record<'a> {
    /// A batch ends here: when it happened, and its number.
    End {
        at_us: u64,
        write: u64,
    },
    Change(Change<'a>),
}

/// One change of one key.
#[derive(Debug)]
pub(crate) struct Change<'a> {
    pub(crate) database: usize,
    pub(crate) key: Bytes,
    pub(crate) expires_at_ms: Option<u64>,
    pub(crate) was: Was,
    pub(crate) steps: Steps<'a>,
}

/// What the key was before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Was {
    Absent,
    /// This value, which the steps begin with.
    Whole,
    /// What takes these steps back, the last one first.
    Changed,
}

/// What was written of a change, to be read in the same order.
#[derive(Clone, Debug)]
pub(crate) struct Steps<'a> {
    bytes: &'a [u8],
    things: &'a [(Thing, usize)],
}

/// The kinds of records: the last byte of each.
const END: u8 = 0;
const ABSENT: u8 = 1;
const WHOLE: u8 = 2;
const CHANGED: u8 = 3;
/// Added to a kind: the time when the key expires comes before the frame.
const EXPIRES: u8 = 4;

/// A record that ends a batch: two numbers and the kind.
const END_LENGTH: usize = 17;
/// The frame of another: the lengths of the steps and of the key, how many things, the database,
/// and the kind.
const FRAME_LENGTH: usize = 14;

impl Log {
    /// An empty one that takes about so many bytes at most.
    pub(crate) fn new(most: usize) -> Self {
        Self {
            pieces: VecDeque::new(),
            spare: None,
            size: 0,
            most,
            next: 0,
            batch: 0,
            open: (0, 0),
            since_us: 0,
            too_much: false,
        }
    }

    /// About how many bytes it takes.
    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// Whether there is anything in the running batch.
    pub(crate) fn is_written(&self) -> bool {
        self.next > self.batch || self.too_much
    }

    /// The number of the next record.
    pub(crate) fn next(&self) -> u64 {
        self.next
    }

    /// Begins a record.
    pub(crate) fn begin(&mut self) {
        if self.too_much {
            return;
        }
        let enough = PIECE.min(self.most / PIECES);
        if self.pieces.back().is_none_or(|piece| piece.size > enough) {
            if let Some(full) = self.pieces.back_mut() {
                full.bytes.shrink_to(enough);
            }
            let mut piece = self.spare.take().unwrap_or_default();
            // At once, since memory that grows is touched, and copied, again and again.
            piece.bytes.reserve_exact(enough + enough / 8);
            piece.first = self.next;
            piece.first_batch = (self.next == self.batch).then_some(self.next);
            piece.ended_us = None;
            self.pieces.push_back(piece);
        }
        self.open = self.pieces.back().map_or((0, 0), |it| (it.bytes.len(), it.things.len()));
    }

    /// One whose running batch is more than is kept.
    pub(crate) fn lost(most: usize) -> Self {
        Self { too_much: true, ..Self::new(most) }
    }

    /// Whether nothing was added to the record that was begun.
    pub(crate) fn has_begun_only(&self) -> bool {
        let end = self.pieces.back().map(|piece| (piece.bytes.len(), piece.things.len()));
        end.is_none_or(|end| end == self.open)
    }

    /// Drops the record that was begun.
    pub(crate) fn abort(&mut self) {
        let (bytes, things) = self.open;
        self.cut(bytes, things);
    }

    /// Completes the record that was begun.
    pub(crate) fn complete(
        &mut self,
        database: u8,
        key: &[u8],
        expires_at_ms: Option<u64>,
        was: Was,
    ) {
        let (begin, first) = self.open;
        let Some(piece) = self.pieces.back_mut().filter(|_| !self.too_much) else { return };
        let bytes = &mut piece.bytes;
        let lengths = [bytes.len() - begin, key.len()].map(u32::try_from);
        let ([Ok(steps), Ok(name)], Ok(things)) =
            (lengths, u32::try_from(piece.things.len() - first))
        else {
            return self.give_up();
        };
        let before = bytes.len();
        piece.ended_us = None;
        bytes.extend_from_slice(key);
        if let Some(at_ms) = expires_at_ms {
            bytes.extend_from_slice(&at_ms.to_le_bytes());
        }
        let kind = match was {
            Was::Absent => ABSENT,
            Was::Whole => WHOLE,
            Was::Changed => CHANGED,
        };
        let mut frame = [0; FRAME_LENGTH];
        frame[..4].copy_from_slice(&steps.to_le_bytes());
        frame[4..8].copy_from_slice(&name.to_le_bytes());
        frame[8..12].copy_from_slice(&things.to_le_bytes());
        frame[12] = database;
        frame[13] = kind + if expires_at_ms.is_some() { EXPIRES } else { 0 };
        bytes.extend_from_slice(&frame);
        let added = bytes.len() - before;
        self.next += 1;
        self.grow(added);
    }

    /// Ends the running batch. From now on nothing from before `since_us` need be kept.
    pub(crate) fn end_batch(&mut self, at_us: u64, write: u64, since_us: u64) {
        if !self.too_much && self.next > self.batch {
            if let Some(piece) = self.pieces.back_mut() {
                let mut record = [END; END_LENGTH];
                record[..8].copy_from_slice(&at_us.to_le_bytes());
                record[8..16].copy_from_slice(&write.to_le_bytes());
                piece.bytes.extend_from_slice(&record);
                piece.first_batch.get_or_insert(self.next + 1);
                piece.ended_us = Some(at_us);
            }
            let before = self.pieces.iter_mut().rev().skip(1);
            before.take_while(|it| it.ended_us.is_none()).for_each(|it| it.ended_us = Some(at_us));
            self.next += 1;
            self.grow(END_LENGTH);
        }
        (self.too_much, self.batch, self.since_us) = (false, self.next, since_us);
        let is_old = |piece: &Piece| piece.ended_us.is_some_and(|at_us| at_us < since_us);
        while self.pieces.len() > 1 && is_old(&self.pieces[0]) {
            self.forget_piece();
        }
    }

    /// Drops the records from this number on, as far as they are of the running batch.
    pub(crate) fn forget_since(&mut self, place: u64) {
        while self.next > place.max(self.batch) {
            let Some(piece) = self.pieces.back() else { return };
            let Some((record, bytes, things)) = piece.before(piece.bytes.len(), piece.things.len())
            else {
                self.size -= piece.size;
                self.pieces.pop_back();
                continue;
            };
            debug_assert!(matches!(record, Record::Change(_)), "it is in the running batch");
            self.cut(bytes, things);
            self.next -= 1;
        }
    }

    /// The records of the batches that have ended and are whole, newest first. A batch's end comes
    /// before its changes.
    pub(crate) fn back(&self) -> impl Iterator<Item = Record<'_>> {
        let whole = self.pieces.iter().find_map(|piece| piece.first_batch).unwrap_or(u64::MAX);
        let records = self.pieces.iter().rev().flat_map(|piece| {
            let mut end = (piece.bytes.len(), piece.things.len());
            std::iter::from_fn(move || {
                let (record, bytes, things) = piece.before(end.0, end.1)?;
                end = (bytes, things);
                Some(record)
            })
        });
        let numbers = (0..self.next).rev();
        let kept = numbers.zip(records).take_while(move |(number, _)| *number >= whole);
        let ended = kept.skip_while(|(number, _)| *number >= self.batch);
        let is_old = |record: &Record<'_>| matches!(record, Record::End { at_us, .. } if *at_us < self.since_us);
        ended.map(|(_, record)| record).take_while(move |record| !is_old(record))
    }

    /// Adds what takes back one step.
    pub(super) fn step(&mut self, write: impl FnOnce(&mut Self)) {
        if !self.too_much {
            write(self);
            self.make_room();
        }
    }

    pub(super) fn tag(&mut self, tag: u8) {
        self.append(&[tag]);
    }

    pub(super) fn number(&mut self, mut number: u64) {
        let (mut bytes, mut length) = ([0; 10], 0);
        loop {
            bytes[length] = (number & 0x7f) as u8;
            number >>= 7;
            length += 1;
            if number == 0 {
                break;
            }
            bytes[length - 1] |= 0x80;
        }
        self.append(&bytes[..length]);
    }

    pub(super) fn place(&mut self, place: usize) {
        self.number(place as u64);
    }

    pub(super) fn place_after(&mut self, tag: u8, place: usize) {
        self.tag(tag);
        self.place(place);
    }

    pub(super) fn text_after(&mut self, tag: u8, text: &Bytes) {
        self.tag(tag);
        self.text(text);
    }

    pub(super) fn text(&mut self, text: &Bytes) {
        if text.len() <= COPIED {
            self.short_text(text);
        } else {
            self.place(text.len());
            self.thing(text.clone(), text.len());
        }
    }

    /// A text that is short enough to be copied.
    pub(super) fn short_text(&mut self, text: &[u8]) {
        self.place(text.len());
        self.append(text);
    }

    /// Keeps a thing that takes about so many bytes.
    pub(super) fn thing(&mut self, thing: impl Any + Send + Sync, bytes: usize) {
        if let Some(piece) = self.pieces.back_mut().filter(|_| !self.too_much) {
            let added = ELEMENT + bytes;
            piece.things.push((Box::new(thing), added));
            (piece.size, self.size) = (piece.size + added, self.size + added);
        }
    }

    fn append(&mut self, bytes: &[u8]) {
        if let Some(piece) = self.pieces.back_mut().filter(|_| !self.too_much) {
            piece.bytes.extend_from_slice(bytes);
            piece.size += bytes.len();
            self.size += bytes.len();
        }
    }

    fn grow(&mut self, bytes: usize) {
        if let Some(piece) = self.pieces.back_mut() {
            (piece.size, self.size) = (piece.size + bytes, self.size + bytes);
        }
        self.make_room();
    }

    fn make_room(&mut self) {
        while self.size > self.most {
            if self.pieces.len() > 1 {
                self.forget_piece();
            } else {
                self.give_up();
            }
        }
        if self.pieces.front().is_some_and(|piece| piece.first > self.batch) {
            self.give_up();
        }
    }

    fn forget_piece(&mut self) {
        let Some(mut piece) = self.pieces.pop_front() else { return };
        self.size -= piece.size;
        if piece.bytes.capacity() <= 2 * PIECE {
            piece.bytes.clear();
            piece.things.clear();
            self.spare =
                Some(Piece { bytes: piece.bytes, things: piece.things, ..Piece::default() });
        }
    }

    /// The running batch is too much: nothing before its end can be known.
    pub(crate) fn give_up(&mut self) {
        self.pieces.clear();
        (self.size, self.too_much) = (0, true);
    }

    /// Drops the end of the piece that is being written.
    fn cut(&mut self, bytes: usize, things: usize) {
        let Some(piece) = self.pieces.back_mut() else { return };
        let mut dropped = piece.bytes.len().saturating_sub(bytes);
        piece.bytes.truncate(bytes);
        let gone = piece.things.drain(things.min(piece.things.len())..);
        dropped += gone.map(|(_, bytes)| bytes).sum::<usize>();
        piece.size -= dropped;
        self.size -= dropped;
    }
}

impl Piece {
    /// The record that ends at a place in the bytes and the things, and where it begins.
    fn before(&self, end: usize, things: usize) -> Option<(Record<'_>, usize, usize)> {
        let (&kind, rest) = self.bytes[..end].split_last()?;
        if kind == END {
            let (rest, numbers) = rest.split_last_chunk::<16>()?;
            let (at_us, write) = numbers.split_at(8);
            let number = |bytes: &[u8]| bytes.try_into().map_or(0, u64::from_le_bytes);
            let record = Record::End { at_us: number(at_us), write: number(write) };
            return Some((record, rest.len(), things));
        }
        let (rest, frame) = rest.split_last_chunk::<{ FRAME_LENGTH - 1 }>()?;
        let length =
            |at: usize| frame[at..at + 4].try_into().map_or(0, u32::from_le_bytes) as usize;
        let (rest, expires_at_ms) = if kind & EXPIRES == 0 {
            (rest, None)
        } else {
            let (rest, at_ms) = rest.split_last_chunk()?;
            (rest, Some(u64::from_le_bytes(*at_ms)))
        };
        let (rest, key) = rest.split_at(rest.len() - length(4));
        let (before, steps) = rest.split_at(rest.len() - length(0));
        let first = things - length(8);
        let change = Change {
            database: frame[12].into(),
            key: Bytes::copy_from_slice(key),
            expires_at_ms,
            was: match kind & !EXPIRES {
                ABSENT => Was::Absent,
                WHOLE => Was::Whole,
                _ => Was::Changed,
            },
            steps: Steps { bytes: steps, things: &self.things[first..things] },
        };
        Some((Record::Change(change), before.len(), first))
    }
}

impl<'a> Steps<'a> {
    /// What [`Log::tag`] wrote; `None` at the end.
    pub(super) fn tag(&mut self) -> Option<u8> {
        let (tag, rest) = self.bytes.split_first()?;
        self.bytes = rest;
        Some(*tag)
    }

    pub(super) fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.tag()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                break;
            }
        }
        Some(number)
    }

    pub(super) fn place(&mut self) -> Option<usize> {
        self.number().and_then(|place| usize::try_from(place).ok())
    }

    pub(super) fn text(&mut self) -> Option<Bytes> {
        let length = self.place()?;
        if length <= COPIED {
            let (text, rest) = self.bytes.split_at_checked(length)?;
            self.bytes = rest;
            return Some(Bytes::copy_from_slice(text));
        }
        self.thing().cloned()
    }

    /// The thing that was kept last.
    pub(super) fn last_thing<T: 'static>(&self) -> Option<&'a T> {
        self.things.last().and_then(|(thing, _)| thing.downcast_ref())
    }

    /// What [`Log::thing`] kept.
    pub(super) fn thing<T: 'static>(&mut self) -> Option<&'a T> {
        let ((thing, _), rest) = self.things.split_first()?;
        self.things = rest;
        thing.downcast_ref()
    }
}

impl Trace {
    /// Adds a step, if they are collected.
    pub(crate) fn note(&mut self, write: impl FnOnce(&mut Log)) {
        if let Some(log) = &mut self.0 {
            log.step(write);
        }
    }
}
