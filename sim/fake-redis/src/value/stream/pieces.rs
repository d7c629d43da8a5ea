//! How Redis cuts a stream into pieces: what an inexact trim removes whole.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;

use super::{EntryId, read_id, write_id};
use crate::{
    command,
    value::log::{Log, Steps, Trace},
};

/// The pieces of one stream, by the identifier with which each began.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Pieces(BTreeMap<EntryId, Piece>);

/// How large a piece may become: `stream-node-max-entries` and `stream-node-max-bytes`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct PieceLimits {
    /// 0 for any number.
    pub(crate) entries: u64,
    /// 0 for the greatest number there is.
    pub(crate) bytes: u64,
}

impl Default for PieceLimits {
    fn default() -> Self {
        Self { entries: 100, bytes: 4_096 }
    }
}

/// What a piece takes at most, whatever the settings say.
const LARGEST: u64 = 1 << 30;
/// What an empty list takes in memory, in Redis's packed form.
const EMPTY_LIST: u64 = 7;
/// How long the key of a piece is: its first identifier.
const KEY: usize = 16;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Piece {
    /// The last entry that was put in, deleted or not.
    last: EntryId,
    live: u64,
    deleted: u64,
    /// What it takes in Redis, without the two counts.
    bytes: u64,
    /// The names in its first entry: whoever has the same does not repeat them.
    names: Arc<[Bytes]>,
}

/// What takes back one change: the piece that began there, if there was one.
pub(super) struct PieceStep {
    begin: EntryId,
    was: Option<Piece>,
    /// Those that it had, unless they have stayed.
    names: Option<Arc<[Bytes]>>,
}

/// How a step is written. A stream's own tags come behind these.
const ABSENT: u8 = 0;
const COUNTS: u8 = 1;
const WHOLE: u8 = 2;
pub(super) const TAGS: u8 = 3;

impl Pieces {
    /// Puts in an entry, behind all others.
    pub(super) fn add(
        &mut self,
        id: EntryId,
        fields: &[Bytes],
        limits: PieceLimits,
        trace: &mut Trace,
    ) {
        if let Some(mut end) = self.0.last_entry()
            && !end.get().is_full(fields, limits)
        {
            let begin = *end.key();
            trace.note(|log| end.get().write_counts(begin, log));
            end.get_mut().add(begin, id, fields);
            return;
        }
        trace.note(|log| {
            log.tag(ABSENT);
            write_id(log, id);
        });
        let mut piece = Piece::new(id, fields);
        piece.add(id, id, fields);
        self.0.insert(id, piece);
    }

    /// Takes out an entry that was there.
    pub(super) fn delete(&mut self, id: EntryId, trace: &mut Trace) {
        let Some((&begin, piece)) = self.0.range_mut(..=id).next_back() else { return };
        if piece.live > 1 {
            trace.note(|log| piece.write_counts(begin, log));
            piece.live -= 1;
            piece.deleted += 1;
        } else if let Some(piece) = self.0.remove(&begin) {
            trace.note(|log| piece.write(begin, log));
        }
    }

    /// Reads a step behind its tag.
    pub(super) fn read(tag: u8, steps: &mut Steps<'_>) -> Option<PieceStep> {
        let begin = read_id(steps)?;
        if tag == ABSENT {
            return Some(PieceStep { begin, was: None, names: None });
        }
        let was = Piece {
            last: read_id(steps)?,
            live: steps.number()?,
            deleted: steps.number()?,
            bytes: steps.number()?,
            names: Arc::default(),
        };
        let names = (tag == WHOLE).then(|| {
            let number = steps.place()?;
            (0..number).map(|_| steps.text()).collect::<Option<Arc<[Bytes]>>>()
        });
        Some(PieceStep { begin, was: Some(was), names: names.flatten() })
    }

    pub(super) fn undo(&mut self, step: PieceStep) {
        let PieceStep { begin, was, names } = step;
        let Some(was) = was else { return drop(self.0.remove(&begin)) };
        let names = names.or_else(|| Some(Arc::clone(&self.0.get(&begin)?.names)));
        self.0.insert(begin, Piece { names: names.unwrap_or_default(), ..was });
    }

