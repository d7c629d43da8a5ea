//! What a lock costs over a real connection, beside the bare round trips that it is made of.

pub mod contended;
pub mod cycles;
pub mod distance;
pub mod floors;
pub mod others;
pub mod peer;
pub mod ratios;
pub mod scripts;
