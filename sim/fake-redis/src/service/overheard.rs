//! What a script has run, to be shown to monitors behind it.

use bytes::Bytes;

/// What monitors may be shown of one script, in bytes. Whoever would be shown more is disconnected,
/// as one who does not read.
const MOST: usize = 16 << 20;

/// The commands of one script, each with the number of the database.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Overheard {
    commands: Vec<(usize, Vec<Bytes>)>,
    bytes: usize,
}

impl Overheard {
    pub(crate) fn add(&mut self, database: usize, words: &[Bytes]) {
        if self.is_too_much() {
            return;
        }
        let word = |word: &Bytes| word.len() + size_of::<Bytes>();
        self.bytes += size_of::<(usize, Vec<Bytes>)>() + words.iter().map(word).sum::<usize>();
        if self.is_too_much() {
            self.commands = Vec::new();
        } else {
            self.commands.push((database, words.to_vec()));
        }
    }

    /// Whether it is more than is kept, so that nothing is.
    pub(crate) fn is_too_much(&self) -> bool {
        self.bytes > MOST
    }

    pub(crate) fn into_commands(self) -> Vec<(usize, Vec<Bytes>)> {
        self.commands
    }
}
