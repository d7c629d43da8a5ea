//! A record of a run as typed events, messages and spans.

mod debounced;
mod faults;
mod keys;
mod locked;
mod transits;
mod users;

use leasehold_story::{Event as Told, EventKind, Message, Run, Span, SpanKind, Verdict};

use super::{
    Names,
    lanes::{Lanes, Parts},
    record::{Record, Seen},
};
use crate::{
    decide::{Address, Fault},
    history::{Client, Event, TokenId},
    words::client,
    world::{Parcel, Settings, Topology},
};
use debounced::Runs;
use keys::OpenKey;
use users::UserState;

/// What all runs of a story have in common.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setting<'a> {
    pub(crate) lanes: &'a Lanes,
    pub(crate) settings: &'a Settings,
    /// What was decided, in order: an event names a decision by its place.
    pub(crate) decisions: &'a [Address],
}

/// Writes down one run.
#[derive(Debug)]
pub(crate) struct Scribe<'a> {
    setting: Setting<'a>,
    names: &'a Names,
    parts: Parts,
    events: Vec<Told>,
    messages: Vec<Draft>,
    spans: Vec<Span>,
    /// The last event on each lane,
    last: Vec<Option<usize>>,
    /// and the last one that changed what a server has.
    state: Vec<Option<usize>>,
    /// What the server does just now: the number of the server, the request's message, and the event.
    node: u8,
    arrived: Option<usize>,
    applied: Option<usize>,
    /// Decisions whose first consequence is to come, by whose they are.
    pending: Vec<(u8, usize)>,
    /// Faults that were decided on, by whose they are,
    chosen: Vec<(Fault, u8, usize)>,
    /// Faults that were injected, into whom, and by which decision.
    injected: Vec<(Fault, Option<Client>, usize)>,
    fences: Vec<(TokenId, u64)>,
    leases: Vec<OpenLease>,
    keys: Vec<OpenKey>,
    runs: Runs,
    users: UserState,
    /// What was written since the last failover, as far as nobody knows when replicas had it.
    unreplicated: Vec<Draft>,
    /// Which lane gave its part to which, and until when nobody answers.
    took_over: Option<(usize, usize, u64)>,
    /// Where the clocks of servers are wrong, since when, and how.
    wrong_clocks: Vec<Span>,
}

/// A message, and what is known of it.
#[derive(Clone, Debug)]
struct Draft {
    parcel: Option<Parcel>,
    due: u64,
    message: Message,
}

/// A lease as its client believes in it.
#[derive(Clone, Copy, Debug)]
struct OpenLease {
    client: Client,
    token: TokenId,
    from: u64,
    fence: u64,
}

impl<'a> Scribe<'a> {
    /// The run that a record is of, as far as it is told.
    pub(crate) fn write(setting: Setting<'a>, names: &'a Names, record: &Record) -> Run {
        let mut scribe = Self::new(setting, names);
        let broken_at = record.violation.as_ref().map(|(_, index)| *index);
        let mut broken_by = None;
        for (index, (at, seen)) in record.seen.iter().enumerate() {
            scribe.expire(*at);
            scribe.expire_kept(*at);
            let before = scribe.events.len();
            scribe.see(*at, seen);
            if broken_at == Some(index) {
                let event = scribe.broken(before, *at, seen);
                if record.clash.is_some() {
                    scribe.events[event].text += ", and still believes that it holds it";
                }
                broken_by = Some(event);
            }
        }
        let verdict = Verdict { holds: true, text: String::new(), event: broken_by, fenced: None };
        scribe.finish(record.end, verdict)
    }

    fn new(setting: Setting<'a>, names: &'a Names) -> Self {
        let lanes = setting.lanes.len();
        Self {
            setting,
            names,
            parts: Parts::of(setting.lanes),
            events: Vec::new(),
            messages: Vec::new(),
            spans: Vec::new(),
            last: vec![None; lanes],
            state: vec![None; lanes],
            node: 0,
            arrived: None,
            applied: None,
            pending: Vec::new(),
            chosen: Vec::new(),
            injected: Vec::new(),
            fences: Vec::new(),
            leases: Vec::new(),
            keys: Vec::new(),
            runs: Runs::default(),
            users: UserState::default(),
            unreplicated: Vec::new(),
            took_over: None,
            wrong_clocks: Vec::new(),
        }
    }

    fn see(&mut self, at: u64, seen: &Seen) {
        match seen {
            Seen::Event(Event::Debounce(event)) => self.debounced(at, *event),
            Seen::Event(event) => self.happened(at, event),
            Seen::Transit(transit, words) => self.transit(at, *transit, words),
            Seen::Chosen(address) => {
                if let Some(decision) = self.decision(*address) {
                    match address.kind.fault() {
                        Some(fault) => self.chosen.push((fault, address.actor, decision)),
                        None => self.pending.push((address.actor, decision)),
                    }
                }
            }
            Seen::Did(client, text) => {
                self.add(at, self.lane(*client), EventKind::Note, text.clone());
            }
            Seen::Crossed { client, section, enters: true } => self.enters(at, *client, section),
            Seen::Crossed { client, section, enters: false } => self.leaves(at, *client, section),
            Seen::Kept { node, by, key, now } => self.kept(at, (*node, *by), key, now.as_ref()),
        }
    }

