//! The algorithms of `@upstash/lock` 0.2.1 over `@upstash/redis` 1.39.0, as they are: re-told from
//! their behaviour, faults and all, for comparison.

mod debounce;
mod lock;

use bytes::Bytes;

pub(crate) use debounce::UpstreamDebounceProgram;
pub(crate) use lock::UpstreamLockProgram;

use crate::{
    history::{CallId, Client, DebounceEvent, TokenId},
    systems::{LOCK_ID, debounce::DEBOUNCE_ID},
};
use leasehold_fake_redis::{Redis, Resp};

/// What upstream sends.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum UpstreamCommand {
    /// `SET id token NX PX lease`.
    SetIfAbsent { token: String, lease_ms: u64, meant_ms: u64 },
    /// `INCR id`, for a call.
    Increment { call: CallId },
    /// `GET id`: has nobody called since this call got its ticket?
    IsLast { call: CallId, ticket: i64 },
    /// A script: delete the key if it holds the token.
    DeleteIfMine { token: Option<String> },
    /// A script: add whole seconds to the rest, which is rounded to seconds.
    AddSeconds { token: Option<String>, seconds: u64, meant_ms: u64 },
}

const DELETE_IF_MINE: &str = "\
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0";

const ADD_SECONDS: &str = "\
local rest = redis.call('TTL', KEYS[1])
if rest <= 0 or redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('EXPIRE', KEYS[1], rest + ARGV[2])";

impl UpstreamCommand {
    pub(crate) fn apply(&self, redis: &mut Redis, wall_us: u64) -> Resp {
        let words: Vec<Bytes> = match self {
            Self::SetIfAbsent { token, lease_ms, .. } => {
                words(&["SET", LOCK_ID, token, "NX", "PX", &lease_ms.to_string()])
            }
            Self::Increment { .. } => words(&["INCR", DEBOUNCE_ID]),
            Self::IsLast { .. } => words(&["GET", DEBOUNCE_ID]),
            Self::DeleteIfMine { token } => {
                words(&["EVAL", DELETE_IF_MINE, "1", LOCK_ID, or_null(token)])
            }
            Self::AddSeconds { token, seconds, .. } => {
                let seconds = seconds.to_string();
                words(&["EVAL", ADD_SECONDS, "1", LOCK_ID, or_null(token), &seconds])
            }
        };
        redis.execute(wall_us, &words)
    }

    /// What it is, in a few words.
    pub(crate) fn verb(&self) -> &'static str {
        match self {
            Self::SetIfAbsent { .. } => "SET if absent",
            Self::Increment { .. } => "INCR",
            Self::IsLast { .. } => "GET",
            Self::DeleteIfMine { .. } => "delete if mine",
            Self::AddSeconds { .. } => "add to the lease",
        }
    }

    /// The longest time to live that the caller means the key to have, in µs.
    pub(crate) fn asked_lease(&self) -> u64 {
        match self {
            Self::AddSeconds { meant_ms, .. } | Self::SetIfAbsent { meant_ms, .. } => {
                meant_ms * 1_000
            }
            Self::DeleteIfMine { .. } | Self::Increment { .. } | Self::IsLast { .. } => 0,
        }
    }

    /// What the command did to the debounced function.
    pub(crate) fn debounced(
        &self,
        client: Client,
        now: u64,
        reply: &Resp,
    ) -> Option<DebounceEvent> {
        match (self, reply) {
            (&Self::Increment { call }, Resp::Integer(_)) => Some(DebounceEvent::Armed { call }),
            (&Self::IsLast { call, ticket }, reply) if number(reply) == Some(ticket) => {
                // There is no lease: a run may take for ever.
                Some(DebounceEvent::Claimed { client, call, fence: 0, until: now })
            }
            _ => None,
        }
    }
}

/// The counter as a number.
fn number(reply: &Resp) -> Option<i64> {
    match reply {
        Resp::Bulk(digits) => std::str::from_utf8(digits).ok()?.parse().ok(),
        Resp::Integer(number) => Some(*number),
        _ => None,
    }
}

fn words(words: &[&str]) -> Vec<Bytes> {
    words.iter().map(|word| Bytes::copy_from_slice(word.as_bytes())).collect()
}

fn or_null(token: &Option<String>) -> &str {
    token.as_deref().unwrap_or("null")
}

/// What the client object remembers. The tasks of one process share one object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct UpstreamLock {
    /// The last token stored, or none after any failure.
    pub(crate) token: Option<String>,
    /// Made longer by every extension, also for later acquires.
    pub(crate) lease_ms: u64,
}

impl UpstreamLock {
    fn token_id(&self) -> Option<TokenId> {
        self.token.as_ref().and_then(|token| TokenId::parse(token.as_bytes()))
    }
}

/// How long the REST client waits before try number `tries + 1`: eᵗʳⁱᵉˢ times 50 ms.
fn backoff(tries: u32) -> Option<u64> {
    [50_000, 135_914, 369_453, 1_004_277, 2_729_908].get(tries as usize).copied()
}
