//! Locks for programs without async: [`block_on`] runs what is asked on the thread that asks.
//!
//! No runtime is needed. What goes on in the background (renewals, giving back what a dropped
//! lease or call leaves behind) runs on a thread of its own. A store whose connection needs a runtime, as those of
//! `leasehold-upstash` do, needs one here, too: enter a multi-threaded one first.
//!
//! ```
//! use std::{io, time::Duration};
//! use leasehold_core::{MemoryStore, blocking::{self, block_on}, lock::LockOptions};
//!
//! let lock = blocking::lock(MemoryStore::new(), "report", &LockOptions::new())?;
//! let mut lease = block_on(lock.acquire().within(Duration::from_secs(5)))?;
//! // … work, and send lease.fence() with every write …
//! block_on(lease.release())?;
//!
//! // Or renewed while the work takes, and released at the end:
//! blocking::hold(lock.acquire(), |lease| Ok::<_, io::Error>(lease.fence()))?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod thread;

pub use self::thread::{ThreadClock, block_on};
use crate::{
    lock::{Acquire, HoldError, LeaseView, Lock, LockConfig, LockOptions, LossReason},
    settings::ConfigError,
    store::Store,
    token::Tokens,
};

/// The lock called `id` in `store`, on the clock of [`block_on`].
///
/// # Errors
///
/// [`ConfigError`] names the first setting that cannot work.
pub fn lock(
    store: impl Store + Send + Sync + 'static,
    id: &str,
    options: &LockOptions,
) -> Result<Lock, ConfigError> {
    let config = LockConfig::new(id, options)?;
    Ok(Lock::from_config(store, ThreadClock::new(), config, Tokens::from_os()))
}

/// Takes the lock, runs `work` under it, and releases it. A thread renews the lease for as long as
/// the work takes. The work is not stopped if the lease is lost: it asks [`LeaseView::ensure`]
/// before it acts.
///
/// # Errors
///
/// As [`Acquire::hold`]; [`HoldError::Lost`] once the work is done.
///
/// # Panics
///
/// If `work` does; the lock is then released in the background.
pub fn hold<T, E>(
    acquire: Acquire,
    work: impl FnOnce(LeaseView) -> Result<T, E>,
) -> Result<T, HoldError<E>> {
    let mut lease = block_on(acquire).map_err(HoldError::NotAcquired)?;
    // Without a thread, the work has one lease of time, and whether that was enough is told.
    let _ = lease.keep_alive();
    let result = work(lease.view());
    let over = lease.remaining().is_zero();
    // What it finds is no matter of the work's.
    let _ = block_on(lease.release());
    match result {
        Ok(_) if over => Err(HoldError::Lost(LossReason::Expired)),
        result => result.map_err(HoldError::Failed),
    }
}
