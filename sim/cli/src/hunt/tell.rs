//! A hunt as a story: every request of the run that failed, and of one without each fault.

use leasehold_fake_redis::serve::{
    Observed,
    faults::{Ending, Transport},
};
use leasehold_story::{
    Decision, Event, EventKind, FORMAT, Fate, Lane, LaneKind, Message, Run as Told, Story, VERSION,
    Verdict,
};

use super::{again::Again, group::CHATTER, rule::Fault, run::Run, shrink::Found};

/// How many requests of a run are told: the last ones.
const REQUESTS: usize = 300;

/// The story of a schedule that fails.
pub(super) fn story(found: &Found, again: &Again) -> Story {
    let without = found.without.iter().map(|without| without.run.as_ref());
    let runs: Vec<(Option<usize>, &Run)> = std::iter::once((None, Some(&found.run)))
        .chain(without.enumerate().map(|(at, run)| (Some(at), run)))
        .filter_map(|(at, run)| Some((at, run?)))
        .collect();
    let mut clients: Vec<String> =
        runs.iter().flat_map(|(_, run)| run.seen.requests.iter().map(client)).collect();
    clients.sort();
    clients.dedup();
    let lane = |name: &String| Lane { name: name.clone(), kind: LaneKind::Client };
    let server = Lane { name: "server".into(), kind: LaneKind::Server };
    let told = runs.iter().map(|(at, run)| Teller::new(&clients, *at).tell(run));
    Story {
        format: FORMAT.into(),
        version: VERSION,
        title: format!("hunt: {}", again.name()),
        headline: format!("{}: {}.", faults(found), found.failure),
        claim: Some("The command ends well, and so do its locks".into()),
        command: Some(again.replay(&found.faults)),
        runs: told.collect(),
        lanes: clients.iter().map(lane).chain([server]).collect(),
        decisions: found.faults.iter().map(decision).collect(),
    }
}

fn faults(found: &Found) -> String {
    let told: Vec<String> = found.faults.iter().map(Fault::told).collect();
    told.join(", and ")
}

fn decision(fault: &Fault) -> Decision {
    Decision {
        kind: fault.kind().into(),
        fault: true,
        text: fault.told(),
        micros: None,
        breaks_above_micros: None,
    }
}

fn client(request: &Observed) -> String {
    match request.transport {
        Transport::Rest => "over REST".into(),
        Transport::Resp if request.name.is_empty() => format!("connection {}", request.connection),
        Transport::Resp => format!("{} (connection {})", request.name, request.connection),
    }
}

/// Tells one run.
struct Teller<'a> {
    clients: &'a [String],
    /// The decision that the run goes without.
    without: Option<usize>,
    events: Vec<Event>,
    messages: Vec<Message>,
}

impl<'a> Teller<'a> {
    fn new(clients: &'a [String], without: Option<usize>) -> Self {
        Self { clients, without, events: Vec::new(), messages: Vec::new() }
    }

    fn tell(mut self, run: &Run) -> Told {
        let told: Vec<&Observed> = run.seen.requests.iter().filter(|one| matters(one)).collect();
        for request in &told[told.len().saturating_sub(REQUESTS)..] {
            self.request(request);
        }
        let mut broken = None;
        for violation in &run.seen.violations {
            let text = violation.text.clone();
            let at = self.event(violation.at_us, self.clients.len(), EventKind::Note, text, None);
            broken.get_or_insert(at);
        }
        let order = self.sort();
        let text = self.events.iter().map(|event| self.line(event)).collect();
        let failure = run.failure.as_ref();
        let verdict = Verdict {
            holds: failure.is_none(),
            text: failure.map_or_else(|| "it passes".into(), ToString::to_string),
            event: broken.map(|at| order[at]),
            fenced: None,
        };
        let end = self.events.iter().map(|event| event.at).max().unwrap_or(0);
        let (events, messages) = (self.events, self.messages);
        let without = Vec::from_iter(self.without);
        Told { without, verdict, end, events, messages, spans: Vec::new(), text }
    }

