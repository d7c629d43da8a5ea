//! What a server has done, as a page: clients, requests and faults over time.

use leasehold_fake_redis::serve::{
    Host, Seen,
    faults::{Injection, Transport},
};
use leasehold_story::{
    Event, EventKind, FORMAT, Fate, Lane, LaneKind, Message, Run, Story, VERSION, Verdict, html,
};

/// How many requests are drawn: the last ones.
const REQUESTS: usize = 300;

/// How many clients have a lane of their own: the last ones.
const CLIENTS: usize = 11;

/// The lane of the others.
const OTHERS: &str = "earlier clients";

/// The page of a server.
pub(super) fn of(host: &Host) -> String {
    let injections: Vec<_> = host.with_faults(|faults| faults.injections().cloned().collect());
    html::story(&story(&host.requests(), &injections))
}

fn story(seen: &[Seen], injections: &[Injection]) -> Story {
    let drawn = &seen[seen.len().saturating_sub(REQUESTS)..];
    let clients = clients(drawn);
    let (events, messages) = (Vec::new(), Vec::new());
    let teller = Teller { clients: &clients, events, messages };
    let run = teller.tell(drawn, injections);
    let lane = |name: &String| Lane { name: name.clone(), kind: LaneKind::Client };
    let server = Lane { name: "server".into(), kind: LaneKind::Server };
    Story {
        format: FORMAT.into(),
        version: VERSION,
        title: "leasehold serve".into(),
        headline: headline(seen, drawn, injections),
        claim: None,
        command: None,
        lanes: clients.iter().map(lane).chain([server]).collect(),
        decisions: Vec::new(),
        runs: vec![run],
    }
}

/// How much it was asked, and what went wrong.
fn headline(seen: &[Seen], drawn: &[Seen], injections: &[Injection]) -> String {
    let effective = injections.iter().filter(|injection| injection.effective).count();
    let last = match seen.len() - drawn.len() {
        0 => String::new(),
        _ => format!(", of which the last {} are drawn", drawn.len()),
    };
    format!(
        "{}{last}, and {} ({effective} effective). Reload to see what came since.",
        counted(seen.len(), "request"),
        counted(injections.len(), "fault"),
    )
}

fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// The clients that have a lane, in the order in which they came.
fn clients(drawn: &[Seen]) -> Vec<String> {
    let mut latest: Vec<String> = Vec::new();
    for name in drawn.iter().rev().map(|seen| client(seen.transport, &seen.client)) {
        if !latest.contains(&name) {
            latest.push(name);
        }
    }
    let others = latest.len() > CLIENTS;
    latest.truncate(CLIENTS);
    latest.extend(others.then(|| OTHERS.to_owned()));
    latest.reverse();
    latest
}

fn client(transport: Transport, address: &str) -> String {
    match transport {
        Transport::Rest => format!("{address} (REST)"),
        Transport::Resp => address.to_owned(),
    }
}

/// Tells the requests.
struct Teller<'a> {
    clients: &'a [String],
    events: Vec<Event>,
    messages: Vec<Message>,
}

impl Teller<'_> {
    fn tell(mut self, drawn: &[Seen], injections: &[Injection]) -> Run {
        let began = drawn.first().map_or(0, |seen| seen.unix_ms);
        let mut injections = injections.iter().peekable();
        let mut last = 0;
        for seen in drawn {
            // In one millisecond there are many: each has a place of its own.
            last = (seen.unix_ms.saturating_sub(began) * 1_000).max(last + 1);
            let mut faults = Vec::new();
            while let Some(injection) = injections.next_if(|injection| is_before(injection, seen)) {
                if is_in(injection, seen) {
                    faults.push(injection);
                }
            }
            self.request(seen, &faults, last);
        }
        let text = self.events.iter().filter(|event| event.kind != EventKind::Send);
        let text = text.map(|event| self.line(event)).collect();
        let verdict = Verdict { holds: true, text: "So far.".into(), event: None, fenced: None };
        let (events, messages, spans) = (self.events, self.messages, Vec::new());
        Run { without: Vec::new(), verdict, end: last, events, messages, spans, text }
    }

    fn request(&mut self, seen: &Seen, faults: &[&Injection], at: u64) {
        let name = client(seen.transport, &seen.client);
        let lane = self.clients.iter().position(|known| *known == name).unwrap_or(0);
        let server = self.clients.len();
        let text = asked(seen);
        let sent = self.event(at, lane, EventKind::Send, text.clone());
        // A note, so that it is drawn also where nothing went wrong.
        let arrived = self.event(at, server, EventKind::Note, format!("{name}: {text}"));
        self.events[arrived].causes.push(sent);
        self.messages.push(Message {
            from: lane,
            to: server,
            sent: at,
            arrived: Some(at),
            fate: Fate::Delivered,
            text,
            sent_by: Some(sent),
            led_to: Some(arrived),
            decision: None,
        });
        for fault in faults {
            let effect = fault.effect.as_deref().unwrap_or("no effect so far");
            let text = format!("{} (rule {}): {effect}", fault.kind, fault.rule);
            let event = self.event(at, server, EventKind::Fault, text);
            self.events[event].causes.push(arrived);
        }
    }

    fn event(&mut self, at: u64, lane: usize, kind: EventKind, text: String) -> usize {
        let (grant, fence, decision, causes) = (None, None, None, Vec::new());
        self.events.push(Event { at, lane, kind, text, grant, fence, decision, causes });
        self.events.len() - 1
    }

    fn line(&self, event: &Event) -> String {
        let mark = if event.kind == EventKind::Fault { "* " } else { "" };
        format!("{:>10.3} ms  {mark}{}", event.at as f64 / 1_000.0, event.text)
    }
}

