//! What a world is made for: what runs in it, what its servers are asked, and what goes wrong.
//!
//! The world knows none of them by name. A new algorithm is a [`System`], a new fault implements
//! [`Faults`], and no file of the world changes.

use std::{fmt, hash::Hash};

use super::{Alarm, Deferred, Host, Message, Observer, Plan, Response, Step};
use crate::{
    decide::DecisionSource,
    history::{Client, Event},
};

/// What runs in a world, and what its servers are asked. A value of it says how the clients behave.
pub trait System: Clone + fmt::Debug + Eq + Hash {
    /// What a client runs.
    type Program: Program<Self>;
    /// What a client asks a server.
    type Request: Clone + fmt::Debug + Eq + Hash;
    /// What the server answers.
    type Response: Clone + fmt::Debug + Eq + Hash;
    /// What a client writes to the protected resource.
    type Write: Copy + fmt::Debug + Eq + Hash;
    /// What several clients share, and what an observer was told last.
    type Shared: Clone + fmt::Debug + Eq + Hash;
    /// What may go wrong.
    type Faults: Faults<Self>;

    /// The program of `client`, at its start.
    fn program(plan: &Plan<Self>, client: Client) -> Self::Program;

    /// What is shared, at the start.
    fn shared(plan: &Plan<Self>) -> Self::Shared;

    /// What an observer is told when a client sends `request` as its call number `call`.
    fn sent(client: Client, call: u32, request: &Self::Request) -> Event;

    /// Applies a request to the server that it reached, and tells what an observer sees of it.
    fn apply<C: DecisionSource, W: Observer>(
        step: &mut Step<'_, Self, C, W>,
        message: &Message<Self>,
        request: &Self::Request,
    ) -> Self::Response;

    /// A write reaches the protected resource.
    fn written<C: DecisionSource, W: Observer>(
        step: &mut Step<'_, Self, C, W>,
        client: Client,
        write: Self::Write,
    );

    /// What `request` is, in a few words, for those who draw a run.
    fn request_words(_request: &Self::Request) -> String {
        "a request".into()
    }

    /// What `response` says, in a few words.
    fn response_words(_response: &Response<Self>) -> String {
        "the answer".into()
    }

    /// What `write` is, in a few words.
    fn write_words(_write: &Self::Write) -> String {
        "a write".into()
    }

    /// Whether `request` waits until replicas have all that was written before it.
    fn wait(_request: &Self::Request) -> Option<Wait<Self>> {
        None
    }

    /// Whether `request` goes to something that is no server.
    fn is_remote(_request: &Self::Request) -> bool {
        false
    }

    /// Whether a server refused what it answers so.
    fn is_error(_response: &Self::Response) -> bool {
        false
    }

    /// A fault has changed what servers have, or by which clock.
    fn disturbed<C: DecisionSource, W: Observer>(
        _step: &mut Step<'_, Self, C, W>,
        _what: Disturbed,
    ) {
    }

    /// The run is about to end.
    fn finish<C: DecisionSource, W: Observer>(_step: &mut Step<'_, Self, C, W>) {}
}

/// A request that waits for replicas.
#[derive(Clone, Copy, Debug)]
pub struct Wait<S: System> {
    /// For how many.
    pub replicas: u32,
    /// For how long at most, in milliseconds.
    pub timeout_ms: u64,
    /// The answer when so many have it.
    pub answer: fn(u32) -> S::Response,
}

/// What a fault has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disturbed {
    /// What a server has.
    Data,
    /// The clock of a server.
    Clock,
    /// Server number `node` has started over: nobody is connected to it any more.
    Connections {
        /// Which.
        node: u8,
    },
}

/// What a client runs. The world steps it, and it answers by sending and by setting alarms.
pub trait Program<S: System>: Clone + fmt::Debug + Eq + Hash {
    /// An alarm rings that the program has set.
    fn alarm<C: DecisionSource, W: Observer>(
        &mut self,
        step: &mut Step<'_, S, C, W>,
        me: Client,
        alarm: Alarm,
    );

    /// Whether it waits for the answer to `call`.
    fn awaits(&self, host: &Host, _me: Client, call: u32) -> bool {
        host.awaits(call)
    }

    /// Server number `node` answers `call`.
    fn reply<C: DecisionSource, W: Observer>(
        &mut self,
        step: &mut Step<'_, S, C, W>,
        me: Client,
        answered: Answered,
        response: Response<S>,
    );

    /// The caller vanishes from what it awaits; with `handle`, it drops the handle too.
    fn cancel<C: DecisionSource, W: Observer>(
        &mut self,
        step: &mut Step<'_, S, C, W>,
        me: Client,
        handle: bool,
    );

    /// A release was published to its subscription with this number.
    fn notified<C: DecisionSource, W: Observer>(
        &mut self,
        _step: &mut Step<'_, S, C, W>,
        _me: Client,
        _subscription: u32,
    ) {
    }

    /// The process died; a new one boots at its next alarm.
    fn restarted<C: DecisionSource, W: Observer>(
        &mut self,
        step: &mut Step<'_, S, C, W>,
        me: Client,
        life: u32,
    );

    /// Whether a crash would interrupt anything.
    fn is_busy(&self, me: Client) -> bool;

    /// Whether the process may crash at all.
    fn may_crash(&self) -> bool {
        true
    }
}

/// Which call was answered, and by which server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answered {
    /// The number of the call.
    pub call: u32,
    /// The number of the server.
    pub node: u8,
}

