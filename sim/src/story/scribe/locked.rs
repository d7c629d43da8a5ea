//! What happens around a lock.

use leasehold_story::EventKind;

use super::{OpenLease, Scribe, whose};
use crate::{
    history::{Act, Answer, Ask, Client, End, Event, TokenId},
    words::{self, client},
    world::Leg,
};

impl Scribe<'_> {
    /// Writes down an event of the history that is not about a debounced function.
    pub(super) fn happened(&mut self, at: u64, event: &Event) {
        match *event {
            Event::Asked { client, ask, .. } => {
                self.add(at, self.lane(client), EventKind::Call, asks(ask));
            }
            Event::Returned { client, answer, token, .. } => {
                self.returned(at, client, answer, token);
            }
            Event::Held { client, token, fence, until } => {
                self.held(at, client, token, (fence, until));
            }
            Event::Acted { client, token } => {
                let event = self.add(at, self.lane(client), EventKind::Act, "acts under the lock");
                self.about(event, token);
            }
            Event::Ended { client, token, end } => self.ended(at, client, token, end),
            Event::Sent { client, token, .. } => {
                let event = self.add(at, self.lane(client), EventKind::Send, "sends a request");
                if let Some(token) = token {
                    self.about(event, token);
                }
            }
            Event::Applied { client, call, copy, act, behalf, .. } => {
                self.executed(at, client, (call, copy), (act, behalf));
            }
            Event::Key { before, after, expires, by_request } => {
                self.key(at, (before, after), expires, by_request);
            }
            Event::Granted { token, fence } => self.granted(at, token, fence),
            Event::Wrote { client, token, fence, accepted } => {
                let event = self.wrote(at, client, fence, accepted);
                self.events[event].grant = self.names.short(token);
            }
            Event::Answered { client, call, ok } => self.answered(at, client, call, ok),
            Event::GaveUp { client, call } => {
                let what = self.request(client, call).unwrap_or("its request");
                let text = format!("no longer waits for an answer to: {what}");
                self.add(at, self.lane(client), EventKind::GiveUp, text);
            }
            Event::Injected { fault, client, choice, until } => {
                self.inject(at, fault, client, (choice, until));
            }
            Event::TookEffect { fault, client, call } => {
                self.took_effect(at, fault, client, call);
            }
            Event::Healed => self.healed(at),
            Event::Finished | Event::Debounce(_) | Event::Left { .. } => {}
        }
    }

    fn returned(&mut self, at: u64, who: Client, answer: Answer, token: Option<TokenId>) {
        let event = self.add(at, self.lane(who), EventKind::Return, "");
        let mut text = told(answer).to_owned();
        if let (Answer::Acquired, Some(token)) = (answer, token) {
            self.about(event, token);
            let fence = self.fence_of(token).map_or(String::new(), words::fence);
            text += if fence.is_empty() { "" } else { ", " };
            text += &fence;
        }
        self.events[event].text = text;
    }

    fn held(&mut self, at: u64, who: Client, token: TokenId, (fence, until): (u64, u64)) {
        if self.leases.iter().any(|lease| lease.client == who && lease.token == token) {
            let text = format!("now counts on its lease {}", until_text(until));
            let event = self.add(at, self.lane(who), EventKind::Note, text);
            return self.about(event, token);
        }
        self.end_leases(at, who);
        self.leases.push(OpenLease { client: who, token, from: at, fence });
        let told = self.last[self.lane(who)].filter(|&event| {
            self.events[event].at == at && self.events[event].kind == EventKind::Return
        });
        if let Some(event) = told {
            self.events[event].text += &format!(", {} by its clock", until_text(until));
        }
    }

    fn ended(&mut self, at: u64, who: Client, token: TokenId, end: End) {
        self.end_leases(at, who);
        let text = match end {
            End::Releasing => return,
            End::Lost => "knows that its lease is over",
            End::Gone => "knows nothing of its lease any more",
        };
        let event = self.add(at, self.lane(who), EventKind::End, text);
        self.about(event, token);
    }

    fn end_leases(&mut self, at: u64, who: Client) {
        while let Some(place) = self.leases.iter().position(|lease| lease.client == who) {
            let lease = self.leases.remove(place);
            self.end_lease(at, lease);
        }
    }

    fn executed(
        &mut self,
        at: u64,
        who: Client,
        (call, copy): (u32, u8),
        (act, behalf): (Act, Option<TokenId>),
    ) {
        let arrived = self.arrived.take();
        let what = self.request(who, call).unwrap_or("request").to_owned();
        let late = match (copy, arrived) {
            (0, _) => "executes",
            (_, Some(_)) => "executes a second copy of",
            (_, None) => "executes, late,",
        };
        let lane = arrived.map_or_else(|| self.server(), |place| self.messages[place].message.to);
        let text = format!("{late} {}: {what}", whose(who, "request"));
        let event = self.add(at, lane, EventKind::Apply, text);
        let sent_by = match arrived {
            Some(place) => {
                self.messages[place].message.led_to = Some(event);
                self.messages[place].message.sent_by
            }
            None => self.find(Leg::Request, who, call).and_then(|place| {
                let message = &self.messages[place].message;
                message.led_to.or(message.sent_by)
            }),
        };
        self.caused(event, sent_by);
        self.caused(event, self.state[lane]);
        if act != Act::Other
            && let Some(token) = behalf
        {
            self.events[event].grant = self.names.short(token);
        }
        self.applied = Some(event);
    }

    fn granted(&mut self, at: u64, token: TokenId, fence: u64) {
        self.fences.push((token, fence));
        let who = token.client();
        let event = if self.is_majority() {
            let text = "has the votes of a majority: the lock is its own";
            self.add(at, self.lane(who), EventKind::Grant, text)
        } else {
            let until = self.expiry(token).map_or(String::new(), until_text);
            let text = format!("grants {} the lock {until}", client(who));
            self.add_at_server(at, self.server(), EventKind::Grant, text.trim_end())
        };
        self.about(event, token);
        self.mark_key(token, fence);
    }

    /// A write reaches the resource.
    pub(super) fn wrote(&mut self, at: u64, who: Client, fence: u64, accepted: bool) -> usize {
        let lane = self.setting.lanes.resource();
        let before = self.last[lane];
        let (kind, verb) = match accepted {
            true => (EventKind::Write, "takes"),
            false => (EventKind::Refuse, "refuses"),
        };
        let why = if accepted { "" } else { ", older than one that it has seen" };
        let text = format!("{verb} {} with {}{why}", whose(who, "write"), words::fence(fence));
        let event = self.add(at, lane, kind, text);
        self.events[event].fence = Some(fence).filter(|&fence| fence > 0);
        let is_it = |draft: &super::Draft| {
            draft.due == at
                && draft.message.led_to.is_none()
                && draft.parcel.is_some_and(|it| it.leg == Leg::Write && it.client == who)
        };
        if let Some(place) = self.messages.iter().position(is_it) {
            self.messages[place].message.led_to = Some(event);
            self.caused(event, self.messages[place].message.sent_by);
        }
        self.caused(event, before);
        event
    }

    fn answered(&mut self, at: u64, who: Client, call: u32, ok: bool) {
        let reply = self.find(Leg::Reply, who, call);
        let reply = reply.filter(|&place| {
            let message = &self.messages[place].message;
            message.fate != leasehold_story::Fate::Lost && message.led_to.is_none()
        });
        let text = match reply {
            Some(place) => format!("hears: {}", self.messages[place].message.text),
            None if ok => "hears the answer".into(),
            None => "sees its connection break, and no answer".into(),
        };
        let event = self.add(at, self.lane(who), EventKind::Reply, text);
        let cause = match reply {
            Some(place) => {
                self.messages[place].message.led_to = Some(event);
                self.messages[place].message.sent_by
            }
            None => self
                .find(Leg::Request, who, call)
                .and_then(|place| self.messages[place].message.sent_by),
        };
        self.caused(event, cause);
    }
}

/// Until when, in words.
pub(super) fn until_text(until: u64) -> String {
    match until {
        u64::MAX => "for ever".into(),
        _ => format!("until {}.{} ms", until / 1_000, until / 100 % 10),
    }
}

fn asks(ask: Ask) -> &'static str {
    match ask {
        Ask::Acquire => "asks for the lock",
        Ask::Extend => "asks for a longer lease",
        Ask::Release => "gives the lock up",
    }
}

fn told(answer: Answer) -> &'static str {
    match answer {
        Answer::Acquired => "is told: acquired",
        Answer::NotAcquired => "is told: another holds it",
        Answer::Spent => "is told: this token was given up before",
        Answer::Refused => "is told: the server refuses",
        Answer::Extended => "is told: your lease is longer now",
        Answer::Taken => "is told: the lock is no longer yours",
        Answer::Expired => "is told: your lease is over",
        Answer::Released => "is told: released",
        Answer::NotHeld => "is told: it was not yours any more",
        Answer::Unavailable => "is told: no server can be reached",
        Answer::Unknown => "is told: nobody knows what became of your call",
        Answer::Dropped => "is told nothing: its caller has gone",
    }
}