    fn request(&mut self, request: &Observed) {
        let name = client(request);
        let lane = self.clients.iter().position(|found| *found == name).unwrap_or(0);
        let server = self.clients.len();
        let decision = request.rules.first().and_then(|id| self.decision(id));
        let text = asked(request);
        let sent = self.event(request.arrived_us, lane, EventKind::Send, text.clone(), None);
        let lost = !request.effects.executed;
        let applied = request.executed_us.map(|at| {
            let event = self.event(at, server, EventKind::Apply, text.clone(), decision);
            self.events[event].causes.push(sent);
            event
        });
        self.messages.push(Message {
            from: lane,
            to: server,
            sent: request.arrived_us,
            arrived: request.executed_us.or_else(|| lost.then_some(request.arrived_us)),
            fate: if lost { Fate::Lost } else { Fate::Delivered },
            text,
            sent_by: Some(sent),
            led_to: applied,
            decision,
        });
        if lost {
            let text = ending(request).to_owned();
            self.event(request.arrived_us, server, EventKind::Fault, text, decision);
        }
        if let (Some(applied), Some(at)) = (applied, request.executed_us) {
            self.answer(request, (server, lane), (applied, at), decision);
        }
    }

    fn answer(
        &mut self,
        request: &Observed,
        (server, lane): (usize, usize),
        (applied, at): (usize, u64),
        decision: Option<usize>,
    ) {
        let arrives = request.effects.ending == Ending::Reply;
        let (kind, place, text) = if arrives {
            (EventKind::Reply, lane, "has its reply")
        } else {
            (EventKind::Fault, server, ending(request))
        };
        let event = self.event(at, place, kind, text.to_owned(), decision.filter(|_| !arrives));
        self.events[event].causes.push(applied);
        self.messages.push(Message {
            from: server,
            to: lane,
            sent: at,
            arrived: Some(at),
            fate: if arrives { Fate::Delivered } else { Fate::Lost },
            text: "reply".into(),
            sent_by: Some(applied),
            led_to: arrives.then_some(event),
            decision: decision.filter(|_| !arrives),
        });
    }

    fn event(
        &mut self,
        at: u64,
        lane: usize,
        kind: EventKind,
        text: String,
        decision: Option<usize>,
    ) -> usize {
        let (grant, fence, causes) = (None, None, Vec::new());
        self.events.push(Event { at, lane, kind, text, grant, fence, decision, causes });
        self.events.len() - 1
    }

    /// Puts the events into the order in which they happened; where each is now.
    fn sort(&mut self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.events.len()).collect();
        order.sort_by_key(|at| self.events[*at].at);
        let mut places = vec![0; order.len()];
        for (new, old) in order.iter().enumerate() {
            places[*old] = new;
        }
        self.events = order.iter().map(|old| self.events[*old].clone()).collect();
        let causes = self.events.iter_mut().flat_map(|event| &mut event.causes);
        let told = self.messages.iter_mut().flat_map(|one| [&mut one.sent_by, &mut one.led_to]);
        for place in causes.chain(told.flatten()) {
            *place = places[*place];
        }
        places
    }

    /// The decision behind a rule of this run, which is named by its place.
    fn decision(&self, id: &str) -> Option<usize> {
        let place: usize = id.parse().ok()?;
        Some(if self.without.is_some_and(|without| place >= without) { place + 1 } else { place })
    }

    fn line(&self, event: &Event) -> String {
        let name = self.clients.get(event.lane).map_or("server", |name| name);
        let mark = if event.decision.is_some() { " *" } else { "" };
        format!("{:>10.3} ms  {name}: {}{mark}", event.at as f64 / 1_000.0, event.text)
    }
}

/// Whether a request is more than what a client sends by itself.
fn matters(request: &Observed) -> bool {
    let chatter = |name: &String| CHATTER.contains(&&**name);
    !request.rules.is_empty() || !request.commands.iter().all(|command| chatter(&command.name))
}

fn asked(request: &Observed) -> String {
    let first = request.commands.first().map_or("", |command| &command.text);
    match request.commands.len() {
        0 | 1 => first.to_owned(),
        count => format!("{first}, and {} more", count - 1),
    }
}

fn ending(request: &Observed) -> &'static str {
    match request.effects.ending {
        Ending::Reply => "answers",
        Ending::Close => "closes the connection without a reply",
        Ending::Reset => "resets the connection",
        Ending::Hang => "never answers",
        Ending::Status { .. } => "answers with a status",
    }
}
