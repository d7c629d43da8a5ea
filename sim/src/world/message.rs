//! What travels between clients and servers.

use super::System;
use crate::history::Client;

/// A request or the reply to it: the same box goes there and back.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Message<S: System> {
    /// Who sent the request.
    pub client: Client,
    /// Which server it goes to, or comes from.
    pub node: u8,
    /// The life of the process that sent it.
    pub life: u32,
    /// The number of the call.
    pub call: u32,
    /// 0 for what the client sent, 1 for a copy.
    pub copy: u8,
    /// Whether the copy is what a server had all the time, and does late.
    pub held_back: bool,
    /// Whether what carries it has sent it again, since the first reply was lost.
    pub resent: bool,
    /// What it says.
    pub body: Body<S>,
}

/// What a message says.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Body<S: System> {
    /// What a client asks.
    Request(S::Request),
    /// What it is answered.
    Response(Response<S>),
    /// What it is answered by something that is no server.
    RemoteResponse(S::Response),
}

/// What a client is answered.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Response<S: System> {
    /// By a server.
    Answer(S::Response),
    /// An error on the way, which says nothing of the request's fate.
    Broken,
    /// The server is certain to have refused to look at it.
    Refused,
}

impl<S: System> Message<S> {
    /// Which of several copies it is, from 0.
    #[must_use]
    pub fn number(&self) -> u8 {
        self.copy.max(self.resent.into())
    }

    /// Whether it is on its way to something that is no server.
    #[inline]
    pub(crate) fn is_remote(&self) -> bool {
        matches!(&self.body, Body::Request(request) if S::is_remote(request))
    }
}
