//! Faults: where they take effect, and what lasts.

use leasehold_story::{EventKind, Span, SpanKind};

use super::Scribe;
use crate::{
    decide::{Address, Fault},
    history::Client,
    words::client,
    world::{Leg, NOTIFICATION},
};

impl Scribe<'_> {
    /// A fault is injected, as `choice` and until a time.
    pub(super) fn inject(
        &mut self,
        at: u64,
        fault: Fault,
        who: Option<Client>,
        (choice, until): (u32, u64),
    ) {
        let decision = self.chosen(fault, who);
        if let Some(decision) = decision {
            self.injected.push((fault, who, decision));
        }
        let name = who.map_or(String::new(), |who| client(who).to_string());
        let text = fault.injection(&name, choice);
        if fault == Fault::Failover {
            return self.failed_over(at, &text, decision);
        }
        let lane = self.place(fault, who);
        let text = as_told_there(&text, &name);
        let event = self.add_fault(at, lane, &text, decision);
        if fault == Fault::Hang
            && let Some(place) = self.arrived
        {
            self.messages[place].message.led_to.get_or_insert(event);
            self.caused(event, self.messages[place].message.sent_by);
        }
        self.last_of(fault, lane, (at, until), &text, decision);
        if let (Fault::ClientCrash, Some(who)) = (fault, who) {
            self.stop_run(at, who);
        }
    }

    /// What lasts of a fault.
    fn last_of(
        &mut self,
        fault: Fault,
        lane: usize,
        (from, until): (u64, u64),
        text: &str,
        decision: Option<usize>,
    ) {
        let absence = self.setting.settings.absence;
        let (kind, to, text) = match fault {
            Fault::ClientPause => (SpanKind::Pause, until, "stands still"),
            Fault::ClientCrash => (SpanKind::Pause, until, "is dead"),
            Fault::Partition => (SpanKind::Partition, until, text),
            Fault::OutOfMemory => (SpanKind::Down, until, "has no memory left"),
            Fault::ClientClock => (SpanKind::Clock, until, text),
            Fault::Restart => (SpanKind::Down, from + absence, "stays away"),
            Fault::ServerClock => {
                self.set_clock_right(lane, from);
                let (lane, text, to) = (Some(lane), text.to_owned(), u64::MAX);
                let (kind, grant, fence) = (SpanKind::Clock, None, None);
                self.wrong_clocks.push(Span { lane, kind, from, to, text, grant, fence, decision });
                return;
            }
            _ => return,
        };
        let span = self.span(lane, kind, from, to, text);
        self.spans[span].decision = decision;
    }

    fn set_clock_right(&mut self, lane: usize, at: u64) {
        for span in &mut self.wrong_clocks {
            if span.lane == Some(lane) {
                span.to = span.to.min(at);
            }
        }
    }

    /// A replica takes over, and the server is its replica once it is back.
    fn failed_over(&mut self, at: u64, text: &str, decision: Option<usize>) {
        let Some((old, new, up_at)) = self.took_over.take() else { return };
        let text = text.strip_prefix("the server ").unwrap_or(text);
        let died = self.add_fault(at, old, text, decision);
        let event = self.add_fault(at, new, "takes over", decision);
        self.caused(event, Some(died));
        for (lane, text) in [(old, "is down"), (new, "takes over, and answers nobody yet")] {
            let span = self.span(lane, SpanKind::Down, at, up_at, text);
            self.spans[span].decision = decision;
        }
    }

    /// A fault changes what would have happened.
    pub(super) fn took_effect(&mut self, at: u64, fault: Fault, who: Option<Client>, call: u32) {
        let name = who.map_or(String::new(), |who| client(who).to_string());
        let Some(text) = fault.effect(&name, call) else { return };
        let exact = who.and_then(|actor| {
            self.decision(Address { kind: fault.kind(), actor, occurrence: call })
        });
        let decision = exact.or_else(|| self.injection(fault, who));
        let lane = match fault {
            Fault::Duplicate | Fault::Failover | Fault::OutOfMemory | Fault::Resend => {
                self.server()
            }
            _ => self.place(fault, who),
        };
        let event = self.add_fault(at, lane, &as_told_there(&text, &name), decision);
        if self.setting.lanes.is_client(lane) && fault != Fault::Partition {
            let sent = who.and_then(|who| self.find(Leg::Request, who, call));
            self.caused(event, sent.and_then(|place| self.messages[place].message.sent_by));
        }
    }

    pub(super) fn healed(&mut self, at: u64) {
        for lane in 0..self.setting.lanes.len() {
            self.set_clock_right(lane, at);
        }
        self.add(at, self.server(), EventKind::Note, "from here on, there are no more faults");
    }

    fn add_fault(&mut self, at: u64, lane: usize, text: &str, decision: Option<usize>) -> usize {
        let event = if self.setting.lanes.is_client(lane) {
            self.add(at, lane, EventKind::Fault, text)
        } else {
            self.add_at_server(at, lane, EventKind::Fault, text)
        };
        self.events[event].decision = decision.or(self.events[event].decision);
        event
    }

    /// Where a fault is injected.
    fn place(&self, fault: Fault, who: Option<Client>) -> usize {
        match who {
            Some(who) if fault != Fault::Hang => self.lane(who),
            _ => self.server(),
        }
    }

    /// The decision by which `fault` is being injected, into `who` if it is a client.
    fn chosen(&self, fault: Fault, who: Option<Client>) -> Option<usize> {
        let is_it = |actor: u8| who.is_none_or(|who| actor & 0x7f & !NOTIFICATION == who);
        let mut latest = self.chosen.iter().rev();
        let found = latest.find(|(kind, actor, _)| *kind == fault && is_it(*actor));
        found.map(|(_, _, decision)| *decision)
    }

    /// The decision by which `fault` was injected last, into `who` if it is a client.
    pub(super) fn injection(&self, fault: Fault, who: Option<Client>) -> Option<usize> {
        let mut before = self.injected.iter().rev();
        let found =
            before.find(|(known, whom, _)| *known == fault && (whom.is_none() || *whom == who));
        found.map(|(_, _, decision)| *decision).or_else(|| self.chosen(fault, who))
    }

    /// The decision by which any fault was injected last.
    pub(super) fn last_injected(&self) -> Option<usize> {
        self.injected.last().map(|(_, _, decision)| *decision)
    }
}

/// What befalls somebody, on its own lane: without its name.
fn as_told_there(text: &str, name: &str) -> String {
    let text = text.strip_prefix(&format!("{name} ")).unwrap_or(text);
    let text = text.strip_prefix("the server ").unwrap_or(text);
    let of_its_own = [format!("the link of {name}"), format!("the clock of {name}")];
    let text = text.replace("the server's ", "its ").replace("the replica ", "it ");
    let text = text.replace(&of_its_own[0], "its link").replace(&of_its_own[1], "its clock");
    text.replace(&format!("the caller in {name}"), "its caller")
}
