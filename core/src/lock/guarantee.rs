//! What a lock promises beyond that one holds it at a time, and what that costs.

/// How much a lock guarantees, and so what it costs the server.
///
/// Both kinds lock the same key, so they exclude one another on one id, and `@upstash/lock`, too.
/// With either, a lease counts from before its request was sent, ends at a local deadline, is
/// extended and released only under its own token, and is never handed out late.
///
/// # What a lean lock gives up
///
/// * **A late copy of an acquire may take the lock again.** A try whose reply was lost, or whose
///   future was dropped, is cleaned up by a compare-and-delete that leaves no tombstone. If the
///   request itself arrives after that, it takes the lock for nobody, until its lease is over. So
///   work waits for at most one lease; two holders are not the result.
/// * **The fence is the server's time**, in microseconds, and no last one is kept. It grows with
///   each grant while the server's clock is not set back and no other server takes over; a full
///   lock's then grows still. The same goes for grants of full and lean locks on one id: each has a
///   greater fence than those before it as long as the clock goes forward. A full lock neither
///   reads nor keeps a lean one's fence, and no lean lock touches the fence or the tombstones of a
///   full one.
/// * **A released token is not refused.** A caller's own token may take the lock again, and is never
///   [`Revoked`](super::NotAcquired::Revoked). A release that is sent again by whatever carries it
///   may say [`Released::NotHeld`](super::Released::NotHeld) although its first copy freed the lock.
/// * **Only a waiter that is lean, too, is told of a lean release**, and only if it has looked
///   before. A full one that waits for a lean holder looks by itself: at the end of the lease, or
///   after ten [delays](super::LockOptions::delay).
/// * No [quorum](crate::quorum) takes it, and no [durability level](super::Durability) but the
///   primary.
///
/// Which of it breaks under which fault is the column `lock-lean` of the [claims]; `leasehold check
/// --subject lock-lean` shows a shortest schedule of each.
///
/// [claims]: https://docs.rs/leasehold-sim/latest/leasehold_sim/guide/how_it_works/#what-is-claimed
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use leasehold_core::{MemoryStore, lock::{Guarantee, Lock, LockOptions}};
///
/// // Two that fill one cache would only do the work twice.
/// let options = LockOptions::new().guarantee(Guarantee::Lean);
/// let lock = Lock::with_options(MemoryStore::new(), "cache", &options)?;
/// if let Some(mut lease) = lock.try_acquire().await? {
///     // … fill it …
///     lease.release().await?;
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Guarantee {
    /// Late copies are refused, and fences grow though a clock is set back or a server takes over.
    /// For work that must not be done twice.
    #[default]
    Full,
    /// `SET NX PX` and compare-and-delete, as most libraries have it. For work that is only a waste
    /// if it is done twice. It costs the server less than half. Only a try that finds the lock held
    /// asks twice: the second time, by whom and for how long.
    Lean,
}
