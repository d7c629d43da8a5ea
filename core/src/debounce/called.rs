//! What the handle's callers are told.

use core::{error, fmt, time::Duration};

use crate::store::{Rejection, StoreError};

/// What became of a call.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::{io, time::Duration};
/// use leasehold_core::{MemoryStore, debounce::{Called, Debounce, DebounceOptions}};
///
/// let options = DebounceOptions::new().wait(Duration::from_millis(1));
/// let debounce = Debounce::with_options(MemoryStore::new(), "index", &options)?;
/// match debounce.call("page 7", async |_| Ok::<_, io::Error>("indexed")).await? {
///     Called::Fired(result) => assert_eq!(result, "indexed"),
///     other => println!("it ran elsewhere, or will: {other:?}"),
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "it says whether the call ran, and who will run it if not"]
pub enum Called<R> {
    /// The callback ran here, and its calls are settled.
    Fired(R),
    /// The callback ran here, but the server does not know it, so it may run again.
    Unsettled {
        /// What it returned.
        result: R,
        /// Why.
        reason: Unsettled,
    },
    /// A run with newer arguments succeeded elsewhere.
    Superseded {
        /// The number of the newest call that it covered.
        by: u64,
    },
    /// A run with this call's arguments succeeded elsewhere.
    FiredElsewhere,
    /// Without `trailing`: an earlier call of the window ran, and this one does not count.
    Suppressed {
        /// How long until a call counts again, if no other comes.
        reopens_in: Duration,
    },
    /// The caller left, as its settings say. These arguments, or newer ones, are armed, and run when
    /// another participant or a sweeper claims them.
    Delegated {
        /// In how long they are due, at the earliest.
        due_in: Duration,
    },
    /// The call was cancelled, and no run with arguments as new is known to have succeeded.
    Cancelled,
}

/// What a sweep or a flush found.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::io;
/// use leasehold_core::{MemoryStore, debounce::{Debounce, Swept}};
///
/// let debounce = Debounce::new(MemoryStore::new(), "index")?;
/// let swept = debounce.sweep(async |_| Ok::<_, io::Error>(())).await?;
/// assert_eq!(swept, Swept::Idle { due_in: None }); // nobody called
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "it says whether the callback ran, and when to come back"]
pub enum Swept<R> {
    /// The callback ran here, and its calls are settled.
    Fired(R),
    /// The callback ran here, but the server does not know it, so it may run again.
    Unsettled {
        /// What it returned.
        result: R,
        /// Why.
        reason: Unsettled,
    },
    /// Nothing is due.
    Idle {
        /// In how long something will be, or another's run may have ended; `None` if nothing waits
        /// and nothing runs.
        due_in: Option<Duration>,
    },
}

/// Why the server does not know that a run succeeded.
///
/// ```
/// use leasehold_core::debounce::Unsettled;
///
/// fn is_repeated_elsewhere(why: &Unsettled) -> bool {
///     matches!(why, Unsettled::TakenOver)
/// }
/// # assert!(is_repeated_elsewhere(&Unsettled::TakenOver));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Unsettled {
    /// The run took longer than its lease, or a failover forgot it, and another has begun.
    TakenOver,
    /// The store did not say.
    Unknown(StoreError),
}

/// Why a call has no result.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use leasehold_core::{MemoryStore, debounce::{CallError, Debounce, DebounceOptions, NextRun}};
///
/// let options = DebounceOptions::new().wait(Duration::from_millis(1));
/// let debounce = Debounce::with_options(MemoryStore::new(), "index", &options)?;
/// let failed = debounce.call("page 7", async |_| Err::<(), _>("the disk is full")).await;
/// let Err(CallError::Failed { error, next }) = failed else { panic!("it fails") };
/// assert_eq!(error, "the disk is full");
/// assert!(matches!(next, NextRun::Rearmed { .. })); // it will be tried again
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CallError<E> {
    /// The callback ran here and failed.
    Failed {
        /// Its error.
        error: E,
        /// What becomes of the calls that it covered.
        next: NextRun,
    },
    /// The callback ran here, and was dropped where it was when its lease was over.
    Overran {
        /// What becomes of the calls that it covered.
        next: NextRun,
    },
    /// The store could not be reached, and nothing happened.
    Unavailable(StoreError),
    /// The store refused, and nothing happened.
    Rejected(Rejection),
    /// The store did not answer. The arguments may be armed, and may have run.
    Unknown(StoreError),
}

