//! One lock over several independent servers, of which a majority decides.
//!
//! This is the algorithm that Redis' documentation calls [Redlock]: the same token is written to
//! every node, and whoever has a majority has the lock. What it adds to one server is that it goes
//! on while fewer than half of the nodes are down, with nothing replicated between them. What it
//! does not add is a stronger promise: see *Limits*.
//!
//! [`Quorum`] is itself a [`Store`](crate::Store), so a [`Lock`](crate::lock::Lock) over it is used like any other.
//!
//! # How a command is decided
//!
//! Of `n` nodes, `n / 2 + 1` are a majority, for even `n` too: an even number tolerates no more
//! failures than the odd one before it. All nodes are asked at once, and the answer is given as
//! soon as no missing reply could change it. Nodes that cannot be reached stay in `n`.
//!
//! * **Acquire**: taken once a majority granted it. The fence is the greatest of the majority's,
//!   and is written back to a majority before the lease is handed out (a second round). Any later
//!   majority has a node in common with that one, and each node makes fences greater than its last,
//!   so no `+ 1` is needed. If no majority can come about, what was granted is released again
//!   before the answer, so that of several callers with a part of the nodes each, the next try of
//!   one can win. (Except under a caller's own token, which a release would revoke: there, keys on
//!   a minority stay until their time is up, and its next try finds them as its own.)
//! * **Extend**: if a majority extended. It never releases anything.
//! * **Release**: sent to every node; done once a majority has the token no more.
//! * **Debounced calls** are refused: their record has no quorum. Keep them in one store.
//!
//! *Busy* means that the token is not and will not be under a majority of the keys, and that some
//! node has another's. Nothing is said of who has the majority, if anyone has.
//!
//! # How long a lease is valid
//!
//! The lock's machine counts a lease from before the first request, and takes off the drift and the
//! rounding, as for one server; time that the rounds took is gone from it, and a lease that is
//! over when the answer comes is not handed out. The quorum adds nothing to that.
//!
//! # Limits
//!
//! * A node that restarts **without its data** forgets whom it voted for, and a second holder can
//!   get a majority with its help. Keep such a node away for as long as the longest lease, or let
//!   it write each command to disk before it answers (`appendfsync always`). Fences still tell the
//!   two holders apart, as far as the nodes' clocks agree; but of two leases that are handed out at
//!   the same time, the later may have the lesser fence.
//! * A server whose wall clock jumps forward ends leases early: enough such nodes are a second
//!   majority, and of two leases that are handed out at the same time, the later may have the lesser
//!   fence here, too.
//! * Requests in flight when the answer is decided are dropped, so what the slowest nodes did is
//!   not known. A key that a dropped release leaves there is gone when its time is up.
//!
//! [Redlock]: https://redis.io/docs/latest/develop/clients/patterns/distributed-locks/

#[cfg_attr(
    not(feature = "internals"),
    allow(unreachable_pub, reason = "the feature internals makes it public")
)]
pub(crate) mod machine;
#[cfg(test)]
mod machine_test;
mod store;
mod tally;

pub use store::{Quorum, QuorumError, QuorumOptions};
