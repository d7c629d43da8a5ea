//! What the machines ask of a store, and what a store may answer.

mod erased;

pub use self::erased::DynStore;

use alloc::{borrow::Cow, sync::Arc};
use core::{
    error, fmt,
    future::{Future, poll_fn, ready},
    pin::pin,
    task::Poll,
};

use crate::{
    debounce::{DebounceCommand, DebounceReply},
    lock::{LockCommand, LockKeys, LockReply},
    subscription::Subscription,
};

/// One question to a store, applied atomically or not at all.
///
/// Deliberately exhaustive: a store must answer every command.
///
/// ```
/// use leasehold_core::{Command, lock::{LockCommand, LockKeys}};
///
/// let who = LockCommand::Inspect { keys: LockKeys::of("job").into(), token: None };
/// let command = Command::Lock(who);
/// # let _ = command;
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Command {
    /// A question about a lock.
    Lock(LockCommand),
    /// A question about a debounced call.
    Debounce(DebounceCommand),
}

/// A store's answer to a [`Command`].
///
/// Deliberately exhaustive: a machine must handle every reply. That a reply answers *its* command is
/// no type: it comes from outside, over a wire, through a [`DynStore`] or from a store of somebody
/// else's, so a machine must doubt it in any case. To one that does not answer it says
/// [`StoreError::Unknown`], since the command may have been applied.
///
/// ```
/// use leasehold_core::{Reply, lock::{Holder, LockReply}};
///
/// let free = Reply::Lock(LockReply::Holder(Holder::Free));
/// # let _ = free;
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Reply {
    /// The answer to [`Command::Lock`].
    Lock(LockReply),
    /// The answer to [`Command::Debounce`].
    Debounce(DebounceReply),
}

/// A place where commands are applied: a Redis server, a quorum of them, or this process.
///
/// # Contract
///
/// * A command is applied **atomically**, and at most once for each time it is sent. It may be
///   applied again if a layer below sends it again: every command is idempotent.
/// * `Ok` only if the command was applied and the reply is to this very command.
/// * [`StoreError::NotSent`] only if it is certain that the command was not applied and never will
///   be. In doubt: [`StoreError::Unknown`].
/// * Keys expire by the store's own clock, never earlier than the time asked for (as far as that
///   clock is right) and never without a time to live.
/// * Dropping the future is allowed at any point and means *unknown*.
/// * `execute` may be called concurrently, from any thread.
///
/// The other methods are abilities that a store may have; the defaults are correct for all.
///
/// ```
/// use leasehold_core::{Command, MemoryStore, Reply, Store, StoreError};
///
/// /// Says what is asked of another store.
/// struct Told(MemoryStore);
///
/// impl Store for Told {
///     async fn execute(&self, command: Command) -> Result<Reply, StoreError> {
///         println!("{command:?}");
///         self.0.execute(command).await
///     }
/// }
/// ```
pub trait Store {
    /// Applies `command` and returns the reply.
    ///
    /// # Errors
    ///
    /// What happened, and whether the command can have been applied: see [`StoreError`].
    fn execute(&self, command: Command) -> impl Future<Output = Result<Reply, StoreError>> + Send;

    /// Sends `command`, in order with what is sent later over the same connection, and does not
    /// wait for the reply. What becomes of it is *unknown*.
    ///
    /// The default polls [`Store::execute`] once and drops it. That sends, if the client writes or
    /// hands over to a task of its own in the first poll, as multiplexed connections do. A store
    /// whose requests end with their future must override it, e.g. by a task.
    fn send(&self, command: Command) -> impl Future<Output = ()> + Send {
        let call = self.execute(command);
        async move {
            let mut call = pin!(call);
            poll_fn(|context| {
                let _ = call.as_mut().poll(context);
                Poll::Ready(())
            })
            .await;
        }
    }

    /// Subscribes to releases of the lock under `keys`. Completes once the subscription is in
    /// place: a release that is applied after that is notified, unless the notification is lost.
    /// `None` if the store sends none, or none now; waiters then look more often. The default has
    /// none.
    ///
    /// A Redis publishes an empty message on [`LockKeys::channel`] whenever a release frees a lock.
    fn subscribe(&self, keys: &LockKeys) -> impl Future<Output = Option<Subscription>> + Send {
        let _ = keys;
        ready(None)
    }

    /// This store behind a pointer, so that its type is no part of the types that use it. The
    /// default does that; a [`DynStore`] returns itself.
    fn into_dyn(self) -> DynStore
    where
        Self: Sized + Send + Sync + 'static,
    {
        DynStore::new(self)
    }
}

impl<S: Store + ?Sized> Store for &S {
    fn execute(&self, command: Command) -> impl Future<Output = Result<Reply, StoreError>> + Send {
        (**self).execute(command)
    }

    fn send(&self, command: Command) -> impl Future<Output = ()> + Send {
        (**self).send(command)
    }

    fn subscribe(&self, keys: &LockKeys) -> impl Future<Output = Option<Subscription>> + Send {
        (**self).subscribe(keys)
    }
}

impl<S: Store + ?Sized> Store for Arc<S> {
    fn execute(&self, command: Command) -> impl Future<Output = Result<Reply, StoreError>> + Send {
        (**self).execute(command)
    }

