//! What is in the catalogue of known bugs and has no place to be planted in.

/// A known bug that is not planted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Excused {
    /// Its number in the catalogue.
    pub number: u8,
    /// What is wrong.
    pub what: &'static str,
    /// Why it is not planted.
    pub why: &'static str,
}

const NO_QUEUE: &str = "no server keeps a queue: whoever asks first after a release has the lock";
const NO_SEMAPHORE: &str = "there are no semaphores";

/// Every known bug that is not planted, by number.
pub const EXCUSED: &[Excused] = &[
    excused(32, "a dead waiter keeps its place in the queue", NO_QUEUE),
    excused(33, "the lock is handed to a waiter whose own lease is over", NO_QUEUE),
    excused(34, "permits are ordered by their holders' clocks", NO_SEMAPHORE),
    excused(35, "permits are counted by majorities of servers", NO_SEMAPHORE),
    excused(36, "the lease of several keys is set whoever owns them", "a lock has one key"),
];

const fn excused(number: u8, what: &'static str, why: &'static str) -> Excused {
    Excused { number, what, why }
}