/// What becomes of calls whose run failed.
///
/// ```
/// use std::time::Duration;
/// use leasehold_core::debounce::NextRun;
///
/// let next = NextRun::Rearmed { due_in: Duration::from_secs(1) };
/// if let NextRun::Rearmed { due_in } = next {
///     println!("it is tried again in {due_in:?}");
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum NextRun {
    /// They, or newer ones, are due again: when a participant or a sweeper claims them.
    Rearmed {
        /// In how long.
        due_in: Duration,
    },
    /// Another has begun to run them, or newer ones; or a failover forgot the run.
    TakenOver,
    /// They were cancelled meanwhile.
    Cancelled,
    /// The store did not say. If nothing else, they are due again when the run's lease is over.
    Unknown(StoreError),
}

impl<E: fmt::Display> fmt::Display for CallError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed { error, next } => write!(f, "the callback failed: {error}; {next}"),
            Self::Overran { next } => {
                write!(f, "the callback took longer than the run lease: give a longer one; {next}")
            }
            Self::Unavailable(error) | Self::Unknown(error) => error.fmt(f),
            Self::Rejected(rejection) => StoreError::Rejected(rejection.clone()).fmt(f),
        }
    }
}

impl fmt::Display for NextRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rearmed { due_in } => write!(f, "its arguments are due again in {due_in:?}"),
            Self::TakenOver => f.write_str("another runs its arguments or newer ones"),
            Self::Cancelled => f.write_str("its calls were cancelled"),
            Self::Unknown(_) => f.write_str("its arguments are due again by the end of its lease"),
        }
    }
}

impl<E: error::Error + 'static> error::Error for CallError<E> {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Failed { error, .. } => Some(error),
            Self::Unavailable(error) | Self::Unknown(error) => Some(error),
            Self::Overran { .. } | Self::Rejected(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::string::ToString;

    use super::*;
    use crate::store::{Cause, RejectionKind};

    const UNKNOWN: StoreError = StoreError::Unknown(Cause::TIMED_OUT);
    const UNREACHABLE: StoreError =
        StoreError::NotSent(Cause::Unreachable(std::borrow::Cow::Borrowed("refused")));

    #[test]
    fn an_error_says_what_went_wrong_what_comes_next_and_what_caused_it() {
        use CallError::*;
        let rejection = Rejection { kind: RejectionKind::WrongType, message: "WRONGTYPE".into() };
        let overran = "the callback took longer than the run lease: give a longer one";
        let failed = |next| Failed { error: UNREACHABLE, next };
        let due_in = Duration::from_secs(2);
        let rows = [
            (failed(NextRun::Cancelled), "; its calls were cancelled", Some(UNREACHABLE)),
            (failed(NextRun::Rearmed { due_in }), "are due again in 2s", Some(UNREACHABLE)),
            (failed(NextRun::TakenOver), "the callback failed: the store was", Some(UNREACHABLE)),
            (Overran { next: NextRun::TakenOver }, "; another runs its arguments", None),
            (Overran { next: NextRun::Unknown(UNKNOWN) }, overran, None),
            (Overran { next: NextRun::Unknown(UNKNOWN) }, "again by the end of its lease", None),
            (Unavailable(UNREACHABLE), "no connection could be made", Some(UNREACHABLE)),
            (Unknown(UNKNOWN), "no reply in time", Some(UNKNOWN)),
            (Rejected(rejection), "the store refused: WRONGTYPE", None),
        ];
        for (error, part, cause) in rows {
            let text = error.to_string();
            assert!(text.contains(part), "{text}");
            let source = error::Error::source(&error);
            assert_eq!(source.and_then(|source| source.downcast_ref()), cause.as_ref(), "{text}");
        }
    }
}
