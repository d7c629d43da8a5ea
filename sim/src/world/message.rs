//! What travels between clients and servers.

use leasehold_core::{Command, Reply, StoreError};

use crate::{
    history::{Act, Client, TokenId},
    redis,
    subjects::upstream::UpstreamCommand,
};

/// A request or the reply to it: the same box goes there and back.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Message {
    pub(crate) client: Client,
    /// Which server it goes to, or comes from.
    pub(crate) node: u8,
    /// The life of the process that sent it.
    pub(crate) life: u8,
    pub(crate) call: u32,
    pub(crate) copy: u8,
    /// Whether what carries it has sent it again, since the first reply was lost.
    pub(crate) resent: bool,
    pub(crate) act: Act,
    pub(crate) behalf: Option<TokenId>,
    pub(crate) body: Body,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Body {
    Request(Request),
    Response(Response),
}

impl Message {
    /// Whether it is on its way to something that is no store.
    #[inline]
    pub(super) fn is_remote(&self) -> bool {
        matches!(self.body, Body::Request(Request::Remote))
    }
}

impl Response {
    /// What is told of a command that was sent again: an error says nothing of the first.
    pub(super) fn or_in_doubt(self) -> Self {
        match self {
            Self::Ours(Err(_)) => Self::Broken,
            response => response,
        }
    }
}

/// What a client asks.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Request {
    /// In our own words.
    Ours(Command),
    /// In those of `@upstash/lock`.
    Upstream(UpstreamCommand),
    /// By a call to something that is no store, of a process of a [`crate::cluster`].
    Remote,
}

/// What it is answered.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Response {
    Ours(Result<Reply, StoreError>),
    Upstream(redis::Resp),
    /// A remote call was carried out.
    Remote,
    /// An error on the way, which says nothing of the request's fate.
    Broken,
    /// The server is certain to have refused to look at it.
    Refused,
}
