//! Native twins of Leasehold's own scripts, for simulations that run millions of them.
//!
//! A twin stands in for one text only, named by its SHA-1: if the script has changed, the Lua runs
//! until the twin is brought up to date. A twin may decline any case that it does not know, before
//! it has touched anything; the Lua runs then too. That twins equal their scripts, in replies and
//! in keys, is tested over generated states.

mod debounce;
mod lock;
#[cfg(test)]
mod twins_test;
mod values;

use leasehold_core::{Command, Reply, redis::SCRIPTS};

use super::Keyspace;

/// The script that a twin was written for.
#[derive(Clone, Copy, Debug)]
struct Pin {
    name: &'static str,
    sha1: &'static str,
}

/// Applies `command`, or declines.
pub(super) fn run(keys: &mut Keyspace, now_us: u64, command: &Command) -> Option<Reply> {
    match command {
        Command::Lock(command) => lock::run(keys, now_us, command).map(Reply::Lock),
        Command::Debounce(command) => debounce::run(keys, now_us, command).map(Reply::Debounce),
    }
}

impl Pin {
    /// Whether the script is still this one. Decided at compile time where it matters.
    const fn fits(&self) -> bool {
        let mut index = 0;
        while index < SCRIPTS.len() {
            let script = SCRIPTS[index];
            if same(script.name, self.name) {
                return same(script.sha1, self.sha1);
            }
            index += 1;
        }
        false
    }
}

const fn same(left: &str, right: &str) -> bool {
    let (left, right) = (left.as_bytes(), right.as_bytes());
    let mut index = 0;
    while index < left.len() && index < right.len() && left[index] == right[index] {
        index += 1;
    }
    index == left.len() && index == right.len()
}