/// Whether a fault was injected into this request or into one before it.
fn is_before(injection: &Injection, seen: &Seen) -> bool {
    injection.unix_ms < seen.unix_ms || is_in(injection, seen)
}

fn is_in(injection: &Injection, seen: &Seen) -> bool {
    (injection.unix_ms, injection.transport, &injection.client)
        == (seen.unix_ms, seen.transport, &seen.client)
        && seen.commands.iter().any(|command| command.name == injection.command)
}

/// The first command of a request, with its keys.
fn asked(seen: &Seen) -> String {
    let Some(first) = seen.commands.first() else { return "nothing".into() };
    let words = [&[first.name.clone()][..], &first.keys].concat().join(" ");
    match seen.commands.len() {
        1 => words,
        count => format!("{words}, and {} more", count - 1),
    }
}

#[cfg(test)]
mod tests {
    use leasehold_fake_redis::serve::HostOptions;

    use super::*;

    /// The page's story after two clients, of which the second is hit by a fault, and a mark of HTML.
    fn served() -> Story {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let host = Host::new(HostOptions::default());
            host.keep_records();
            let rule = "reply-loss connection=2 command=SET next=1";
            host.add_fault(&rule.parse().unwrap()).unwrap();
            for peer in ["1.1.1.1:1", "2.2.2.2:2"] {
                let client = host.connect(peer.into(), "here".into()).unwrap();
                let words = ["SET", "<script>alert(1)</script>", "secret"];
                let _reply = client.perform(&words.map(Into::into)).await;
            }
            let page = of(&host);
            assert!(page.contains("&#60;script") && !page.contains("<script>alert"), "{page}");
            assert!(!page.contains("secret"));
            let injections: Vec<_> = host.with_faults(|all| all.injections().cloned().collect());
            story(&host.requests(), &injections)
        })
    }

    #[test]
    fn clients_requests_and_faults_are_told() {
        let story = served();
        let lanes: Vec<&str> = story.lanes.iter().map(|lane| &*lane.name).collect();
        assert_eq!(lanes, ["1.1.1.1:1", "2.2.2.2:2", "server"]);
        assert!(
            story.headline.starts_with("2 requests, and 1 fault (1 effective)"),
            "{}",
            story.headline
        );
        let [run] = &story.runs[..] else { panic!("{story:?}") };
        let from: Vec<_> = run.messages.iter().map(|message| message.from).collect();
        assert_eq!(from, [0, 1]);
        let fault = run.events.iter().find(|event| event.kind == EventKind::Fault).unwrap();
        assert_eq!(fault.causes, [run.messages[1].led_to.unwrap()]);
        assert_eq!((&*fault.text, fault.lane), ("reply-loss (rule 1): executed, no reply", 2));
        assert!(run.events.is_sorted_by_key(|event| event.at));
    }

    #[test]
    fn a_server_that_was_never_asked_and_one_with_many_clients_have_a_page() {
        let told = story(&[], &[]);
        assert_eq!((told.lanes.len(), told.runs[0].events.len()), (1, 0));
        let seen = |id: u64| Seen {
            id,
            unix_ms: 7,
            transport: Transport::Resp,
            client: format!("client {id}"),
            commands: Vec::new(),
        };
        let seen: Vec<Seen> = (1..=400).map(seen).collect();
        let told = story(&seen, &[]);
        assert_eq!((told.lanes.len(), &*told.lanes[0].name), (CLIENTS + 2, OTHERS));
        assert_eq!(told.runs[0].messages.len(), REQUESTS);
    }
}