    fn send(&self, command: Command) -> impl Future<Output = ()> + Send {
        (**self).send(command)
    }

    fn subscribe(&self, keys: &LockKeys) -> impl Future<Output = Option<Subscription>> + Send {
        (**self).subscribe(keys)
    }
}

/// Why a command has no reply, by what that means for the caller.
///
/// ```
/// use leasehold_core::{Cause, StoreError};
///
/// fn is_certain(error: &StoreError) -> bool {
///     !matches!(error, StoreError::Unknown(_))
/// }
/// assert!(!is_certain(&StoreError::Unknown(Cause::TIMED_OUT)));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum StoreError {
    /// The command was certainly not applied and never will be: safe to try again.
    NotSent(Cause),
    /// The command may or may not have been applied, now or later: ambiguous.
    Unknown(Cause),
    /// The server answered no; nothing was applied and trying again will not help. (A server that
    /// lets its user run some commands of a script only may have run those: give it all of them.)
    Rejected(Rejection),
}

/// What went wrong on the way.
///
/// ```
/// use leasehold_core::Cause;
///
/// assert_eq!(Cause::TIMED_OUT.to_string(), "no reply in time");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Cause {
    /// No reply within the time allowed. From which host and port, if a store says it.
    TimedOut(Cow<'static, str>),
    /// The connection broke. To which host and port, and how, if a store says it.
    Disconnected(Cow<'static, str>),
    /// No connection could be made: to which host and port, and why not, without any credentials.
    Unreachable(Cow<'static, str>),
    /// The server is loading, busy, or not the leader, and says to try again.
    TryAgain(Cow<'static, str>),
    /// Fewer replicas are connected than the server wants for a write (`min-replicas-to-write`).
    /// Bring them back; it passes by itself once they are.
    TooFewReplicas(Cow<'static, str>),
    /// A reply came, but not in the shape that the command calls for.
    Malformed(Cow<'static, str>),
    /// Anything else, as the adapter tells it.
    Other(Cow<'static, str>),
}

/// The server's refusal.
///
/// ```
/// use leasehold_core::{Rejection, RejectionKind};
///
/// let refused = Rejection { kind: RejectionKind::ReadOnly, message: "READONLY".into() };
/// assert_eq!(refused.to_string(), "READONLY");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Rejection {
    /// The kind of refusal.
    pub kind: RejectionKind,
    /// The server's own words.
    pub message: Cow<'static, str>,
}

/// The kinds of refusal that a caller can act on.
///
/// ```
/// use leasehold_core::{RejectionKind, StoreError};
///
/// fn needs_other_rights(error: &StoreError) -> bool {
///     matches!(error, StoreError::Rejected(refused) if refused.kind == RejectionKind::NotAllowed)
/// }
/// # let _ = needs_other_rights;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RejectionKind {
    /// The credentials are wrong, or do not allow the command or one that its script runs: give
    /// others, or let the user run those that the [scripts](crate::redis::SCRIPTS) do.
    NotAllowed,
    /// The server cannot write to its disk, and takes no writes until it can (`MISCONF`): make room
    /// on the disk, or see the server's log.
    DiskError,
    /// The server is out of memory: give it more, or let it evict other keys (but no locks).
    OutOfMemory,
    /// The server only serves reads: it is a replica, so ask the primary.
    ReadOnly,
    /// The script failed.
    Script,
    /// The key holds something that is not a lock or a debounce record.
    WrongType,
    /// Any other refusal.
    Other,
}

impl StoreError {
    /// What went wrong on the way, unless the server refused.
    pub(crate) fn cause(&self) -> Option<&Cause> {
        match self {
            Self::NotSent(cause) | Self::Unknown(cause) => Some(cause),
            Self::Rejected(_) => None,
        }
    }
}

impl Cause {
    /// No reply in time from a server that is not named: what a driver knows that gives a call up.
    pub const TIMED_OUT: Self = Self::TimedOut(Cow::Borrowed(""));
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotSent(cause) => {
                write!(f, "the store was not reached, nothing happened: {cause}")
            }
            Self::Unknown(cause) => {
                write!(f, "the store did not answer, the command may have been applied: {cause}")
            }
            Self::Rejected(rejection) => write!(f, "the store refused: {}", rejection.message),
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TimedOut(server) if server.is_empty() => f.write_str("no reply in time"),
            Self::TimedOut(server) => write!(f, "no reply in time from {server}"),
            Self::Disconnected(text) if text.is_empty() => f.write_str("the connection broke"),
            Self::Disconnected(text) => write!(f, "the connection broke: {text}"),
            Self::Unreachable(text) => write!(f, "no connection could be made: {text}"),
            Self::TryAgain(text) => write!(f, "the server says to try again: {text}"),
            Self::TooFewReplicas(text) => {
                write!(f, "too few replicas are connected, bring them back: {text}")
            }
            Self::Malformed(text) => write!(f, "a reply of the wrong shape: {text}"),
            Self::Other(text) => f.write_str(text),
        }
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl error::Error for StoreError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        Some(match self {
            Self::NotSent(cause) | Self::Unknown(cause) => cause,
            Self::Rejected(rejection) => rejection,
        })
    }
}

impl error::Error for Cause {}
impl error::Error for Rejection {}
