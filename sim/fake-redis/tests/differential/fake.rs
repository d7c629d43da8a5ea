//! The fake: a server as a value, with a few connections and a clock.

use std::collections::BTreeSet;

use bytes::Bytes;
use leasehold_fake_redis::{Executed, Protocol, Server, SessionId};

use crate::{
    compare::is,
    reply::Reply,
    settings::is_our_refusal,
    step::{SESSIONS, effective},
};

/// 2023, so that relative and absolute times differ.
pub(crate) const START_MS: i64 = 1_700_000_000_000;

/// Half a millisecond into one, so that rounding would be seen.
pub(crate) const START_US: u64 = 1_700_000_000_000_500;

pub(crate) struct Fake {
    server: Server,
    sessions: [SessionId; SESSIONS],
    /// What each session waits with.
    blocked: [Option<Vec<Bytes>>; SESSIONS],
    /// Whether each has queued a command that wakes waiters in an order of the server's own.
    swaps: [bool; SESSIONS],
    /// Whether each has asked for events of keys.
    hears_keys: [bool; SESSIONS],
    now_us: u64,
}

/// What came of a step.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// To the session that sent it.
    pub(crate) replies: Vec<Reply>,
    /// That session waits now.
    pub(crate) blocks: bool,
    /// What came to any session besides, in order.
    pub(crate) deliveries: Vec<(usize, Reply)>,
}

impl Fake {
    pub(crate) fn new() -> Self {
        let mut server = Server::default();
        let sessions = std::array::from_fn(|_| server.connect());
        Self {
            server,
            sessions,
            blocked: [const { None }; SESSIONS],
            swaps: [false; SESSIONS],
            hears_keys: [false; SESSIONS],
            now_us: START_US,
        }
    }

    /// Whether the session waits, and so cannot send.
    pub(crate) fn is_blocked(&self, session: usize) -> bool {
        self.blocked[session].is_some()
    }

    /// Whether the command exchanges all keys while several are waited for: a real server sees to
    /// them in the order of a table of hashes. In a transaction, also whether it clears them: what
    /// comes behind that may tell the order.
    pub(crate) fn would_wake_at_random(&mut self, session: usize, words: &[Bytes]) -> bool {
        let is_one_of = |names: &[&str]| names.iter().any(|name| is(effective(words), &[name]));
        let runs = is_one_of(&["SWAPDB"]) || is(words, &["EXEC"]) && self.swaps[session];
        // Queued or not: one look too many does no harm.
        self.swaps[session] |= is_one_of(&["SWAPDB", "FLUSHALL", "FLUSHDB"]);
        runs && self.awaited().len() > 1
    }

    fn awaited(&self) -> BTreeSet<Reply> {
        let mut keys = BTreeSet::new();
        for words in self.blocked.iter().flatten() {
            let asked = [&["COMMAND".into(), "GETKEYS".into()][..], words].concat();
            if let Some(Reply::Array(found)) = Self::new().execute(0, &asked).replies.pop() {
                keys.extend(found);
            }
        }
        keys
    }

    pub(crate) fn execute(&mut self, session: usize, words: &[Bytes]) -> Outcome {
        let executed = self.server.execute(self.now_us, self.sessions[session], words);
        let mut outcome = Outcome::default();
        match executed {
            Executed::Blocked => {
                self.blocked[session] = Some(words.to_vec());
                outcome.blocks = true;
            }
            Executed::Replies(replies) => {
                let protocol = self.server.protocol(self.sessions[session]);
                outcome.replies =
                    replies.into_iter().map(|reply| Reply::of(reply, protocol)).collect();
            }
        }
        outcome.deliveries = self.deliveries();
        outcome
    }

    /// Moves the clock, and says what that brought to whom.
    pub(crate) fn advance(&mut self, ms: u64) -> Vec<(usize, Reply)> {
        self.now_us += ms * 1_000;
        self.server.wake(self.now_us);
        self.deliveries()
    }

    pub(crate) fn now_us(&self) -> u64 {
        self.now_us
    }

    /// The reply to the words of `line`.
    pub(crate) fn ask(&mut self, line: &str) -> Reply {
        let words: Vec<_> = line.split(' ').map(|word| word.to_owned().into()).collect();
        self.execute(0, &words).replies.pop().expect("a command that does not wait is answered")
    }

    /// Whether the table has this command, or this subcommand.
    pub(crate) fn knows(&mut self, name: &[&str]) -> bool {
        let reply = self.ask(&name.join(" "));
        let unknown = |text: &[u8]| {
            text.starts_with(b"ERR unknown ")
                || text.starts_with(b"ERR this fake Redis does not have")
        };
        !matches!(reply, Reply::Error(text) if unknown(&text))
    }

    /// Whether the session may hear in RESP3 of what the command does to keys: a real server puts
    /// that before the reply, behind it or into its middle, as each command has it.
    pub(crate) fn would_hear_itself(&mut self, session: usize, words: &[Bytes]) -> bool {
        let listens = is(words, &["SUBSCRIBE"]) || is(words, &["PSUBSCRIBE"]);
        let of_keys = |name: &Bytes| name.starts_with(b"__key") || name.starts_with(b"*");
        self.hears_keys[session] |= listens && words.iter().any(of_keys);
        let rich = self.server.protocol(self.sessions[session]) == Protocol::Resp3;
        let turns = is(words, &["HELLO"]);
        !listens && self.hears_keys[session] && (rich || turns)
    }

    /// Whether this is a setting that has no effect here.
    pub(crate) fn refuses(&mut self, words: &[Bytes]) -> bool {
        self.execute(0, words).replies.iter().any(is_our_refusal)
    }

    fn deliveries(&mut self) -> Vec<(usize, Reply)> {
        let deliveries = self.server.take_deliveries();
        let told = deliveries.into_iter().map(|delivery| {
            let session = self.sessions.iter().position(|id| *id == delivery.session);
            let session = session.expect("only the sessions of this test are connected");
            self.blocked[session].take_if(|_| delivery.unblocks);
            (session, Reply::of(delivery.resp, self.server.protocol(delivery.session)))
        });
        told.collect()
    }
}
