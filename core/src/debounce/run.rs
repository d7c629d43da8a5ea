//! What a callback sees of its run.

use core::{fmt, time::Duration};

use super::{Args, Claim};
use crate::{
    time::{Clock, DynClock, Instant},
    token::Fence,
};

/// A run of a debounced call, as its callback sees it.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::{io, time::Duration};
/// use leasehold_core::{MemoryStore, debounce::{Debounce, DebounceOptions, Run}};
///
/// async fn index(run: Run) -> Result<(), io::Error> {
///     assert_eq!(run.args().text(), Some("page 7"));
///     assert!(run.remaining() > Duration::from_secs(1));
///     Ok(())
/// }
///
/// let options = DebounceOptions::new().wait(Duration::from_millis(1));
/// let debounce = Debounce::with_options(MemoryStore::new(), "index", &options)?;
/// let called = debounce.call("page 7", index).await?;
/// # let _ = called;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Run {
    claim: Claim,
    args: Args,
    clock: DynClock,
}

impl Run {
    pub(super) fn new(claim: Claim, clock: DynClock) -> Self {
        let args = Args::from(claim.args().clone());
        Self { claim, args, clock }
    }

    /// The latest arguments, whoever gave them.
    #[must_use]
    pub fn args(&self) -> &Args {
        &self.args
    }

    /// Greater than that of any earlier run: send it with every write.
    #[must_use]
    pub fn fence(&self) -> Fence {
        self.claim.fence()
    }

    /// The number of the newest call that the run covers.
    #[must_use]
    pub fn seq(&self) -> u64 {
        self.claim.seq()
    }

    /// When the run must have ended, on the local clock. From then on another may run.
    #[must_use]
    pub fn deadline(&self) -> Instant {
        self.claim.deadline()
    }

    /// The time left until the deadline, zero once it has passed.
    #[must_use]
    pub fn remaining(&self) -> Duration {
        self.deadline().since(self.clock.now())
    }
}

impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run").field("claim", &self.claim).finish_non_exhaustive()
    }
}
