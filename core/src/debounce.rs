//! Debounced calls across processes: many calls within a while run once, with the latest arguments.
//!
//! One record a key, owned by the store and timed by its clock, says what waits and who runs. A
//! call puts its arguments into the record and moves the time at which it is due. From then on,
//! **any** participant may claim it: the newest caller's own timer, an earlier caller that stayed as
//! a backup, or a sweeper. A claim is a lease with a [`Fence`](crate::Fence): when the runner
//! crashes, hangs or fails, the same arguments (or newer ones) are due again.
//!
//! # What holds, and what it rests on
//!
//! * A call that was armed runs at least once, with its arguments or newer ones, while at least one
//!   participant or sweeper lives, unless it is cancelled or nobody comes within
//!   [`DebounceOptions::life`].
//! * Two claims of one key never overlap on the server's clock, and later ones have greater fences.
//!   A paused runner may go on past its lease: only a resource that checks fences refuses it.
//! * A run that succeeded is repeated only if the server does not learn of its end before the lease
//!   of the run is over, or forgets it in a failover. So the callback should be idempotent, or write
//!   to a resource that checks fences.
//! * Runs come no earlier than `wait` after the latest call (but a leading one), and become due no
//!   later than `max_wait` after the first, by the server's clock. A step of that clock moves both;
//!   one that was set back delays by at most one more `wait`.
//! * A late copy of any request changes nothing for [`DebounceOptions::request_life`]. After that,
//!   a copy of a call may arm it again.
//! * Every key expires.

#[cfg(feature = "std")]
mod args;
mod called;
mod command;
mod config;
#[cfg(feature = "std")]
mod handle;
mod machine;
#[cfg(test)]
mod machine_test;
mod outcome;
#[cfg(any(feature = "internals", feature = "memory", test))]
#[cfg_attr(
    not(feature = "internals"),
    allow(unreachable_pub, reason = "the feature internals makes it public")
)]
pub(crate) mod record;
#[cfg(test)]
mod record_test;
#[cfg(feature = "std")]
mod run;

#[cfg(feature = "std")]
pub use args::Args;
pub use called::{CallError, Called, NextRun, Swept, Unsettled};
pub use command::{
    DebounceCommand, DebounceKeys, DebounceReply, DebounceStatus, Retention, Timing,
};
pub use config::{DebounceConfig, DebounceOptions};
#[cfg(feature = "std")]
pub use handle::Debounce;
pub use machine::{DebounceMachine, DebounceRequest};
pub use outcome::{CallOutcome, Claim, DebounceOutcome, SweepOutcome};
#[cfg(feature = "std")]
pub use run::Run;
