//! A stream: entries in the order of their identifiers, and the groups that read them.

mod pieces;

use std::{collections::BTreeMap, fmt, iter, mem, str};

use bytes::Bytes;

pub(crate) use pieces::PieceLimits;

use super::{
    ELEMENT,
    aside::Aside,
    log::{Log, Steps, Trace},
    map::{Map, MapStep},
};
use pieces::{PieceStep, Pieces};

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
    /// What it holds: changed by [`Self::add`] and its like.
    pub(crate) entries: BTreeMap<EntryId, EntryFields>,
    /// The highest identifier that was ever given.
    pub last_id: EntryId,
    /// How many entries were ever added.
    pub added: u64,
    /// The highest identifier that was deleted.
    pub max_deleted: EntryId,
    /// By name.
    pub groups: Map<Bytes, ConsumerGroup>,
    pieces: Pieces,
    trace: Trace,
    /// What it was when that began.
    heads: Aside<Heads>,
}

/// The last identifier, how many entries were added, the highest that was deleted.
type Heads = (EntryId, u64, EntryId);

/// Consumers who share the entries of a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ConsumerGroup {
    /// The last entry that was delivered.
    pub last_id: EntryId,
    /// How many entries were delivered, if it is known.
    pub read: Option<u64>,
    /// What was delivered and not acknowledged.
    pub pending: Map<EntryId, Pending>,
    /// When each was last seen, in milliseconds since the Unix epoch.
    pub consumers: Map<Bytes, u64>,
    trace: Aside<(EntryId, Option<u64>)>,
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

/// What takes back one step.
enum Step {
    /// Removes the last entry.
    Remove,
    Insert(EntryId, EntryFields),
    Piece(PieceStep),
    Heads(Heads),
}

/// How each is written.
const REMOVE: u8 = pieces::TAGS;
const INSERT: u8 = pieces::TAGS + 1;
const HEADS: u8 = pieces::TAGS + 2;

/// What takes back one change of the groups.
struct GroupChanges {
    groups: Vec<MapStep<Bytes, ConsumerGroup>>,
    within: Vec<(Bytes, GroupSteps)>,
}

