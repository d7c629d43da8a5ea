//! The commands that took long: `SLOWLOG`.

use std::collections::VecDeque;

use bytes::Bytes;

/// The commands that took long, latest first.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct SlowLog {
    /// From how many microseconds on; below 0: none.
    pub(crate) slower_than_us: i64,
    most: usize,
    made: u64,
    lines: VecDeque<SlowCommand>,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct SlowCommand {
    pub(crate) number: u64,
    pub(crate) at_s: u64,
    pub(crate) took_us: u64,
    pub(crate) arguments: Vec<Bytes>,
    pub(crate) address: String,
    pub(crate) name: Bytes,
}

impl Default for SlowLog {
    fn default() -> Self {
        Self { slower_than_us: 10_000, most: 128, made: 0, lines: VecDeque::new() }
    }
}

impl SlowLog {
    pub(crate) fn wants(&self, took_us: u64) -> bool {
        u64::try_from(self.slower_than_us).is_ok_and(|least_us| took_us >= least_us)
    }

    /// Adds a command, whose number it gives.
    pub(crate) fn add(&mut self, command: SlowCommand) {
        let number = self.made;
        self.made += 1;
        self.lines.push_front(SlowCommand { number, ..command });
        self.lines.truncate(self.most);
    }

    pub(crate) fn limit(&mut self, most: usize) {
        self.most = most;
        self.lines.truncate(most);
    }

    pub(crate) fn clear(&mut self) {
        self.lines.clear();
    }

    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = &SlowCommand> {
        self.lines.iter()
    }
}
