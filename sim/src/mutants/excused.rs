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

const NO_QUORUM: &str =
    "bugs are planted around the machine that asks one server, not yet around a quorum";
const NO_REPLICAS: &str = "no bug is planted yet in how a lease waits for replicas";
const NO_QUEUE: &str =
    "the simulated wire carries no hints of a release, so waiters ask again after a delay";
const NO_SEMAPHORE: &str = "there are no semaphores";

/// Every known bug that is not planted, by number.
pub const EXCUSED: &[Excused] = &[
    excused(23, "the majority is counted of the servers that were reached", NO_QUORUM),
    excused(24, "an even vote waits for a majority of either side", NO_QUORUM),
    excused(25, "a minority of keys is kept between two tries", NO_QUORUM),
    excused(26, "one server's error ends the acquire without a clean-up", NO_QUORUM),
    excused(28, "a server that lost its keys takes part again at once", NO_QUORUM),
    excused(29, "one of two replicas' acknowledgement is enough", NO_REPLICAS),
    excused(31, "a waiter does not look again after it has subscribed", NO_QUEUE),
    excused(32, "a dead waiter keeps its place in the queue", NO_QUEUE),
    excused(33, "the lock is handed to a waiter whose own lease is over", NO_QUEUE),
    excused(34, "permits are ordered by their holders' clocks", NO_SEMAPHORE),
    excused(35, "permits are counted by majorities of servers", NO_SEMAPHORE),
    excused(36, "the lease of several keys is set whoever owns them", "a lock has one key"),
    excused(
        53,
        "the longest wait is looked at by the caller that came first, and not by others",
        "a simulated caller waits for its call, so bursts are shorter than the longest wait",
    ),
    excused(54, "a cancelled call never returns", "no simulated client cancels or flushes"),
];

const fn excused(number: u8, what: &'static str, why: &'static str) -> Excused {
    Excused { number, what, why }
}
