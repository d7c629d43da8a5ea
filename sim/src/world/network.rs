//! The wire: what is sent arrives, unless a fault has it otherwise.

use super::{Body, Message, Plan, Request, Response, Step, Watch, What};
use crate::{
    decide::{Chance, Kind},
    faults::Silence,
    history::{Act, CallId, Client, Event, TokenId},
};

/// How many times further than to a server it may be to the resource.
pub(crate) const FURTHER: u64 = 10;

/// How long it takes to notice that a connection broke.
const BROKEN_AFTER: u64 = 2_000;

impl<C: Chance, W: Watch> Step<'_, C, W> {
    /// Sends a request to server number `node`; the reply will come to the client's program, or
    /// never.
    pub(crate) fn send(
        &mut self,
        client: Client,
        node: u8,
        act: Act,
        token: Option<TokenId>,
        behalf: Option<TokenId>,
        request: Request,
    ) {
        let host = self.host(client);
        let (call, life) = (host.begin_call(), host.life);
        self.tell(Event::Sent { client, call, act, token });
        self.cut_link(client, node, call);
        let delay = self.on_the_wire(client, call * 2) + self.late(client, call * 2);
        let message = Box::new(Message {
            client,
            node,
            life,
            call,
            copy: 0,
            resent: false,
            act,
            behalf,
            body: Body::Request(request),
        });
        self.send_copy_too(&message);
        if self.loses_request(client, call) {
            self.break_connection(message, delay);
        } else if !self.cuts_request(client, node, call) {
            self.core.queue.push(self.core.now + delay, What::Request(message));
        }
    }

    /// A request reaches the server.
    pub(super) fn arrive(&mut self, mut message: Box<Message>) {
        self.core.messages += 1;
        let node = message.node;
        self.copy_arrived(&message);
        self.arrives_again(&message);
        if message.copy > 0 {
            if message.is_remote()
                || self.core.now >= self.core.servers[usize::from(node)].electing_until
            {
                let _nobody_waits = self.apply(&message);
            }
            return;
        }
        let refused = !message.is_remote() && self.disturb_server(&message);
        let silence = if message.resent { Silence::None } else { self.hangs(&message) };
        if silence == Silence::Stuck {
            return;
        }
        if !refused && let Some((at, response)) = self.waits(&message) {
            if silence == Silence::None {
                self.wait(message, at, response);
            }
            return;
        }
        let response = match (refused, message.resent) {
            (false, false) => self.apply(&message),
            (true, false) => Response::Refused,
            // The first was applied: nothing but a reply to this one makes certain what it did.
            (false, true) => self.apply(&message).or_in_doubt(),
            (true, true) => Response::Broken,
        };
        if silence == Silence::Applied
            || (!refused && !message.is_remote() && self.resends(&message))
        {
            return;
        }
        message.body = Body::Response(response);
        self.answer(message);
    }

    /// A server answers.
    pub(super) fn answer(&mut self, message: Box<Message>) {
        let (client, node, call) = (message.client, message.node, message.call);
        if !matches!(message.body, Body::Response(Response::Remote)) {
            self.fail_over(client, call);
        }
        let delay = self.on_the_wire(client, call * 2 + 1) + self.late(client, call * 2 + 1);
        if self.loses_reply(client, call) {
            self.break_connection(message, delay);
        } else if !self.cuts_reply(client, node, call) {
            self.core.queue.push(self.core.now + delay, What::Reply(message));
        }
    }

    /// A reply reaches the client that waits for it.
    pub(super) fn received(&mut self, message: Message) -> Response {
        self.core.messages += 1;
        self.host(message.client).end_call(message.call);
        let Body::Response(response) = message.body else {
            unreachable!("only responses are sent to clients");
        };
        let ok = !matches!(response, Response::Broken | Response::Refused);
        self.tell(Event::Answered { client: message.client, call: message.call, ok });
        response
    }

    /// Sends a write to the protected resource; nobody waits for an answer.
    pub(crate) fn write(&mut self, client: Client, token: TokenId, fence: u64) {
        let host = self.host(client);
        host.writes += 1;
        let (number, wire) = (host.writes, client | 0x80);
        let delay = self.to_resource(wire, number) + self.late(wire, number);
        self.core.queue.push(self.core.now + delay, What::Write { client, token, fence });
    }

    /// As [`Step::write`], from a run of a debounced function.
    pub(crate) fn write_debounced(&mut self, client: Client, call: CallId, fence: u64) {
        // No ordinary spread here: whose of two runs at once writes last is not what is asked.
        let host = self.host(client);
        host.writes += 1;
        let number = host.writes;
        let delay = self.core.plan.latency + self.late(client | 0x80, number);
        let what = What::WriteDebounced { client, call, fence };
        self.core.queue.push(self.core.now + delay, what);
    }

    /// The client stops waiting for all calls under way.
    pub(crate) fn give_up(&mut self, client: Client) {
        while let Some(call) = self.host(client).oldest_awaited() {
            self.host(client).end_call(call);
            self.tell(Event::GaveUp { client, call });
        }
    }

    #[inline]
    fn on_the_wire(&mut self, wire: u8, number: u32) -> u64 {
        let choices = self.core.plan.jitter_choices;
        let choice = self.choose(Kind::Jitter, wire, number, choices);
        self.core.plan.latency + u64::from(choice) * self.core.plan.jitter_step
    }

    /// The resource is further away than the servers: one holder's write may overtake another's.
    #[inline]
    fn to_resource(&mut self, wire: u8, number: u32) -> u64 {
        let Plan { latency, jitter_step, jitter_choices, .. } = self.core.plan;
        let choice = self.choose(Kind::Jitter, wire, number, jitter_choices);
        latency + u64::from(choice) * jitter_step * FURTHER
    }

    /// The client learns, after `delay`, that its connection broke, and nothing else.
    pub(crate) fn break_connection(&mut self, mut message: Box<Message>, delay: u64) {
        message.body = Body::Response(Response::Broken);
        let at = self.core.now + delay + BROKEN_AFTER;
        self.core.queue.push(at, What::Reply(message));
    }
}