    /// The event that broke the promise: the last one of those from `before` on, or a new one.
    fn broken(&mut self, before: usize, at: u64, seen: &Seen) -> usize {
        if self.events.len() > before {
            return self.events.len() - 1;
        }
        let who = match seen {
            Seen::Event(event) => concerned(event),
            _ => None,
        };
        let lane = who.map_or_else(|| self.parts.server(self.node), |who| self.lane(who));
        self.add(at, lane, EventKind::Note, "here the promise is broken")
    }

    fn lane(&self, client: Client) -> usize {
        self.setting.lanes.client(client)
    }

    /// The lane of the server that does something just now.
    fn server(&self) -> usize {
        self.parts.server(self.node)
    }

    fn is_majority(&self) -> bool {
        self.setting.settings.topology == Topology::Independent
    }

    /// The place of a decision among all.
    fn decision(&self, address: Address) -> Option<usize> {
        self.setting.decisions.iter().position(|known| *known == address)
    }

    /// Writes down an event, which on a client's lane follows from the one before.
    fn add(&mut self, at: u64, lane: usize, kind: EventKind, text: impl Into<String>) -> usize {
        let of_client = self.setting.lanes.is_client(lane);
        let pending = self.pending.iter().position(|(who, _)| of_client && *who as usize == lane);
        let decision = pending.map(|place| self.pending.remove(place).1);
        let causes = self.last[lane].filter(|_| of_client).into_iter().collect();
        let (text, grant, fence) = (text.into(), None, None);
        self.events.push(Told { at, lane, kind, text, grant, fence, decision, causes });
        let event = self.events.len() - 1;
        self.last[lane] = Some(event);
        event
    }

    /// `event` follows from `cause`, too.
    fn caused(&mut self, event: usize, cause: Option<usize>) {
        if let Some(cause) = cause.filter(|cause| *cause < event)
            && !self.events[event].causes.contains(&cause)
        {
            self.events[event].causes.push(cause);
            self.events[event].causes.sort_unstable();
        }
    }

    /// An event on a server's lane, which follows from what the server does just now, and from what
    /// it has.
    fn add_at_server(
        &mut self,
        at: u64,
        lane: usize,
        kind: EventKind,
        text: impl Into<String>,
    ) -> usize {
        let event = self.add(at, lane, kind, text);
        let applied = self.applied.filter(|&applied| {
            let Told { at: when, lane: place, .. } = self.events[applied];
            (when, place) == (at, lane)
        });
        self.caused(event, applied.or(self.state[lane]));
        self.state[lane] = Some(event);
        event
    }

    /// Names the grant that an event is about.
    fn about(&mut self, event: usize, token: TokenId) {
        self.events[event].grant = self.names.short(token);
        if self.events[event].grant.is_some() {
            self.events[event].fence = self.fence_of(token);
        }
    }

    fn fence_of(&self, token: TokenId) -> Option<u64> {
        let known = self.fences.iter().rev().find(|(known, _)| *known == token);
        known.map(|(_, fence)| *fence).filter(|&fence| fence > 0)
    }

    fn span(&mut self, lane: usize, kind: SpanKind, from: u64, to: u64, text: &str) -> usize {
        let (grant, fence, decision) = (None, None, None);
        let text = text.to_owned();
        self.spans.push(Span { lane: Some(lane), kind, from, to, text, grant, fence, decision });
        self.spans.len() - 1
    }

    fn end_lease(&mut self, at: u64, lease: OpenLease) {
        let OpenLease { client, token, from, fence } = lease;
        let lane = self.lane(client);
        let span = self.span(lane, SpanKind::Lease, from, at, "believes that it holds the lock");
        self.spans[span].grant = self.names.short(token);
        self.spans[span].fence = Some(fence).filter(|&fence| fence > 0);
    }

    fn finish(mut self, end: u64, verdict: Verdict) -> Run {
        self.expire(end);
        self.expire_kept(end);
        for lease in std::mem::take(&mut self.leases) {
            self.end_lease(end, lease);
        }
        for key in std::mem::take(&mut self.keys) {
            self.end_key(end, &key);
        }
        self.end_runs(end);
        self.spans.append(&mut self.wrong_clocks);
        for span in &mut self.spans {
            span.to = span.to.min(end);
        }
        self.spans.retain(|span| span.from < span.to);
        self.end_users(end);
        self.spans.sort_by_key(|span| (span.from, span.to));
        let drafts = self.messages.into_iter().filter(|draft| draft.message.sent <= end);
        let mut messages: Vec<Message> = drafts
            .map(|Draft { due, mut message, .. }| {
                message.arrived = (due <= end).then_some(due);
                message
            })
            .collect();
        messages.sort_by_key(|message| message.sent);
        let (events, spans) = (self.events, self.spans);
        Run { without: Vec::new(), verdict, end, events, messages, spans, text: Vec::new() }
    }
}

/// Whom an event is about.
fn concerned(event: &Event) -> Option<Client> {
    match *event {
        Event::Asked { client, .. }
        | Event::Returned { client, .. }
        | Event::Held { client, .. }
        | Event::Acted { client, .. }
        | Event::Ended { client, .. }
        | Event::Sent { client, .. } => Some(client),
        _ => None,
    }
}

/// A client's request, in words: `A's acquire`.
fn whose(who: Client, what: &str) -> String {
    format!("{}'s {what}", client(who))
}
