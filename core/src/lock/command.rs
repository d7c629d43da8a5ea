//! The questions that a lock asks a store.

use alloc::{format, string::String, sync::Arc};

use crate::token::{Fence, Token};

/// The names under which one lock is stored.
///
/// The lock's key is its id and the value is the token, as `@upstash/lock` writes them. What we
/// add lies beside it, in the same Redis Cluster slot (the id is the hash tag, or its own tag is).
/// An id with a `}` but without a tag of its own has no such name: on a Cluster, choose another.
///
/// ```
/// use leasehold_core::lock::LockKeys;
///
/// let keys = LockKeys::of("job");
/// assert_eq!((keys.lock(), keys.fence()), ("job", "leasehold:fence:{job}:job"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LockKeys {
    lock: String,
    fence: String,
    tombstone: String,
    waiting: String,
}

impl LockKeys {
    /// The names for the lock called `id`.
    #[must_use]
    pub fn of(id: &str) -> Self {
        let tag = hash_tag(id);
        Self {
            lock: id.into(),
            fence: format!("leasehold:fence:{{{tag}}}:{id}"),
            tombstone: format!("leasehold:gone:{{{tag}}}:{id}:"),
            waiting: format!("leasehold:waiting:{{{tag}}}:{id}"),
        }
    }

    /// The key that holds the owner's token.
    #[must_use]
    pub fn lock(&self) -> &str {
        &self.lock
    }

    /// The key that holds the last fence.
    #[must_use]
    pub fn fence(&self) -> &str {
        &self.fence
    }

    /// The key that says which tokens of `series` were given up and must not come back: that with
    /// the number stored here, and those before it. See [`Token::series`].
    #[must_use]
    pub fn tombstone(&self, series: &str) -> String {
        let mut key = String::with_capacity(self.tombstone.len() + series.len());
        key.push_str(&self.tombstone);
        key.push_str(series);
        key
    }

    /// The key that is there while somebody may wait for the release of a
    /// [lean](super::Guarantee::Lean) lock.
    #[must_use]
    pub fn waiting(&self) -> &str {
        &self.waiting
    }

    /// The channel on which a release of the lock is published:
    /// `leasehold:released:{tag}:id`, with the id's hash tag.
    ///
    /// In it, a comma, a percent sign and control characters stand as `%` and two hexadecimal
    /// digits for each byte, since a subscription over REST is told of channels between commas, a
    /// line each. So two ids never share a channel, and most read as they are.
    #[must_use]
    pub fn channel(&self) -> String {
        let mut channel = String::from("leasehold:released:{");
        push_escaped(&mut channel, hash_tag(&self.lock));
        channel.push_str("}:");
        push_escaped(&mut channel, &self.lock);
        channel
    }
}

fn push_escaped(text: &mut String, id: &str) {
    for character in id.chars() {
        if character.is_ascii_control() || matches!(character, ',' | '%') {
            text.push_str(&format!("%{:02X}", u32::from(character)));
        } else {
            text.push(character);
        }
    }
}

/// The part of `key` that decides its slot in Redis Cluster.
/// See <https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/#hash-tags>.
pub(crate) fn hash_tag(key: &str) -> &str {
    let inside = key.find('{').and_then(|open| {
        let rest = &key[open + 1..];
        rest.find('}').map(|close| &rest[..close])
    });
    inside.filter(|tag| !tag.is_empty()).unwrap_or(key)
}

/// A question about a lock. All times are in **milliseconds** on the server's clock.
///
/// ```
/// use leasehold_core::{Command, lock::{LockCommand, LockKeys}, redis};
///
/// let command = LockCommand::Inspect { keys: LockKeys::of("job").into(), token: None };
/// let request = redis::encode(&Command::Lock(command)); // … to be sent by a store
/// # let _ = request;
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum LockCommand {
    /// Take the lock if it is free (or already under this token), and make a fence. If it is under
    /// another, give this token up (unless its number is 0, so that it may be tried again).
    Acquire {
        /// Where.
        keys: Arc<LockKeys>,
        /// The attempt's token.
        token: Token,
        /// How long the key lives. Never refreshed if the key is already under this token.
        lease_ms: u64,
        /// How long the fence outlives the last grant.
        fence_life_ms: u64,
        /// How long a token that is given up is refused.
        tombstone_ms: u64,
    },
    /// The same for a [lean](super::Guarantee::Lean) lock: the fence is the store's time, no
    /// tombstone is looked at or left, and the token is not given up by a *busy*.
    AcquireLean {
        /// Where.
        keys: Arc<LockKeys>,
        /// The attempt's token.
        token: Token,
        /// How long the key lives. Never refreshed if the key is already under this token.
        lease_ms: u64,
        /// Who is to be told what if the lock is held.
        held: IfHeld,
    },
    /// Let the key live at least `lease_ms` from now if it is under this token. Never shortens,
    /// never adds, never creates.
    Extend {
        /// Where.
        keys: Arc<LockKeys>,
        /// The holder's token.
        token: Token,
        /// The least time to live after the command.
        lease_ms: u64,
    },
    /// Free the key if it is under this token, and revoke the token, so that a late copy
    /// of its acquire is refused.
    Release {
        /// Where.
        keys: Arc<LockKeys>,
        /// The token that is given up.
        token: Token,
        /// How long the token is refused.
        tombstone_ms: u64,
    },
    /// Free the key if it is under this token, for a [lean](super::Guarantee::Lean) lock: no
    /// tombstone, and it is published only if somebody [waits](IfHeld::Wait).
    ReleaseLean {
        /// Where.
        keys: Arc<LockKeys>,
        /// The holder's token.
        token: Token,
    },
    /// Let the last fence be at least `fence` if the key is under this token, so that every later
    /// grant has a greater one. Never lowers it. A quorum writes back by it.
    RaiseFence {
        /// Where.
        keys: Arc<LockKeys>,
        /// The holder's token.
        token: Token,
        /// The least fence after the command.
        fence: Fence,
        /// How long the fence is kept.
        fence_life_ms: u64,
    },
    /// Wait until `replicas` replicas have acknowledged all that was written before, at most for so
    /// long. Sent over the very connection on which the write before it was answered; a store that
    /// cannot tell answers [`StoreError::NotSent`](crate::StoreError::NotSent).
    Confirm {
        /// Where.
        keys: Arc<LockKeys>,
        /// How many are enough.
        replicas: u32,
        /// How long to wait for them. Not zero, which would be for ever.
        timeout_ms: u64,
    },
    /// Who holds the key, and for how long.
    Inspect {
        /// Where.
        keys: Arc<LockKeys>,
        /// The token that counts as ours, if any.
        token: Option<Token>,
    },
}

