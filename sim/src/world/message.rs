//! What travels between clients and servers.

use leasehold_core::{Command, Reply, StoreError};

use crate::{
    history::{Act, Client, TokenId},
    subjects::upstream::UpstreamCommand,
};
use leasehold_fake_redis as redis;

/// A request or the reply to it: the same box goes there and back.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Message {
    pub(crate) client: Client,
    /// Which server it goes to, or comes from.
    pub(crate) node: u8,
    /// The life of the process that sent it.
    pub(crate) life: u32,
    pub(crate) call: u32,
    pub(crate) copy: u8,
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