    /// How many entries a trim by whole pieces removes, at most `limit`: those that `goes` accepts,
    /// which is told how many are left before a piece, how many it has, and its last one.
    pub(crate) fn surplus(
        &self,
        length: u64,
        limit: u64,
        goes: impl Fn(u64, u64, EntryId) -> bool,
    ) -> u64 {
        let mut removed = 0;
        for piece in self.0.values() {
            if removed + piece.live > limit || !goes(length - removed, piece.live, piece.last) {
                break;
            }
            removed += piece.live;
        }
        removed
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// How many nodes the tree has in which Redis keeps them.
    pub(crate) fn nodes(&self) -> usize {
        let keys: Vec<_> = self.0.keys().map(key).collect();
        1 + nodes_below(&keys, 0) - usize::from(!keys.is_empty())
    }
}

/// The nodes of a tree of these sorted keys, which are equal up to `depth`.
fn nodes_below(keys: &[[u8; KEY]], depth: usize) -> usize {
    let [first, .., last] = keys else {
        // What is left of a lone key is in one node, and its value in another.
        return keys.len() * (1 + usize::from(depth < KEY));
    };
    let same = first[depth..].iter().zip(&last[depth..]).take_while(|(a, b)| a == b).count();
    let fork = depth + same;
    let branches = keys.chunk_by(|a, b| a[fork] == b[fork]);
    let below: usize = branches.map(|keys| nodes_below(keys, fork + 1)).sum();
    usize::from(same > 0) + 1 + below
}

fn key(id: &EntryId) -> [u8; KEY] {
    let mut key = [0; KEY];
    key[..8].copy_from_slice(&id.millis.to_be_bytes());
    key[8..].copy_from_slice(&id.sequence.to_be_bytes());
    key
}

impl Piece {
    /// Writes what it is, but for the names, which stay.
    fn write_counts(&self, begin: EntryId, log: &mut Log) {
        log.tag(COUNTS);
        self.write_numbers(begin, log);
    }

    fn write(&self, begin: EntryId, log: &mut Log) {
        log.tag(WHOLE);
        self.write_numbers(begin, log);
        log.place(self.names.len());
        self.names.iter().for_each(|name| log.text(name));
    }

    fn write_numbers(&self, begin: EntryId, log: &mut Log) {
        write_id(log, begin);
        write_id(log, self.last);
        [self.live, self.deleted, self.bytes].into_iter().for_each(|number| log.number(number));
    }

    fn new(id: EntryId, fields: &[Bytes]) -> Self {
        let names: Arc<[Bytes]> = fields.iter().step_by(2).cloned().collect();
        let sizes: u64 = names.iter().map(size_of_text).sum();
        // Their number before them, and a 0 behind.
        let bytes = EMPTY_LIST + size_of_number(as_signed(names.len())) + sizes + size_of_number(0);
        Self { last: id, live: 0, deleted: 0, bytes, names }
    }

    fn is_full(&self, fields: &[Bytes], limits: PieceLimits) -> bool {
        let most = if limits.bytes == 0 { LARGEST } else { limits.bytes.min(LARGEST) };
        let texts: usize = fields.iter().map(Bytes::len).sum();
        let counts = [self.live, self.deleted].map(|it| size_of_number(it.cast_signed()));
        let bytes = self.bytes + counts.iter().sum::<u64>() + texts as u64;
        bytes >= most || limits.entries > 0 && self.live + self.deleted >= limits.entries
    }

    fn add(&mut self, begin: EntryId, id: EntryId, fields: &[Bytes]) {
        let same = self.names.iter().eq(fields.iter().step_by(2));
        let names = fields.len() / 2;
        let since =
            [id.millis.wrapping_sub(begin.millis), id.sequence.wrapping_sub(begin.sequence)];
        // The flags, both parts of the identifier, and how many parts there are.
        let frame = size_of_number(0)
            + since.iter().map(|part| size_of_number(part.cast_signed())).sum::<u64>()
            + size_of_number(as_signed(if same { names + 3 } else { 2 * names + 4 }));
        let texts: u64 = if same {
            fields.iter().skip(1).step_by(2).map(size_of_text).sum()
        } else {
            size_of_number(as_signed(names)) + fields.iter().map(size_of_text).sum::<u64>()
        };
        self.bytes += frame + texts;
        self.last = id;
        self.live += 1;
    }
}

fn as_signed(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}

/// What a part of a packed list takes.
fn size_of_text(text: &Bytes) -> u64 {
    if let Ok(number) = command::integer(text) {
        return size_of_number(number);
    }
    let length = text.len() as u64;
    let head = match length {
        0..64 => 1,
        64..4_096 => 2,
        _ => 5,
    };
    with_length_behind(head + length)
}

fn size_of_number(number: i64) -> u64 {
    with_length_behind(match number {
        0..=127 => 1,
        -4_096..=4_095 => 2,
        -0x8000..=0x7fff => 3,
        -0x0080_0000..=0x007f_ffff => 4,
        -0x8000_0000..=0x7fff_ffff => 5,
        _ => 9,
    })
}

/// Each part is followed by its length, in seven bits a byte.
fn with_length_behind(length: u64) -> u64 {
    length
        + match length {
            0..=0x7f => 1,
            0x80..=0x3ffe => 2,
            0x3fff..=0x1f_fffe => 3,
            0x1f_ffff..=0xfff_fffe => 4,
            _ => 5,
        }
}
