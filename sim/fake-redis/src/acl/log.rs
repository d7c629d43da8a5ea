//! What was denied, and to whom: `ACL LOG`.

use std::collections::VecDeque;

use bytes::Bytes;

use super::selector::Denial;
use crate::command::Spec;

/// Why something is in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Reason {
    Auth,
    Channel,
    Command,
    Key,
}

/// From where a command came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Context {
    Lua,
    Multi,
    TopLevel,
}

/// One thing that was denied.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Denied {
    pub(crate) reason: Reason,
    pub(crate) context: Context,
    /// The command, the key or the channel; or `AUTH`.
    pub(crate) object: Bytes,
}

impl Denied {
    pub(crate) fn new(denial: Denial, context: Context, spec: &Spec) -> Self {
        let (reason, object) = match denial {
            Denial::Command => (Reason::Command, full_name(spec).into()),
            Denial::Key(key) => (Reason::Key, key),
            Denial::Channel(channel) => (Reason::Channel, channel),
        };
        Self { reason, context, object }
    }
}

/// A command as it is named to a user.
pub(crate) fn full_name(spec: &Spec) -> String {
    match spec.place() {
        (Some(container), "") => container.into(),
        (container, _) => spec.full_name(container),
    }
}

/// A line of the log.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Line {
    pub(crate) denied: Denied,
    pub(crate) user: Bytes,
    pub(crate) count: u64,
    pub(crate) at_us: u64,
    pub(crate) client: String,
}

/// The log, latest first.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Log {
    lines: VecDeque<Line>,
    /// How many lines it keeps.
    pub(crate) most: usize,
}

impl Default for Log {
    fn default() -> Self {
        Self { lines: VecDeque::new(), most: 128 }
    }
}

/// For how long the same again is counted instead of being listed.
const SAME_US: u64 = 60_000_000;
/// How many lines are looked at for that.
const LOOKED_AT: usize = 10;

impl Log {
    pub(crate) fn add(&mut self, now_us: u64, denied: Denied, user: Bytes, client: String) {
        let same = |line: &Line| {
            let recent = now_us.saturating_sub(line.at_us) <= SAME_US;
            recent && line.denied == denied && line.user == user
        };
        let known = self.lines.iter().take(LOOKED_AT).position(same);
        let count = known.and_then(|at| self.lines.remove(at)).map_or(1, |line| line.count + 1);
        self.lines.push_front(Line { denied, user, count, at_us: now_us, client });
        self.lines.truncate(self.most);
    }

    pub(crate) fn clear(&mut self) {
        self.lines.clear();
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter()
    }
}
