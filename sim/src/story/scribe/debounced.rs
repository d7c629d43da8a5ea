//! What happens to a debounced function.

use leasehold_story::{EventKind, SpanKind};

use super::Scribe;
use crate::{
    history::{CallAnswer, CallId, Client, DebounceEvent},
    words::client,
};

/// The runs under way.
#[derive(Debug, Default)]
pub(super) struct Runs {
    /// As the server let it be run: where, which call, since when, until when, and with which fence.
    claimed: Option<(usize, CallId, u64, u64, u64)>,
    /// As it is run.
    began: Vec<(Client, CallId, u64, u64)>,
}

impl Scribe<'_> {
    /// Writes down an event that is about a debounced function.
    pub(super) fn debounced(&mut self, at: u64, event: DebounceEvent) {
        match event {
            DebounceEvent::Called { client, call } => {
                let text = format!("makes call {}", name(call));
                self.add_call(at, client, EventKind::Call, text, call);
            }
            DebounceEvent::Armed { call } => {
                let text = format!("counts call {}", name(call));
                let event = self.add_at_server(at, self.server(), EventKind::Key, text);
                self.events[event].grant = Some(name(call));
            }
            DebounceEvent::Claimed { client, call, fence, until } => {
                self.claimed(at, client, call, (fence, until));
            }
            DebounceEvent::RunBegan { client, call, fence } => {
                self.runs.began.push((client, call, at, fence));
                let text = format!("begins to run call {}", name(call));
                let event = self.add_call(at, client, EventKind::Act, text, call);
                self.events[event].fence = Some(fence).filter(|&fence| fence > 0);
            }
            DebounceEvent::RunEnded { client, call, success } => {
                let how = if success { "and it went well" } else { "but it failed" };
                let text = format!("has run call {}, {how}", name(call));
                self.add_call(at, client, EventKind::End, text, call);
                self.end_run(at, client);
            }
            DebounceEvent::Wrote { client, call, fence, accepted } => {
                let event = self.wrote(at, client, fence, accepted);
                self.events[event].grant = Some(name(call));
            }
            DebounceEvent::Settled { client: who, .. } => {
                let text = format!("notes that the run of {} went well", client(who));
                self.noted(at, text);
            }
            DebounceEvent::Rearmed { client: who } => {
                let text = format!("notes that the run of {} came to nothing: again", client(who));
                self.noted(at, text);
            }
            DebounceEvent::NotRearmed { client: who } => {
                self.noted(at, format!("notes that the run of {} came to nothing", client(who)));
            }
            DebounceEvent::Returned { client, call, answer } => {
                let text = format!("{} {}", told(answer), name(call));
                self.add_call(at, client, EventKind::Return, text, call);
            }
            DebounceEvent::Cancelled => self.noted(at, "drops what waits, if anything does".into()),
            DebounceEvent::Flushed => {
                self.add_at_server(at, self.server(), EventKind::Key, "makes due what waits");
            }
            DebounceEvent::Immortal { keys: 0 }
            | DebounceEvent::Leads
            | DebounceEvent::Vanished { .. } => {}
            DebounceEvent::Immortal { keys } => {
                let text = format!("has {keys} keys that never expire");
                self.add_at_server(at, self.server(), EventKind::Key, text);
            }
        }
    }

    fn add_call(
        &mut self,
        at: u64,
        who: Client,
        kind: EventKind,
        text: String,
        call: CallId,
    ) -> usize {
        let event = self.add(at, self.lane(who), kind, text);
        self.events[event].grant = Some(name(call));
        event
    }

    fn noted(&mut self, at: u64, text: String) {
        self.end_claim(at);
        self.add_at_server(at, self.server(), EventKind::Key, text);
    }

    fn claimed(&mut self, at: u64, who: Client, call: CallId, (fence, until): (u64, u64)) {
        self.end_claim(at);
        let lane = self.server();
        self.runs.claimed = Some((lane, call, at, until, fence));
        let text = format!("lets {} run call {}", client(who), name(call));
        let event = self.add_at_server(at, lane, EventKind::Grant, text);
        self.events[event].grant = Some(name(call));
        self.events[event].fence = Some(fence).filter(|&fence| fence > 0);
    }

    fn end_claim(&mut self, at: u64) {
        if let Some((lane, call, from, until, fence)) = self.runs.claimed.take() {
            let text = format!("leaves call {} to its runner", name(call));
            let span = self.span(lane, SpanKind::Key, from, at.min(until), &text);
            self.spans[span].grant = Some(name(call));
            self.spans[span].fence = Some(fence).filter(|&fence| fence > 0);
        }
    }

    fn end_run(&mut self, at: u64, who: Client) {
        let began = self.runs.began.iter().position(|(runner, ..)| *runner == who);
        let Some(place) = began else { return };
        let (_, call, from, fence) = self.runs.began.remove(place);
        let text = format!("runs call {}", name(call));
        let span = self.span(self.lane(who), SpanKind::Work, from, at, &text);
        self.spans[span].grant = Some(name(call));
        self.spans[span].fence = Some(fence).filter(|&fence| fence > 0);
    }

    /// Whoever runs something does so no more.
    pub(super) fn stop_run(&mut self, at: u64, who: Client) {
        self.end_run(at, who);
    }

    pub(super) fn end_runs(&mut self, end: u64) {
        self.end_claim(end);
        while let Some((who, ..)) = self.runs.began.first().copied() {
            self.end_run(end, who);
        }
    }
}

/// A call is named by its client and the client's count: B2 is the second of client B.
fn name(call: CallId) -> String {
    format!("{}{}", client(call.client()), call.number())
}

fn told(answer: CallAnswer) -> &'static str {
    match answer {
        CallAnswer::Fired => "is told: it has run call",
        CallAnswer::FiredElsewhere => "is told: another ran call",
        CallAnswer::Superseded => "is told: a later call ran than",
        CallAnswer::TakenCareOf => "is told: taken care of is call",
        CallAnswer::NotCounted => "is told: not counted is call",
        CallAnswer::Cancelled => "is told: cancelled was call",
        CallAnswer::Open => "is told: not settled is call",
        CallAnswer::Dropped => "is told nothing: its caller has gone from call",
    }
}
