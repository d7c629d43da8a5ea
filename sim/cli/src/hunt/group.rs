//! The requests that a hunt has seen, by their sorts.

use rand_chacha::ChaCha8Rng;
use rand_core::Rng;

/// What clients send by themselves, beside what a program asks for.
pub(super) const CHATTER: &[&str] =
    &["AUTH", "CLIENT", "COMMAND", "HELLO", "INFO", "PING", "SELECT"];

/// Requests that were seen, of one sort.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Group {
    pub(super) connection: Option<String>,
    pub(super) command: String,
    pub(super) count: u64,
    pub(super) reads: bool,
}

/// A number below a limit, by chance.
pub(super) fn below(random: &mut ChaCha8Rng, limit: usize) -> usize {
    // Biased by less than one in 2^32, which nobody notices here.
    (random.next_u64() % limit.max(1) as u64) as usize
}