impl LockCommand {
    /// The names of the lock that it is about.
    #[must_use]
    pub fn keys(&self) -> &Arc<LockKeys> {
        match self {
            Self::Acquire { keys, .. }
            | Self::AcquireLean { keys, .. }
            | Self::Confirm { keys, .. }
            | Self::Extend { keys, .. }
            | Self::Inspect { keys, .. }
            | Self::RaiseFence { keys, .. }
            | Self::Release { keys, .. }
            | Self::ReleaseLean { keys, .. } => keys,
        }
    }
}

/// What an acquire of a [lean](super::Guarantee::Lean) lock is to find out, or to leave, if the lock
/// is held.
///
/// ```
/// use leasehold_core::{Token, lock::{IfHeld, LockCommand, LockKeys}};
///
/// let (keys, token) = (LockKeys::of("job").into(), Token::new("mine").expect("it is not empty"));
/// let first = LockCommand::AcquireLean { keys, token, lease_ms: 10_000, held: IfHeld::Unsaid };
/// # let _ = first;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IfHeld {
    /// Nothing: [`LockReply::Taken`] will do, which costs a Redis the least.
    Unsaid,
    /// By whom, and for how long.
    Say,
    /// The same, and for so many milliseconds the store remembers that a release is to be published.
    Wait(u64),
}

/// A store's answer to a [`LockCommand`].
///
/// ```
/// use leasehold_core::lock::LockReply;
///
/// fn is_granted(reply: &LockReply) -> bool {
///     matches!(reply, LockReply::Acquired { .. })
/// }
/// # assert!(!is_granted(&LockReply::Revoked));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum LockReply {
    /// To `Acquire` and `AcquireLean`: the key is under the token.
    Acquired {
        /// The grant's fence.
        fence: Fence,
        /// Whether this very command took the lock; otherwise an earlier one with this token did.
        fresh: bool,
    },
    /// To `Acquire` and `AcquireLean`: the key is under another token.
    Busy {
        /// How long it lives if nobody extends it; `None` if it never expires, so that it was not
        /// written by a lock.
        remaining_ms: Option<u64>,
    },
    /// To `AcquireLean` with [`IfHeld::Unsaid`]: the key was there already, under whichever token.
    Taken,
    /// To `Acquire`: the token was given up before.
    Revoked,
    /// To `Extend`: the key lives at least as long as asked.
    Extended,
    /// To `Release`: this token was under the key and has been removed, by this command or by an
    /// earlier copy of it. To `ReleaseLean`: by this very command.
    Released,
    /// To `RaiseFence`: the last fence is at least as great as asked.
    FenceRaised,
    /// To `Confirm`.
    Confirmed {
        /// How many replicas have acknowledged, also if that is fewer than asked for.
        replicas: u32,
    },
    /// To `Extend`, `RaiseFence` and both releases: the key is not under this token.
    NotHeld,
    /// To `Inspect`.
    Holder(Holder),
}

/// Who holds a lock, as the server sees it. It may have changed since.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use leasehold_core::{MemoryStore, lock::{Holder, Lock}};
///
/// let lock = Lock::new(MemoryStore::new(), "job")?;
/// assert_eq!(lock.status().await?, Holder::Free);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Holder {
    /// Nobody.
    Free,
    /// The token that was asked about.
    Us {
        /// Milliseconds until the key expires; `None` if it never does.
        remaining_ms: Option<u64>,
    },
    /// Another token.
    Other {
        /// Milliseconds until the key expires; `None` if it never does.
        remaining_ms: Option<u64>,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keys_of_one_lock_share_a_slot_and_those_of_two_never_meet() {
        for id in ["job", "a{b}c", "{x}", "ünï", "{a"] {
            let keys = LockKeys::of(id);
            assert_eq!(hash_tag(keys.lock()), hash_tag(keys.fence()), "{id}");
            assert_eq!(hash_tag(keys.lock()), hash_tag(&keys.tombstone("t")), "{id}");
            assert_eq!(hash_tag(keys.lock()), hash_tag(keys.waiting()), "{id}");
        }
        assert_ne!(LockKeys::of("{b}1").fence(), LockKeys::of("{b}2").fence());
    }

    #[test]
    fn a_channel_has_no_comma_and_no_line_end_and_is_its_locks_own() {
        let channel = |id| LockKeys::of(id).channel();
        assert_eq!(channel("ünï job"), "leasehold:released:{ünï job}:ünï job");
        assert_eq!(channel("a{b,}c"), "leasehold:released:{b%2C}:a{b%2C}c");
        assert_eq!(channel("a\r\n%2C"), "leasehold:released:{a%0D%0A%252C}:a%0D%0A%252C");
        assert_ne!(channel(","), channel("%2C"));
    }
}
