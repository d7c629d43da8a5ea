//! A stream: entries in the order of their identifiers, and the groups that read them.

mod pieces;

use std::{collections::BTreeMap, fmt, str};

use bytes::Bytes;

pub(crate) use pieces::PieceLimits;

use pieces::Pieces;

/// The identifier of an entry: milliseconds, and a number among those of one millisecond.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryId {
    /// Milliseconds, by default since the Unix epoch.
    pub millis: u64,
    /// Which of the entries of this millisecond.
    pub sequence: u64,
}

/// The names and values of an entry, in turn.
pub type EntryFields = Vec<Bytes>;

/// A stream. It may be empty, unlike other collections.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Stream {
    /// What it holds.
    pub entries: BTreeMap<EntryId, EntryFields>,
    /// The highest identifier that was ever given.
    pub last_id: EntryId,
    /// How many entries were ever added.
    pub added: u64,
    /// The highest identifier that was deleted.
    pub max_deleted: EntryId,
    /// By name.
    pub groups: BTreeMap<Bytes, ConsumerGroup>,
    pieces: Pieces,
}

/// Consumers who share the entries of a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ConsumerGroup {
    /// The last entry that was delivered.
    pub last_id: EntryId,
    /// How many entries were delivered, if it is known.
    pub read: Option<u64>,
    /// What was delivered and not acknowledged.
    pub pending: BTreeMap<EntryId, Pending>,
    /// When each was last seen, in milliseconds since the Unix epoch.
    pub consumers: BTreeMap<Bytes, u64>,
}

/// An entry that was delivered and not acknowledged.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pending {
    /// To whom.
    pub consumer: Bytes,
    /// When, in milliseconds since the Unix epoch.
    pub delivered_ms: u64,
    /// How often.
    pub deliveries: u64,
}

impl EntryId {
    /// The least one.
    pub const MIN: Self = Self { millis: 0, sequence: 0 };
    /// The greatest one.
    pub const MAX: Self = Self { millis: u64::MAX, sequence: u64::MAX };

    /// The one that follows.
    #[must_use]
    pub fn next(self) -> Option<Self> {
        match self.sequence.checked_add(1) {
            Some(sequence) => Some(Self { sequence, ..self }),
            None => Some(Self { millis: self.millis.checked_add(1)?, sequence: 0 }),
        }
    }

    /// The one before.
    #[must_use]
    pub fn previous(self) -> Option<Self> {
        match self.sequence.checked_sub(1) {
            Some(sequence) => Some(Self { sequence, ..self }),
            None => Some(Self { millis: self.millis.checked_sub(1)?, sequence: u64::MAX }),
        }
    }

    /// `millis-sequence`, or `millis` alone, for which `sequence` stands in.
    #[must_use]
    pub fn parse(text: &[u8], sequence: u64) -> Option<Self> {
        let text = str::from_utf8(text).ok()?;
        // As C reads a number: behind blanks and a plus sign.
        let number = |text: &str| {
            let text = text.trim_ascii_start();
            let digits = text.strip_prefix('+').unwrap_or(text);
            digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
        };
        match text.split_once('-') {
            Some((millis, sequence)) => {
                Some(Self { millis: number(millis)?, sequence: number(sequence)? })
            }
            None => Some(Self { millis: number(text)?, sequence }),
        }
    }
}

impl fmt::Display for EntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.millis, self.sequence)
    }
}

impl Stream {
    /// Adds an entry behind all others.
    pub(crate) fn add(&mut self, id: EntryId, fields: EntryFields, limits: PieceLimits) {
        self.pieces.add(id, &fields, limits);
        self.entries.insert(id, fields);
        self.last_id = id;
        self.added = self.added.saturating_add(1);
    }

    /// Takes off the first entries. That is no deletion: it leaves no gap.
    pub(crate) fn trim(&mut self, surplus: usize) {
        for _ in 0..surplus {
            let Some((id, _)) = self.entries.pop_first() else { return };
            self.pieces.delete(id);
        }
    }

    pub(crate) fn pieces(&self) -> &Pieces {
        &self.pieces
    }

    /// Removes an entry; whether it was there.
    pub fn delete(&mut self, id: EntryId) -> bool {
        let deleted = self.entries.remove(&id).is_some();
        if deleted {
            self.pieces.delete(id);
            self.max_deleted = self.max_deleted.max(id);
        }
        deleted
    }

    /// Whether an entry from `id` on may have been deleted.
    #[must_use]
    pub fn has_gap_from(&self, id: EntryId) -> bool {
        let deleted = !self.entries.is_empty() && self.max_deleted > EntryId::MIN;
        deleted && id <= self.max_deleted
    }

    /// The first entry that is left, or the least identifier.
    #[must_use]
    pub fn first_id(&self) -> EntryId {
        self.entries.first_key_value().map_or(EntryId::MIN, |(id, _)| *id)
    }

    /// How many entries were ever added up to `id`, if that can be told.
    #[must_use]
    pub fn added_up_to(&self, id: EntryId) -> Option<u64> {
        let length = self.entries.len() as u64;
        if self.added == 0 {
            return Some(0);
        }
        if self.entries.is_empty() && id <= self.last_id {
            return Some(self.added);
        }
        if id != EntryId::MIN && id < self.max_deleted {
            return None;
        }
        let first = self.first_id();
        match id.cmp(&self.last_id) {
            std::cmp::Ordering::Equal => return Some(self.added),
            std::cmp::Ordering::Greater => return None,
            std::cmp::Ordering::Less => {}
        }
        let none_deleted = self.max_deleted == EntryId::MIN || self.max_deleted < first;
        match id.cmp(&first) {
            std::cmp::Ordering::Less if none_deleted => Some(self.added - length),
            std::cmp::Ordering::Equal if none_deleted => Some(self.added - length + 1),
            _ => None,
        }
    }
}

impl ConsumerGroup {
    /// Counts the delivery of an entry of `stream` that is new to the group.
    pub(crate) fn note_delivery(&mut self, stream: &Stream, id: EntryId) {
        self.read = match self.read {
            Some(read) if !stream.has_gap_from(id) => Some(read.saturating_add(1)),
            _ => stream.added_up_to(id),
        };
        self.last_id = id;
    }
}
