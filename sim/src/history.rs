//! What happened in a run, as an outside observer sees it: all that the checkers may read.
//!
//! Times are **true** times in microseconds from the start of the run; no clock in the world
//! shows them.

mod token;

pub use token::{OWNERS, TokenId};

use crate::decide::Fault;

/// A client, by number.
pub type Client = u8;

/// What a client asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Ask {
    /// Take the lock.
    Acquire,
    /// Move the deadline.
    Extend,
    /// Give it up.
    Release,
}

/// What a client is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Answer {
    /// To acquire: yes.
    Acquired,
    /// To acquire: certainly no.
    NotAcquired,
    /// To acquire: no, since its token was given up before.
    Spent,
    /// To extend: yes.
    Extended,
    /// To extend: the lock is not ours any more, by the server's word.
    Taken,
    /// To extend: the lock is not ours any more, by our own clock.
    Expired,
    /// To release: it was ours and is free.
    Released,
    /// To release: it was not ours any more.
    NotHeld,
    /// The store was not reached.
    Unavailable,
    /// The store refused.
    Refused,
    /// It is not known.
    Unknown,
    /// Nothing: the caller went away.
    Dropped,
}

/// Why a client no longer believes that it holds the lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum End {
    /// It began to release.
    Releasing,
    /// It was told that the lease is over.
    Lost,
    /// The caller vanished: cancelled or crashed.
    Gone,
}

/// What a caller awaits of a handle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Awaited {
    /// An acquire that asks some times.
    Acquire,
    /// An acquire that waits until a deadline.
    Wait,
    /// An extension.
    Extend,
    /// A release.
    Release,
    /// An acquire, the work under it and its release, in one.
    Hold,
    /// Giving back what a call may have left behind.
    Clear,
    /// The end of its own rest under a lease.
    Work,
    /// The end of its own rest under a lease that is renewed in the background.
    Kept,
    /// A debounced call, and the run that it may be.
    Call,
    /// A flush of a debounced function, and the run of what waited.
    Flush,
    /// A sweep, and the run of what is due.
    Sweep,
    /// A cancellation of what waits.
    Cancel,
}

impl Awaited {
    /// Each of them.
    pub const ALL: [Self; 12] = [
        Self::Acquire,
        Self::Wait,
        Self::Extend,
        Self::Release,
        Self::Hold,
        Self::Clear,
        Self::Work,
        Self::Kept,
        Self::Call,
        Self::Flush,
        Self::Sweep,
        Self::Cancel,
    ];
}

/// What a command does to the lock's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Act {
    /// Take it.
    Acquire,
    /// Lengthen it.
    Extend,
    /// Free it.
    Release,
    /// Anything else.
    Other,
}

/// A call of a debounced function: who made it, and which one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId(u32);

impl CallId {
    /// Call number `number` of `client`.
    #[must_use]
    pub fn of(client: Client, number: u16) -> Self {
        Self(u32::from(client) << 16 | u32::from(number))
    }

    /// The call whose arguments these are: every call passes its own number.
    #[must_use]
    pub(crate) fn from_args(args: &[u8]) -> Option<Self> {
        args.try_into().ok().map(u32::from_be_bytes).map(Self)
    }

    /// Which client made it.
    #[must_use]
    pub fn client(self) -> Client {
        (self.0 >> 16) as u8
    }

    /// Its number among the calls of that client.
    #[must_use]
    pub fn number(self) -> u16 {
        self.0 as u16
    }

    /// All of it as a number.
    #[must_use]
    pub fn as_u32(self) -> u32 {
        self.0
    }
}

/// What a debounced call is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum CallAnswer {
    /// It ran, and its run counts.
    Fired,
    /// It ran elsewhere, with its arguments.
    FiredElsewhere,
    /// A newer call ran.
    Superseded,
    /// Nothing but that it was taken care of.
    TakenCareOf,
    /// That it does not count: the store was not reached, or refused.
    NotCounted,
    /// That it was cancelled.
    Cancelled,
    /// That it is not settled, or not known to be.
    Open,
    /// Nothing: the caller went away.
    Dropped,
}