/// Where something may go wrong. The world calls these; each does nothing unless it is overridden.
pub trait Faults<S: System> {
    /// A client starts, at the beginning of the run.
    #[inline]
    fn starting<C: DecisionSource, W: Observer>(_step: &mut Step<'_, S, C, W>, _client: Client) {}

    /// A client is about to take a step. Whether it is kept from it.
    #[inline]
    fn stepping<C: DecisionSource, W: Observer>(
        _step: &mut Step<'_, S, C, W>,
        _program: &mut S::Program,
        _client: Client,
        _what: Deferred,
    ) -> bool {
        false
    }

    /// A caller begins to await something. Whether it goes away at once; with its handle only if it
    /// may.
    #[inline]
    fn awaiting<C: DecisionSource, W: Observer>(
        _step: &mut Step<'_, S, C, W>,
        _client: Client,
        _with_handle: bool,
    ) -> Cancelled {
        Cancelled::No
    }

    /// A caller goes away in the middle of what it awaits.
    #[inline]
    fn cancelling<C: DecisionSource, W: Observer>(_step: &mut Step<'_, S, C, W>, _client: Client) {}

    /// A client begins to send its request numbered `call` to server number `node`.
    #[inline]
    fn sending<C: DecisionSource, W: Observer>(
        _step: &mut Step<'_, S, C, W>,
        _client: Client,
        _node: u8,
        _call: u32,
    ) {
    }

    /// How much longer than usual message number `number` takes on `wire`, in microseconds.
    #[inline]
    fn delay<C: DecisionSource, W: Observer>(
        _step: &mut Step<'_, S, C, W>,
        _wire: u8,
        _number: u32,
    ) -> u64 {
        0
    }

    /// A request is complete, and leaves.
    #[inline]
    fn leaving<C: DecisionSource, W: Observer>(
        _step: &mut Step<'_, S, C, W>,
        _message: &Message<S>,
    ) {
    }

    /// What becomes of a request on the way.
    #[inline]
    fn request_fate<C: DecisionSource, W: Observer>(
        _step: &mut Step<'_, S, C, W>,
        _message: &Message<S>,
    ) -> Fate {
        Fate::Arrives
    }

    /// A request, or a copy of one, arrives.
    #[inline]
    fn arrived<C: DecisionSource, W: Observer>(
        _step: &mut Step<'_, S, C, W>,
        _message: &Message<S>,
    ) {
    }

    /// A request is about to be looked at by its server.
    #[inline]
    fn reaching<C: DecisionSource, W: Observer>(
        _step: &mut Step<'_, S, C, W>,
        _message: &Message<S>,
    ) {
    }

    /// What a server does with a request.
    #[inline]
    fn serving<C: DecisionSource, W: Observer>(
        _step: &mut Step<'_, S, C, W>,
        _message: &Message<S>,
    ) -> Silence {
        Silence::None
    }

    /// A server is about to apply a request or a copy of one,
    #[inline]
    fn applying<C: DecisionSource, W: Observer>(
        _step: &mut Step<'_, S, C, W>,
        _message: &Message<S>,
    ) {
    }

    /// and has applied it.
    #[inline]
    fn applied<C: DecisionSource, W: Observer>(
        _step: &mut Step<'_, S, C, W>,
        _message: &Message<S>,
    ) {
    }

    /// Whether the reply to what was just applied is lost, and the request sent again by what carries
    /// it.
    #[inline]
    fn resending<C: DecisionSource, W: Observer>(
        _step: &mut Step<'_, S, C, W>,
        _message: &Message<S>,
    ) -> bool {
        false
    }

    /// A server has applied a request, and is about to answer.
    #[inline]
    fn answering<C: DecisionSource, W: Observer>(
        _step: &mut Step<'_, S, C, W>,
        _message: &Message<S>,
    ) {
    }

    /// What becomes of a reply on the way.
    #[inline]
    fn reply_fate<C: DecisionSource, W: Observer>(
        _step: &mut Step<'_, S, C, W>,
        _message: &Message<S>,
    ) -> Fate {
        Fate::Arrives
    }

    /// The connection of a message breaks.
    #[inline]
    fn broken<C: DecisionSource, W: Observer>(
        _step: &mut Step<'_, S, C, W>,
        _message: &Message<S>,
    ) {
    }

    /// Whether notification number `number` from server number `node` to `client` is lost on the way.
    #[inline]
    fn loses_notification<C: DecisionSource, W: Observer>(
        _step: &mut Step<'_, S, C, W>,
        _client: Client,
        _node: u8,
        _number: u32,
    ) -> bool {
        false
    }

    /// How much longer than usual write number `write` takes to a replica that acknowledges, in
    /// microseconds.
    #[inline]
    fn replicating<C: DecisionSource, W: Observer>(
        _step: &mut Step<'_, S, C, W>,
        _replica: u8,
        _write: u32,
    ) -> u64 {
        0
    }

    /// Everything heals.
    #[inline]
    fn healing<C: DecisionSource, W: Observer>(_step: &mut Step<'_, S, C, W>) {}
}

/// A world in which nothing goes wrong.
impl<S: System> Faults<S> for () {}

/// What becomes of a message on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It arrives.
    Arrives,
    /// It vanishes, and nobody learns of it.
    Lost,
    /// It vanishes with its connection, which the client notices.
    Broken,
    /// It cannot be sent, since no connection can be made, which the client notices.
    Refused,
}

/// What a server does with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Silence {
    /// It is applied and answered.
    None,
    /// It is applied and never answered.
    Applied,
    /// It is applied much later and never answered.
    Stuck,
}

/// How a caller goes away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cancelled {
    /// It stays, for now.
    No,
    /// It drops the future at once.
    Future,
    /// It drops the future and the handle at once.
    Handle,
}