/// What takes back one change of a group.
#[derive(Debug)]
struct GroupSteps {
    heads: (EntryId, Option<u64>),
    pending: Vec<MapStep<EntryId, Pending>>,
    consumers: Vec<MapStep<Bytes, u64>>,
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
        self.pieces.add(id, &fields, limits, &mut self.trace);
        self.entries.insert(id, fields);
        self.trace.note(|log| log.tag(REMOVE));
        self.last_id = id;
        self.added = self.added.saturating_add(1);
    }

    /// Takes off the first entries. That is no deletion: it leaves no gap.
    pub(crate) fn trim(&mut self, surplus: usize) {
        for _ in 0..surplus {
            let Some((id, fields)) = self.entries.pop_first() else { return };
            self.note_removed(id, &fields);
        }
    }

    fn note_removed(&mut self, id: EntryId, fields: &[Bytes]) {
        self.trace.note(|log| {
            log.tag(INSERT);
            write_id(log, id);
            log.place(fields.len());
            fields.iter().for_each(|field| log.text(field));
        });
        self.pieces.delete(id, &mut self.trace);
    }

    /// What it holds.
    #[must_use]
    pub fn entries(&self) -> &BTreeMap<EntryId, EntryFields> {
        &self.entries
    }

    pub(crate) fn pieces(&self) -> &Pieces {
        &self.pieces
    }

    /// Removes an entry; whether it was there.
    pub fn delete(&mut self, id: EntryId) -> bool {
        let deleted = self.entries.remove(&id);
        if let Some(fields) = &deleted {
            self.note_removed(id, fields);
            self.max_deleted = self.max_deleted.max(id);
        }
        deleted.is_some()
    }

    /// Whether an entry from `id` on may have been deleted.
    #[must_use]
    pub(crate) fn has_gap_from(&self, id: EntryId) -> bool {
        let deleted = !self.entries.is_empty() && self.max_deleted > EntryId::MIN;
        deleted && id <= self.max_deleted
    }

    /// The first entry that is left, or the least identifier.
    #[must_use]
    pub(crate) fn first_id(&self) -> EntryId {
        self.entries.first_key_value().map_or(EntryId::MIN, |(id, _)| *id)
    }

    /// How many entries were ever added up to `id`, if that can be told.
    #[must_use]
    pub(crate) fn added_up_to(&self, id: EntryId) -> Option<u64> {
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

impl Stream {
    /// Works on a group, and on the stream without it.
    pub(crate) fn in_group<R>(
        &mut self,
        name: &Bytes,
        work: impl FnOnce(&mut ConsumerGroup, &Self) -> R,
    ) -> Option<R> {
        let mut group = mem::take(self.groups.within(name)?);
        let result = work(&mut group, self);
        *self.groups.within(name)? = group;
        Some(result)
    }

    /// Begins to note how it changes.
    pub(super) fn begin_trace(&mut self) -> &mut Trace {
        self.heads.0 = Some(self.heads());
        self.groups.begin_trace();
        self.groups.all_within().for_each(|(_, group)| group.begin_trace());
        &mut self.trace
    }

    pub(super) fn trace(&mut self) -> &mut Trace {
        &mut self.trace
    }

    /// Writes what it has not noted itself.
    pub(super) fn end_trace(&mut self, log: &mut Log) {
        if let Some(heads) = self.heads.0.take().filter(|heads| *heads != self.heads()) {
            log.tag(HEADS);
            write_id(log, heads.0);
            log.number(heads.1);
            write_id(log, heads.2);
        }
        let within = self.groups.all_within();
        let within = within.filter_map(|(name, group)| Some((name.clone(), group.end_trace()?)));
        let within: Vec<_> = within.collect();
        let groups = self.groups.end_trace();
        if !groups.is_empty() || !within.is_empty() {
            let changes = GroupChanges { groups, within };
            let bytes = changes.bytes();
            log.thing(changes, bytes);
        }
    }

    pub(super) fn undo(&mut self, mut steps: Steps<'_>) {
        let read: Vec<_> = iter::from_fn(|| Step::read(&mut steps)).collect();
        for step in read.into_iter().rev() {
            match step {
                Step::Remove => drop(self.entries.pop_last()),
                Step::Insert(id, fields) => drop(self.entries.insert(id, fields)),
                Step::Piece(step) => self.pieces.undo(step),
                Step::Heads(heads) => (self.last_id, self.added, self.max_deleted) = heads,
            }
        }
        let Some(GroupChanges { groups, within }) = steps.last_thing() else { return };
        self.groups.undo(groups);
        for (name, steps) in within {
            if let Some(group) = self.groups.within(name) {
                group.undo(steps);
            }
        }
    }

    fn heads(&self) -> Heads {
        (self.last_id, self.added, self.max_deleted)
    }

    pub(super) fn bytes(&self) -> usize {
        let entries: usize = self.entries.values().map(size_of_entry).sum();
        let groups = self.groups.iter().map(|(name, group)| name.len() + group.bytes());
        ELEMENT + entries + groups.sum::<usize>()
    }
}

fn size_of_entry(fields: &EntryFields) -> usize {
    ELEMENT + fields.iter().map(|field| field.len() + ELEMENT).sum::<usize>()
}

impl Step {
    fn read(steps: &mut Steps<'_>) -> Option<Self> {
        Some(match steps.tag()? {
            REMOVE => Self::Remove,
            INSERT => {
                let (id, number) = (read_id(steps)?, steps.place()?);
                let fields = (0..number).map(|_| steps.text()).collect::<Option<_>>();
                Self::Insert(id, fields?)
            }
            HEADS => Self::Heads((read_id(steps)?, steps.number()?, read_id(steps)?)),
            tag => Self::Piece(Pieces::read(tag, steps)?),
        })
    }
}

fn write_id(log: &mut Log, id: EntryId) {
    log.number(id.millis);
    log.number(id.sequence);
}

fn read_id(steps: &mut Steps<'_>) -> Option<EntryId> {
    Some(EntryId { millis: steps.number()?, sequence: steps.number()? })
}

impl GroupChanges {
    fn bytes(&self) -> usize {
        let groups = self.groups.iter();
        let groups = groups.map(|(_, old)| ELEMENT + old.as_ref().map_or(0, ConsumerGroup::bytes));
        let within = self.within.iter().map(|(name, steps)| name.len() + steps.bytes());
        groups.chain(within).sum()
    }
}

impl GroupSteps {
    fn bytes(&self) -> usize {
        let pending = self
            .pending
            .iter()
            .map(|(_, old)| 2 * ELEMENT + old.as_ref().map_or(0, |pending| pending.consumer.len()));
        let consumers = self.consumers.iter().map(|(name, _)| name.len() + ELEMENT);
        2 * ELEMENT + pending.chain(consumers).sum::<usize>()
    }
}

impl ConsumerGroup {
    fn begin_trace(&mut self) {
        self.trace = Aside(Some((self.last_id, self.read)));
        self.pending.begin_trace();
        self.consumers.begin_trace();
    }

    fn end_trace(&mut self) -> Option<GroupSteps> {
        let heads = self.trace.0.take()?;
        let (pending, consumers) = (self.pending.end_trace(), self.consumers.end_trace());
        let same = pending.is_empty() && consumers.is_empty() && heads == (self.last_id, self.read);
        (!same).then_some(GroupSteps { heads, pending, consumers })
    }

    fn undo(&mut self, steps: &GroupSteps) {
        (self.last_id, self.read) = steps.heads;
        self.pending.undo(&steps.pending);
        self.consumers.undo(&steps.consumers);
    }

    fn bytes(&self) -> usize {
        let pending = self.pending.values().map(|it| it.consumer.len() + 2 * ELEMENT);
        let consumers = self.consumers.keys().map(|name| name.len() + ELEMENT);
        ELEMENT + pending.chain(consumers).sum::<usize>()
    }

    /// Counts the delivery of an entry of `stream` that is new to the group.
    pub(crate) fn note_delivery(&mut self, stream: &Stream, id: EntryId) {
        self.read = match self.read {
            Some(read) if !stream.has_gap_from(id) => Some(read.saturating_add(1)),
            _ => stream.added_up_to(id),
        };
        self.last_id = id;
    }
}