/// One thing that happened to a debounced function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DebounceEvent {
    /// A client calls.
    Called {
        /// Who.
        client: Client,
        /// Which call.
        call: CallId,
    },
    /// A server counted a call, maybe not for the first time.
    Armed {
        /// Which call.
        call: CallId,
    },
    /// A server let a client run the calls up to this one.
    Claimed {
        /// Whom.
        client: Client,
        /// The newest call that the run covers, whose arguments it has.
        call: CallId,
        /// The fence of the run, 0 if there are none.
        fence: u64,
        /// Until when the run may take.
        until: u64,
    },
    /// A client begins to run the callback.
    RunBegan {
        /// Who.
        client: Client,
        /// With the arguments of which call.
        call: CallId,
        /// With which fence.
        fence: u64,
    },
    /// It ends.
    RunEnded {
        /// Whose.
        client: Client,
        /// Which call's.
        call: CallId,
        /// Whether it went well.
        success: bool,
    },
    /// What the callback writes reached the protected resource.
    Wrote {
        /// Whose.
        client: Client,
        /// The call whose arguments were written.
        call: CallId,
        /// With which fence.
        fence: u64,
        /// Whether the resource took it.
        accepted: bool,
    },
    /// A server took note that the run with this fence went well.
    Settled {
        /// Whose run.
        client: Client,
        /// With which fence.
        fence: u64,
    },
    /// A server took note that a run failed, or that a claim was given back.
    Rearmed {
        /// Whose run.
        client: Client,
    },
    /// A call returns.
    Returned {
        /// Who.
        client: Client,
        /// Which call.
        call: CallId,
        /// What it is told.
        answer: CallAnswer,
    },
    /// At the end of the run: how many keys never expire.
    Immortal {
        /// How many.
        keys: u32,
    },
    /// A server dropped what waited, if anything did, at a client's word.
    Cancelled,
    /// A server took note that a run failed, or was given back, of calls that are cancelled.
    NotRearmed {
        /// Whose run.
        client: Client,
    },
    /// A server made due what waited, at a client's word.
    Flushed,
    /// From here on, the first call of a burst is due at once.
    Leads,
    /// A client dropped the callback that it ran, or that panicked: it has no more to do with the run.
    Vanished {
        /// Who.
        client: Client,
    },
}

/// One thing that happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    /// Something about a debounced function.
    Debounce(DebounceEvent),
    /// A client calls.
    Asked {
        /// Who.
        client: Client,
        /// What.
        ask: Ask,
        /// The time by which it must be told something.
        by: u64,
    },
    /// A call returns.
    Returned {
        /// Who.
        client: Client,
        /// What it had asked.
        ask: Ask,
        /// What it is told.
        answer: Answer,
        /// The last token that the call used.
        token: Option<TokenId>,
    },
    /// A client believes that it holds the lock: from now on, or for longer than before.
    Held {
        /// Who.
        client: Client,
        /// Under which token.
        token: TokenId,
        /// With which fence, 0 if there are none.
        fence: u64,
        /// Until when by its own reckoning.
        until: u64,
    },
    /// A client does what the lock protects.
    Acted {
        /// Who.
        client: Client,
        /// Under which token.
        token: TokenId,
    },
    /// A client stops believing.
    Ended {
        /// Who.
        client: Client,
        /// Under which token.
        token: TokenId,
        /// Why.
        end: End,
    },
    /// A caller goes away from what it awaits of a handle.
    Left {
        /// Which client's.
        client: Client,
        /// In which of its jobs.
        job: u32,
        /// What it awaited.
        awaited: Awaited,
        /// Which of its waits there, from 1.
        at: u32,
    },
    /// A request leaves a client.
    Sent {
        /// Who.
        client: Client,
        /// The number of its request.
        call: u32,
        /// What it does.
        act: Act,
        /// Under which token.
        token: Option<TokenId>,
    },
    /// A server applied a request.
    Applied {
        /// Whose.
        client: Client,
        /// The number of its request.
        call: u32,
        /// Which copy, 0 for the first.
        copy: u8,
        /// What it does.
        act: Act,
        /// On behalf of which grant.
        behalf: Option<TokenId>,
        /// The longest time to live that it asks for, in µs.
        lease: u64,
    },
    /// The lock's key is not as it was before the last [`Event::Applied`], or its expiry moved.
    Key {
        /// Whose token was there.
        before: Option<TokenId>,
        /// Whose token is there.
        after: Option<TokenId>,
        /// When that expires, [`u64::MAX`] for never.
        expires: u64,
        /// Whether a request did it (else an expiry, a restart, a clock or a failover).
        by_request: bool,
    },
    /// A server granted the lock.
    Granted {
        /// Under which token.
        token: TokenId,
        /// With which fence, 0 if there are none.
        fence: u64,
    },
    /// A write reached the protected resource.
    Wrote {
        /// Whose.
        client: Client,
        /// Under which token.
        token: TokenId,
        /// With which fence.
        fence: u64,
        /// Whether the resource took it.
        accepted: bool,
    },
    /// A reply reached a client that still waited for it.
    Answered {
        /// Who.
        client: Client,
        /// The number of its request.
        call: u32,
        /// Whether it is a reply, or an error on the way.
        ok: bool,
    },
    /// A client gave up waiting for a reply.
    GaveUp {
        /// Who.
        client: Client,
        /// The number of its request.
        call: u32,
    },
    /// A fault is injected.
    Injected {
        /// Which.
        fault: Fault,
        /// Whom, if it is a client or a client's message.
        client: Option<Client>,
        /// How: the choice that was made.
        choice: u32,
        /// Until when it lasts.
        until: u64,
    },
    /// A fault changed what would have happened.
    TookEffect {
        /// Which.
        fault: Fault,
        /// Whom.
        client: Option<Client>,
        /// Which request, if it is one.
        call: u32,
    },
    /// From here on, there are no more faults.
    Healed,
    /// The run is over.
    Finished,
}
