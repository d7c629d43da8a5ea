//! A job that several machines have in their cron tables, and that must run mostly once.
//!
//! Every machine takes the lock of the *slot*, not of the job: `nightly-report@2026-01-31`. Whoever
//! gets it runs the job, and on success leaves the lock to expire instead of releasing it, so that
//! a machine whose clock is late still finds the slot taken. On failure it releases, and the next
//! machine may try.
//!
//! "Mostly", since a lock with a time to live cannot stop a machine that was paused in the middle
//! of its job. What must not happen twice also needs a fence: see the example `leader`.
//!
//! ```sh
//! REDIS_URL=redis://127.0.0.1:6379 cargo run -p leasehold-upstash --example cron
//! ```
//!
//! It plays three machines, of which the first fails, and ends. The slot may be given as an
//! argument, to run it in several terminals.

mod environment;

use std::{error::Error, time::Duration};

use leasehold_core::{
    DynStore,
    lock::{Lock, NotAcquired},
};

/// Longer than the job takes, and than the machines' clocks differ.
const SLOT_TAKEN_FOR: Duration = Duration::from_secs(60 * 60);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let slot = std::env::args().nth(1).unwrap_or_else(|| format!("demo-{}", std::process::id()));
    let store = environment::store()?;
    for machine in 1..=3 {
        tick(store.clone(), &slot, machine).await?;
    }
    Ok(())
}

/// What cron starts on each machine.
async fn tick(store: DynStore, slot: &str, machine: u32) -> Result<(), Box<dyn Error>> {
    let lock = Lock::new(store, &format!("nightly-report@{slot}"))?;
    // Cron does not wait: whoever comes second has nothing to do.
    let mut lease = match lock.acquire().lease(SLOT_TAKEN_FOR).attempts(1).await {
        Ok(lease) => lease,
        Err(NotAcquired::Busy { .. }) => {
            println!("machine {machine}: the slot is taken, nothing to do");
            return Ok(());
        }
        // Whether the slot is free is not known: better no report than two of them.
        Err(error) => return Err(error.into()),
    };
    match report(machine).await {
        Ok(pages) => {
            println!("machine {machine}: reported {pages} pages");
            lease.forget();
        }
        Err(why) => {
            println!("machine {machine}: failed ({why}), and leaves the slot to another");
            lease.release().await?;
        }
    }
    Ok(())
}

/// The job.
async fn report(machine: u32) -> Result<u32, &'static str> {
    if machine == 1 { Err("the printer is on fire") } else { Ok(12) }
}
