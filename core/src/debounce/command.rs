//! The questions that a debounced call asks a store.

use alloc::{format, string::String, sync::Arc};

use crate::{
    lock::hash_tag,
    token::{Fence, Token},
};

/// The names under which one debounced call is stored.
///
/// They differ from those of the lock with the same id, and lie in one Redis Cluster slot.
///
/// ```
/// use leasehold_core::debounce::DebounceKeys;
///
/// assert_eq!(DebounceKeys::of("index").record(), "leasehold:debounce:{index}:index");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DebounceKeys {
    id: String,
    record: String,
    memo: String,
}

impl DebounceKeys {
    /// The names for the debounced call named `id`.
    #[must_use]
    pub fn of(id: &str) -> Self {
        let tag = hash_tag(id);
        Self {
            id: id.into(),
            record: format!("leasehold:debounce:{{{tag}}}:{id}"),
            memo: format!("leasehold:debounced:{{{tag}}}:{id}:"),
        }
    }

    /// The id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The key of the record: a hash.
    #[must_use]
    pub fn record(&self) -> &str {
        &self.record
    }

    /// The key that remembers how the request (or run) named `token` was answered.
    #[must_use]
    pub fn memo(&self, token: &Token) -> String {
        let mut key = String::with_capacity(self.memo.len() + token.as_str().len());
        key.push_str(&self.memo);
        key.push_str(token.as_str());
        key
    }
}

/// When a call is due. All times are in **milliseconds** on the server's clock.
///
/// ```
/// use leasehold_core::debounce::Timing;
///
/// let after_a_second_of_quiet =
///     Timing { wait_ms: 1_000, max_wait_ms: None, leading: false, trailing: true };
/// # let _ = after_a_second_of_quiet;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Timing {
    /// How long no further call may come before the run is due.
    pub wait_ms: u64,
    /// How long after the first call the run is due at the latest.
    pub max_wait_ms: Option<u64>,
    /// Whether the first call of a window is due at once.
    pub leading: bool,
    /// Whether further calls in a window are run at its end.
    pub trailing: bool,
}

/// How long keys live, in **milliseconds** on the server's clock.
///
/// ```
/// use leasehold_core::debounce::Retention;
///
/// let lives = Retention { armed_ms: 86_400_000, settled_ms: 120_000, memo_ms: 60_000 };
/// # let _ = lives;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Retention {
    /// A record in which something waits or runs, counted from when it is due or its lease ends.
    pub armed_ms: u64,
    /// A record in which nothing does.
    pub settled_ms: u64,
    /// How a request was answered.
    pub memo_ms: u64,
}

/// A question about a debounced call. Every one may be sent again as it is.
///
/// ```
/// use leasehold_core::{Command, debounce::{DebounceCommand, DebounceKeys}, redis};
///
/// let command = DebounceCommand::Inspect { keys: DebounceKeys::of("index").into() };
/// let request = redis::encode(&Command::Debounce(command)); // … to be sent by a store
/// # let _ = request;
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum DebounceCommand {
    /// Count a call, remember its arguments, and say when they are due.
    Call {
        /// Where.
        keys: Arc<DebounceKeys>,
        /// Names the call, so that a copy of the command changes nothing.
        call: Token,
        /// The arguments, as the callers understand them.
        args: Arc<[u8]>,
        /// The number that the call got before, if the record has lost it since; else 0. It puts
        /// the arguments back unless newer ones are there, or these have run.
        seq: u64,
        /// When it is due.
        timing: Timing,
        /// How long the keys live.
        retention: Retention,
    },
    /// Take what is due, to run it.
    Claim {
        /// Where.
        keys: Arc<DebounceKeys>,
        /// Names the run. It must not be used again once it was finished.
        runner: Token,
        /// The call for which the runner asks, or 0 for whatever is due. A settled call claims
        /// nothing.
        seq: u64,
        /// How long the run may take before another may start.
        run_lease_ms: u64,
        /// How long the keys live.
        retention: Retention,
    },
    /// End a run, or give a claim back, and remember the runner so that a late copy of its claim
    /// is refused.
    Finish {
        /// Where.
        keys: Arc<DebounceKeys>,
        /// The name of the run.
        runner: Token,
        /// The newest call that was run; 0 if the reply to the claim never came.
        seq: u64,
        /// The fence of the claim; 0 if the reply to the claim never came.
        fence: Fence,
        /// Whether the run went well. If not, what it ran is due again.
        success: bool,
        /// After how long it is due again.
        retry_ms: u64,
        /// How long the keys live.
        retention: Retention,
    },
    /// Drop what waits to run.
    Cancel {
        /// Where.
        keys: Arc<DebounceKeys>,
        /// Names the request, so that a late copy cannot drop a later call.
        request: Token,
        /// How long the keys live.
        retention: Retention,
    },
    /// Make due now what waits to run.
    Flush {
        /// Where.
        keys: Arc<DebounceKeys>,
        /// Names the request, so that a late copy cannot hurry a later call.
        request: Token,
        /// How long the keys live.
        retention: Retention,
    },
    /// What the record says.
    Inspect {
        /// Where.
        keys: Arc<DebounceKeys>,
    },
}

