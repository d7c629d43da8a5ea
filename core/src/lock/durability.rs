//! How many replicas must have a lock before it counts.

/// How much of a Redis must know of a lease before it is handed out, or its extension counts.
///
/// Replication is asynchronous: without waiting for it, a failover may promote a replica that never
/// heard of a lease, and a second client gets the lock. With a level here, each grant, extension
/// and renewal is followed by `WAIT`, one round trip more, over the connection that answered it. A
/// grant that too few replicas acknowledge in [`LockOptions::confirm_timeout`] is released again
/// ([`NotAcquired::NotDurable`]); an extension then leaves the old deadline standing.
///
/// # What that promises
///
/// It depends on **which replica is promoted**, which is not the lock's to say:
///
/// * *Any replica may be promoted* (by hand, by a managed service that does not say otherwise, by
///   Redis Sentinel or Cluster when the better replicas are not reachable): safe only if **all** of
///   them acknowledged, [`Durability::Replicas`] with their number. One acknowledgement of two is
///   not enough: the other may be the one.
/// * *The promoted replica has the most data among a majority of all copies* (an election that asks
///   a majority and compares offsets first): safe with [`Durability::Majority`], since any two
///   majorities share a copy. Sentinel and Cluster compare offsets among the replicas that they
///   reach, which may be fewer, and Sentinel looks at `replica-priority` first. So they keep this
///   rule only while a majority of the copies is reachable and the priorities are equal.
/// * *A primary that was cut off goes on serving*: safe only for clients that see its end. Set
///   `min-replicas-to-write` so that it stops taking writes.
/// * An acknowledgement is of memory, not of disk: if all copies restart without their data, the
///   lease is gone.
///
/// In every case, a greater fence tells the later holder apart (while the servers' clocks agree
/// better than the failover takes). A [`MemoryStore`](crate::MemoryStore) has no replicas and
/// acknowledges with 0.
///
/// [`LockOptions::confirm_timeout`]: super::LockOptions::confirm_timeout
/// [`NotAcquired::NotDurable`]: super::NotAcquired::NotDurable
///
/// ```
/// use leasehold_core::lock::{Durability, LockOptions};
///
/// let options = LockOptions::new().durability(Durability::Majority { replicas: 2 });
/// # let _ = options;
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Durability {
    /// The server that grants the lease.
    #[default]
    Primary,
    /// It and so many replicas.
    Replicas(u32),
    /// More than half of all copies, of which there are the primary and so many replicas. `WAIT`
    /// does not tell how many there are, so a wrong number here is not noticed.
    Majority {
        /// How many replicas the primary has.
        replicas: u32,
    },
}

impl Durability {
    /// How many replicas must acknowledge.
    pub(crate) fn acknowledgements(self) -> u32 {
        match self {
            Self::Primary => 0,
            Self::Replicas(replicas) => replicas,
            Self::Majority { replicas } => replicas.div_ceil(2),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_majority_is_more_than_half_of_all_copies() {
        for replicas in 0..100 {
            let with_primary = 1 + Durability::Majority { replicas }.acknowledgements();
            let copies = replicas + 1;
            assert!(2 * with_primary > copies && 2 * (with_primary - 1) <= copies, "{replicas}");
        }
    }
}
