//! Messages on their way, for those who draw a run. No checker learns of them, nor does the hash of
//! a trace.

use super::{Body, Fate, Message, System};
use crate::history::{Client, TokenId};

/// In place of the number of a server: what is no server.
pub const ELSEWHERE: u8 = u8::MAX;

/// Which message it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parcel {
    /// Which way it goes.
    pub leg: Leg,
    /// Whose request it is, or the answer to it.
    pub client: Client,
    /// The number of the server that it goes to or comes from, or [`ELSEWHERE`].
    pub node: u8,
    /// The number of the request; of writes, among those of the client.
    pub call: u32,
    /// Which of several copies it is, from 0.
    pub copy: u8,
}

/// Which way a message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leg {
    /// From a client to a server.
    Request,
    /// From a server to a client.
    Reply,
    /// From a client to the protected resource.
    Write,
}

/// What becomes of a message, and what servers do on their own. Times are true times in
/// microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transit {
    /// It is sent.
    Sent {
        /// Which.
        parcel: Parcel,
        /// When it leaves.
        leaves: u64,
        /// When it arrives, if it does.
        due: u64,
        /// What becomes of it.
        fate: Fate,
    },
    /// It arrives, and is looked at.
    Arrived(Parcel),
    /// It arrives when nobody waits for it.
    Unheard(Parcel),
    /// The server sits on it, or does not answer.
    Unanswered(Parcel),
    /// One of several independent servers has the lock's key under another token than before, or
    /// under none.
    Stored {
        /// The number of the server.
        node: u8,
        /// Whose token, and until when.
        key: Option<(TokenId, u64)>,
    },
    /// A server hands what was written to a replica, which has it at `due`; if that is known.
    Replicated {
        /// Which.
        replica: u8,
        /// When it has it.
        due: Option<u64>,
    },
    /// A replica takes over.
    TookOver {
        /// Which.
        replica: u8,
        /// It has what was written before.
        has_until: u64,
        /// When it begins to answer.
        up_at: u64,
    },
}

impl<S: System> Message<S> {
    /// Which message it is on its way to the server, or back.
    pub(super) fn parcel(&self) -> Parcel {
        let leg = if matches!(self.body, Body::Request(_)) { Leg::Request } else { Leg::Reply };
        let Self { client, call, .. } = *self;
        let remote = self.is_remote() || matches!(self.body, Body::RemoteResponse(_));
        let node = if remote { ELSEWHERE } else { self.node };
        Parcel { leg, client, node, call, copy: self.number() }
    }

    /// What it says, for people.
    pub(super) fn words(&self) -> String {
        match &self.body {
            Body::Request(request) => S::request_words(request),
            Body::Response(response) => S::response_words(response),
            Body::RemoteResponse(_) => "the answer".into(),
        }
    }
}
