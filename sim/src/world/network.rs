//! The wire: what is sent arrives, unless a fault has it otherwise.

use super::{
    Body, Fate, Faults, Leg, Message, Observer, Parcel, Response, Settings, Silence, Step, System,
    Transit, What,
};
use crate::{
    decide::{DecisionKind, DecisionSource},
    history::{Client, Event},
};

/// How many times further than to a server it may be to the resource.
pub(crate) const FURTHER: u64 = 10;

/// The wire of what servers tell a client of releases, beside that of its requests.
pub(crate) const NOTIFICATION: u8 = 0x40;

/// How long it takes to notice that a connection broke.
const BROKEN_AFTER: u64 = 2_000;

impl<S: System, C: DecisionSource, W: Observer> Step<'_, S, C, W> {
    /// Sends a request to server number `node`; the reply will come to the client's program, or
    /// never.
    pub fn send(&mut self, client: Client, node: u8, request: S::Request) {
        let host = self.host(client);
        let (call, life) = (host.begin_call(), host.life);
        self.emit(S::sent(client, call, &request));
        S::Faults::sending(self, client, node, call);
        let delay = self.on_the_wire(client, call * 2) + S::Faults::delay(self, client, call * 2);
        let body = Body::Request(request);
        let (copy, held_back, resent) = (0, false, false);
        let message = Message { client, node, life, call, copy, held_back, resent, body };
        let message = Box::new(message);
        S::Faults::leaving(self, &message);
        let fate = S::Faults::request_fate(self, &message);
        self.leaves(&message, delay, fate);
        match fate {
            Fate::Arrives => self.core.queue.push(self.core.now + delay, What::Request(message)),
            Fate::Broken => self.break_connection(message, delay),
            Fate::Refused => self.fail(message, Response::Refused, delay),
            Fate::Lost => {}
        }
    }

    /// Tells that a message leaves now.
    #[inline]
    fn leaves(&mut self, message: &Message<S>, delay: u64, fate: Fate) {
        let (now, parcel) = (self.core.now, message.parcel());
        let sent = Transit::Sent { parcel, leaves: now, due: now + delay, fate };
        self.observer.transit(now, sent, &|| message.words());
    }

    /// A copy of a request arrives at `at`. Nobody waits for the answer.
    pub(crate) fn send_copy(&mut self, message: &Message<S>, at: u64) {
        let (now, parcel) = (self.core.now, Parcel { copy: 1, ..message.parcel() });
        let sent = Transit::Sent { parcel, leaves: now, due: at, fate: Fate::Arrives };
        self.observer.transit(now, sent, &|| message.words());
        self.arrives_again(message, at, false);
    }

    /// What a server does with a request that it has, it does at `at`. Nobody waits for the answer.
    pub(crate) fn hold_back(&mut self, message: &Message<S>, at: u64) {
        self.arrives_again(message, at, true);
    }

    fn arrives_again(&mut self, message: &Message<S>, at: u64, held_back: bool) {
        debug_assert!(message.copy == 0, "a copy of a copy");
        debug_assert!(at >= self.core.now, "a copy arrives in the past");
        let copy = Message { copy: 1, held_back, ..message.clone() };
        self.core.queue.push(at, What::Request(Box::new(copy)));
    }

    /// A request is sent again at `at` by what carries it, and its answer counts.
    pub(crate) fn send_again(&mut self, message: &Message<S>, at: u64) {
        debug_assert!(!message.resent, "what was sent again is not so a third time");
        let again = Message { resent: true, ..message.clone() };
        let (now, parcel) = (self.core.now, again.parcel());
        let lost = Parcel { leg: Leg::Reply, ..message.parcel() };
        let way = self.core.plan.settings.latency;
        let (leaves, due, fate) = (now, now + way, Fate::Lost);
        let reply = Transit::Sent { parcel: lost, leaves, due, fate };
        self.observer.transit(now, reply, &|| "the answer".into());
        let sent = Transit::Sent { parcel, leaves: at - way, due: at, fate: Fate::Arrives };
        self.observer.transit(now, sent, &|| again.words());
        self.core.queue.push(at, What::Request(Box::new(again)));
    }

    /// A request reaches the server.
    pub(super) fn arrive(&mut self, mut message: Box<Message<S>>) {
        self.core.messages += 1;
        let host = &self.core.hosts[usize::from(message.client)];
        debug_assert!(message.call <= host.calls, "a request arrives that was never sent");
        debug_assert!(message.life <= host.life, "a request is of a life to come");
        debug_assert!(usize::from(message.node) < self.core.servers.len(), "no such server");
        self.transit(Transit::Arrived(message.parcel()));
        S::Faults::arrived(self, &message);
        let remote = message.is_remote();
        if message.copy > 0 {
            if remote || !self.is_electing(message.node) {
                let _nobody_waits = self.apply(&message);
            }
            return;
        }
        // What is sent again has the address of the first, of which all of this was asked.
        if !remote && !message.resent {
            S::Faults::reaching(self, &message);
        }
        let refused = !remote && self.is_electing(message.node);
        let silence =
            if message.resent { Silence::None } else { S::Faults::serving(self, &message) };
        if silence != Silence::None {
            self.transit(Transit::Unanswered(message.parcel()));
        }
        if silence == Silence::Stuck {
            return;
        }
        if !refused && let Some((at, response)) = self.waits(&message) {
            if silence == Silence::None {
                self.wait(message, at, response);
            }
            return;
        }
        let body = match (refused, remote) {
            // The first was applied: nothing but a reply to this one makes certain what it did.
            (true, _) if message.resent => Body::Response(Response::Broken),
            (false, false) if message.resent => {
                let answer = self.apply(&message);
                let in_doubt = S::is_error(&answer);
                Body::Response(if in_doubt { Response::Broken } else { Response::Answer(answer) })
            }
            (true, _) => Body::Response(Response::Refused),
            (false, true) => Body::RemoteResponse(self.apply(&message)),
            (false, false) => Body::Response(Response::Answer(self.apply(&message))),
        };
        if silence == Silence::Applied
            || (!refused && !remote && S::Faults::resending(self, &message))
        {
            return;
        }
        message.body = body;
        self.answer(message);
    }

    /// A server answers.
    pub(super) fn answer(&mut self, message: Box<Message<S>>) {
        let (client, call) = (message.client, message.call);
        if !matches!(message.body, Body::RemoteResponse(_)) {
            S::Faults::answering(self, &message);
        }
        debug_assert!(message.copy == 0, "nobody waits for the answer to a copy");
        debug_assert!(!matches!(message.body, Body::Request(_)), "a request is no answer");
        let number = call * 2 + 1;
        let delay = self.on_the_wire(client, number) + S::Faults::delay(self, client, number);
        let fate = S::Faults::reply_fate(self, &message);
        self.leaves(&message, delay, fate);
        match fate {
            Fate::Arrives => self.core.queue.push(self.core.now + delay, What::Reply(message)),
            Fate::Broken => self.break_connection(message, delay),
            Fate::Refused => unreachable!("only what was not sent is refused"),
            Fate::Lost => {}
        }
    }

    /// A reply reaches the client that waits for it.
    pub(super) fn received(&mut self, message: Message<S>) -> Response<S> {
        self.core.messages += 1;
        self.host(message.client).end_call(message.call);
        let response = match message.body {
            Body::Response(response) => response,
            Body::RemoteResponse(response) => Response::Answer(response),
            Body::Request(_) => unreachable!("only responses are sent to clients"),
        };
        let ok = !matches!(response, Response::Broken | Response::Refused);
        self.emit(Event::Answered { client: message.client, call: message.call, ok });
        response
    }

    /// Sends a write to the protected resource; nobody waits for an answer. It takes the usual time
    /// on the wire, with its ordinary spread if it is `spread`.
    pub fn write(&mut self, client: Client, write: S::Write, spread: bool) {
        let host = self.host(client);
        host.writes += 1;
        let (number, wire) = (host.writes, client | 0x80);
        let usual = if spread {
            self.way_to_resource(wire, number)
        } else {
            self.core.plan.settings.latency
        };
        let delay = usual + S::Faults::delay(self, wire, number);
        let (now, leg) = (self.core.now, Leg::Write);
        let parcel = Parcel { leg, client, node: 0, call: number, copy: 0 };
        let sent = Transit::Sent { parcel, leaves: now, due: now + delay, fate: Fate::Arrives };
        self.observer.transit(now, sent, &|| S::write_words(&write));
        self.core.queue.push(self.core.now + delay, What::Write { client, write });
    }

    /// The client stops waiting for all calls under way.
    pub(crate) fn give_up(&mut self, client: Client) {
        while let Some(call) = self.host(client).oldest_awaited() {
            self.give_up_on(client, call);
        }
    }

    /// The client stops waiting for one of them.
    pub(crate) fn give_up_on(&mut self, client: Client, call: u32) {
        self.host(client).end_call(call);
        self.emit(Event::GaveUp { client, call });
    }

    #[inline]
    fn on_the_wire(&mut self, wire: u8, number: u32) -> u64 {
        let choices = self.core.plan.settings.jitter_choices;
        let choice = self.choose(DecisionKind::Jitter, wire, number, choices);
        let settings = &self.core.plan.settings;
        settings.latency + u64::from(choice) * settings.jitter_step
    }

    /// The resource is further away than the servers: one holder's write may overtake another's.
    #[inline]
    fn way_to_resource(&mut self, wire: u8, number: u32) -> u64 {
        let Settings { latency, jitter_step, jitter_choices, .. } = self.core.plan.settings;
        let choice = self.choose(DecisionKind::Jitter, wire, number, jitter_choices);
        latency + u64::from(choice) * jitter_step * FURTHER
    }

    /// The client learns, after `delay`, that its connection broke, and nothing else.
    pub(crate) fn break_connection(&mut self, message: Box<Message<S>>, delay: u64) {
        S::Faults::broken(self, &message);
        self.fail(message, Response::Broken, delay);
    }

    /// Whether `message` cannot be sent at all: its connection has broken, and the link is cut.
    pub(crate) fn cannot_connect(&mut self, message: &Message<S>) -> bool {
        let now = self.core.now;
        let link = self.host(message.client).links[usize::from(message.node)];
        !message.is_remote() && link.is_broken && now < link.requests_cut_until
    }

    fn fail(&mut self, mut message: Box<Message<S>>, response: Response<S>, delay: u64) {
        message.body = Body::Response(response);
        let at = self.core.now + delay + BROKEN_AFTER;
        self.core.queue.push(at, What::Reply(message));
    }
}
