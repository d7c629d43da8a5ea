//! The shape of every protocol in this crate: a machine that answers each event with one action.

use alloc::sync::Arc;

use crate::{
    lock::LockKeys,
    store::{Command, Reply, StoreError},
    time::Instant,
};

/// A protocol as a value: no I/O, no clock, no randomness inside.
///
/// Exactly one action per event and at most one call in flight, so there is no queue to drain and
/// nothing to hold wrong: do what the action says, then report how it went.
///
/// | after this action | report |
/// |---|---|
/// | [`Action::Call`] | [`Event::Replied`], or [`Event::Stop`] to give the call up |
/// | [`Action::SleepUntil`] | [`Event::Woke`], [`Event::Notified`] if that is earlier, or [`Event::Stop`] |
/// | [`Action::Subscribe`] | [`Event::Subscribed`], or [`Event::Stop`] |
/// | [`Action::Done`] | [`Event::Start`] |
///
/// [`Event::Start`] is also legal at any other time: it means that the caller dropped what was
/// under way (a future was cancelled), and the machine first cleans up what that may have left.
///
/// ```
/// use leasehold_core::{Action, Event, Instant, Machine};
///
/// fn first_action<M: Machine>(machine: &mut M, request: M::Request) -> Action<M::Outcome> {
///     machine.step(Instant::ORIGIN, Event::Start(request))
/// }
/// ```
pub trait Machine {
    /// What a caller can ask for.
    type Request;
    /// What a caller can be told.
    type Outcome;

    /// Takes one event at local time `now` and says what to do next.
    ///
    /// # Panics
    ///
    /// If the event cannot follow the last action: a bug in the driver, not in the world.
    #[must_use = "the machine waits for the action to be carried out"]
    fn step(&mut self, now: Instant, event: Event<Self::Request>) -> Action<Self::Outcome>;
}

/// What happened.
///
/// ```
/// use leasehold_core::{Cause, Event, StoreError};
///
/// let given_up: Event<()> = Event::Replied(Err(StoreError::Unknown(Cause::TIMED_OUT)));
/// # let _ = given_up;
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Event<R> {
    /// The caller asks for something.
    Start(R),
    /// The call in flight was answered or given up.
    Replied(Result<Reply, StoreError>),
    /// The sleep is over.
    Woke,
    /// The subscription has a notification, which ends the sleep early.
    Notified,
    /// Whether a subscription is in place. `false` is always a legal answer, for a driver without
    /// notifications.
    Subscribed(bool),
    /// The caller wants to end what is under way, cleanly.
    Stop,
}

/// What to do next.
///
/// ```
/// use leasehold_core::{Action, Instant};
///
/// fn wake_at<O>(action: &Action<O>) -> Option<Instant> {
///     match action {
///         Action::Call { give_up_at: at, .. } | Action::SleepUntil(at) => Some(*at),
///         _ => None,
///     }
/// }
/// # assert_eq!(wake_at(&Action::Done(())), None);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[must_use = "the machine waits for the action to be carried out"]
pub enum Action<O> {
    /// Send `command`; if there is no answer by `give_up_at`, report
    /// `Err(StoreError::Unknown(Cause::TIMED_OUT))`.
    Call {
        /// The command to send.
        command: Command,
        /// When to stop waiting for the reply, on the local clock.
        give_up_at: Instant,
    },
    /// Report [`Event::Woke`] at this time, or [`Event::Notified`] if there is a subscription and
    /// it has a notification before.
    SleepUntil(Instant),
    /// Subscribe to releases of a lock, as [`Store::subscribe`](crate::Store::subscribe) does,
    /// until the machine is done.
    Subscribe {
        /// Which lock.
        keys: Arc<LockKeys>,
        /// When to go on without, on the local clock.
        give_up_at: Instant,
    },
    /// Tell the caller.
    Done(O),
}

impl<O> Action<O> {
    /// Whether what it names as its time is not over.
    pub(crate) fn is_not_before(&self, now: Instant) -> bool {
        match self {
            Self::Call { give_up_at: at, .. }
            | Self::SleepUntil(at)
            | Self::Subscribe { give_up_at: at, .. } => *at >= now,
            Self::Done(_) => true,
        }
    }
}

/// The outcome of the request that was driven, which has a variant of its own.
///
/// The type does not say that it is this request's: a machine outlives the futures that drive it, so which of
/// its requests is under way is a state of the machine. Each is answered where its state is, and
/// `drive` starts one and never stops it.
#[cfg(feature = "std")]
macro_rules! outcome_of {
    ($outcome:expr, $request:path) => {
        match $outcome {
            $request(own) => own,
            other => unreachable!("driver: {other:?} came to another request"),
        }
    };
}
#[cfg(feature = "std")]
pub(crate) use outcome_of;