impl DebounceCommand {
    /// Where.
    #[must_use]
    pub fn keys(&self) -> &Arc<DebounceKeys> {
        match self {
            Self::Call { keys, .. }
            | Self::Cancel { keys, .. }
            | Self::Claim { keys, .. }
            | Self::Finish { keys, .. }
            | Self::Flush { keys, .. }
            | Self::Inspect { keys } => keys,
        }
    }

    /// What names the request: its answer is kept under [`DebounceKeys::memo`] of it. A claim keeps
    /// nothing, but is refused if its runner was finished.
    #[must_use]
    pub fn name(&self) -> Option<&Token> {
        match self {
            Self::Call { call: name, .. }
            | Self::Cancel { request: name, .. }
            | Self::Claim { runner: name, .. }
            | Self::Finish { runner: name, .. }
            | Self::Flush { request: name, .. } => Some(name),
            Self::Inspect { .. } => None,
        }
    }
}

/// A store's answer to a [`DebounceCommand`].
///
/// Calls are numbered: a later call has a greater `seq`, even if a failover forgot the last one,
/// since it is `max(last + 1, the server's time in µs)`.
///
/// ```
/// use leasehold_core::debounce::DebounceReply;
///
/// fn due_in_ms(reply: &DebounceReply) -> Option<u64> {
///     match reply {
///         DebounceReply::Armed { due_in_ms, .. } | DebounceReply::NotDue { due_in_ms, .. } => {
///             Some(*due_in_ms)
///         }
///         _ => None,
///     }
/// }
/// # assert_eq!(due_in_ms(&DebounceReply::Idle), None);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum DebounceReply {
    /// To `Call`: it counts.
    Armed {
        /// The call's number.
        seq: u64,
        /// How long until it is due, if no other call comes.
        due_in_ms: u64,
    },
    /// To `Call` without `trailing`, within a window: it does not count, but prolongs the window.
    Suppressed {
        /// How long until a call counts again, if no other comes.
        reopens_in_ms: u64,
    },
    /// To `Claim`: run this.
    Claimed {
        /// The newest call that the run covers.
        seq: u64,
        /// Greater than that of any earlier run.
        fence: Fence,
        /// The arguments of that call.
        args: Arc<[u8]>,
        /// How long the run may take, from when the server answered.
        remaining_ms: u64,
    },
    /// To `Claim`: something waits, but is not due.
    NotDue {
        /// How long until it is.
        due_in_ms: u64,
        /// The newest call.
        newest: u64,
    },
    /// To `Claim`: another runs.
    Running {
        /// How long it may take.
        remaining_ms: u64,
        /// The newest call.
        newest: u64,
    },
    /// To `Claim` for a call: it is settled; it was cancelled if `fired` is less than its number.
    Settled {
        /// The newest call that a successful run covered.
        fired: u64,
        /// The newest call that was run or cancelled.
        done: u64,
    },
    /// To `Claim` for a call: the record does not know the call.
    Missing,
    /// To `Claim` for whatever is due: nothing waits and nothing runs.
    Idle,
    /// To `Claim`: this runner was finished before.
    Revoked,
    /// To `Finish`: the run counts.
    Finished,
    /// To `Finish`: these arguments, or newer ones, will be due.
    Rearmed {
        /// How long until they are.
        due_in_ms: u64,
    },
    /// To `Finish`: the run failed, and was cancelled meanwhile.
    Dropped,
    /// To `Finish`: the claim is not this runner's (any more).
    Stale,
    /// To `Cancel`.
    Cancelled {
        /// Whether something waited.
        pending: bool,
    },
    /// To `Flush`.
    Flushed {
        /// Whether something waited.
        pending: bool,
    },
    /// To `Inspect`.
    Status(DebounceStatus),
}

/// What a record says. It may have changed since.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use leasehold_core::{MemoryStore, debounce::Debounce};
///
/// let status = Debounce::new(MemoryStore::new(), "index")?.status().await?;
/// println!("{status:?}");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DebounceStatus {
    /// The number of the newest call; 0 if the record knows none.
    pub newest: u64,
    /// The newest call that a successful run covered.
    pub fired: u64,
    /// The newest call that was run or cancelled.
    pub done: u64,
    /// Milliseconds until what waits is due; `None` if nothing waits.
    pub due_in_ms: Option<u64>,
    /// Milliseconds for which a run may still take; `None` if nothing runs, zero if its lease is
    /// over.
    pub running_ms: Option<u64>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lock::LockKeys;

    #[test]
    fn the_keys_of_one_call_share_a_slot_and_never_meet_those_of_a_lock() {
        let token = Token::new("t").unwrap();
        for id in ["job", "a{b}c", "{x}", "ünï"] {
            let (keys, lock) = (DebounceKeys::of(id), LockKeys::of(id));
            assert_eq!(hash_tag(keys.record()), hash_tag(&keys.memo(&token)), "{id}");
            assert_eq!(hash_tag(keys.record()), hash_tag(id), "{id}");
            let ours = [keys.record().into(), keys.memo(&token)];
            for theirs in [lock.lock().into(), lock.fence().into(), lock.tombstone(token.as_str())]
            {
                assert!(!ours.contains(&theirs), "{theirs}");
            }
        }
        // No record's name is the name of another record's memo.
        assert_ne!(DebounceKeys::of("a:t").record(), DebounceKeys::of("a").memo(&token));
    }
}
