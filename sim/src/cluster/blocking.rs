//! Polls in which the thread gave its core away: a sleep, a blocking wait, a file or a socket.

use std::collections::BTreeSet;

/// In which polls, by number, the thread waited for something.
///
/// Memory that is paged in makes it wait too, now and then; only what waits in every repetition of
/// a run is the program's doing.
#[derive(Debug, Default)]
pub(super) struct Switches {
    polls: u64,
    before: i64,
    waited: BTreeSet<u64>,
}

impl Switches {
    /// A poll begins.
    pub(super) fn begin(&mut self) {
        self.polls += 1;
        self.before = voluntary();
    }

    /// It ends.
    pub(super) fn end(&mut self) {
        if voluntary() != self.before {
            self.waited.insert(self.polls);
        }
    }

    /// In which polls the thread waited.
    pub(super) fn into_waited(self) -> BTreeSet<u64> {
        self.waited
    }
}

/// How often this thread has given its core away of its own accord.
#[cfg(target_os = "linux")]
fn voluntary() -> i64 {
    use nix::sys::resource::{UsageWho, getrusage};

    getrusage(UsageWho::RUSAGE_THREAD).map_or(0, |usage| usage.voluntary_context_switches())
}

/// Not known here.
#[cfg(not(target_os = "linux"))]
fn voluntary() -> i64 {
    0
}
