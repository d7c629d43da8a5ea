//! The twins of the debounce's scripts: none yet.

use leasehold_core::debounce::{DebounceCommand, DebounceReply};

use super::super::Keyspace;
#[cfg(test)]
use super::Pin;

#[cfg(test)]
pub(super) const PINS: &[Pin] = &[];

pub(super) fn run(
    _keys: &mut Keyspace,
    _now_us: u64,
    _command: &DebounceCommand,
) -> Option<DebounceReply> {
    None
}
